// What the player has, kept up to date from what the stream tells.

import type { Balance, PlayerEvent, Round } from "./events.js";
import type { Snapshot } from "./messages.js";

/** What stays the same while a round is open. */
export type OpenRound = Pick<Round, "provider" | "game" | "round" | "currency" | "opened_at">;

export class View {
  /** By currency. */
  readonly wallets = new Map<string, Balance>();
  /** By `key`. */
  readonly openRounds = new Map<string, OpenRound>();

  replace(snapshot: Snapshot): void {
    this.wallets.clear();
    this.openRounds.clear();
    for (const wallet of snapshot.wallets) this.balance(wallet);
    for (const round of snapshot.open_rounds) this.#open(round);
  }

  balance({ currency, cash, bonus, total }: Balance): void {
    this.wallets.set(currency, { currency, cash, bonus, total });
  }

  event({ type, data }: PlayerEvent): void {
    if ("balance" in data && data.balance) this.balance(data.balance);
    if (type === "game.round_opened") this.#open(data);
    else if (type === "game.round_closed" || type === "game.round_voided") this.openRounds.delete(key(data));
  }

  #open({ provider, game, round, currency, opened_at }: Round): void {
    const open = { provider, game, round, currency, opened_at };
    this.openRounds.set(key(open), open);
  }
}

/** A round's id is its provider's own, or even that of one game alone. */
function key({ provider, game, round }: Pick<Round, "provider" | "game" | "round">): string {
  return JSON.stringify([provider, game, round]);
}
