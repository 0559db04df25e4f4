// What the server says besides events: see docs/stream.md. Only what this client uses.

import type { Balance, Round, Timestamp, Wallet } from "./events.js";

/** Everything that the player has. */
export interface Snapshot {
  type: "snapshot";
  /** The newest event that it includes. */
  seq: number;
  epoch: string;
  wallets: Wallet[];
  /** The newest ones, as many as the server keeps at hand. */
  open_rounds: Round[];
  /** `false`: events were missed that cannot be told any more; this takes their place. */
  recovered?: false;
}

/** The wallets that changed, as the event `seq` left them. */
export interface BalanceChanged {
  type: "balance";
  seq: number;
  wallets: Balance[];
}

/** A game that was launched: its address, and the session in it. */
export interface LaunchedGame {
  url: string;
  token: string;
  session: string;
  expires_at: Timestamp;
}

/** All wallets as they are now. */
export interface AllBalances {
  wallets: Wallet[];
}

/** An event of a type, or of a version of its type, that this client does not know. */
export interface UnknownEvent {
  id: string;
  type: string;
  version?: number;
  time: Timestamp;
  player: string;
  seq: number;
  data: unknown;
}

/** Any message, before it is known which. */
export interface Message {
  type: string;
  seq?: number;
  id?: unknown;
  [field: string]: unknown;
}

/** A message's text as a message; `undefined` when it is none. */
export function readMessage(text: unknown): Message | undefined {
  if (typeof text !== "string") return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const isMessage =
      typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
    return isMessage ? (value as Message) : undefined;
  } catch {
    return undefined;
  }
}

