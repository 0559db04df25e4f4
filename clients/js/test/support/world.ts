// A world of a test's own: sockets that the test answers, a clock that it turns, chance that it chooses.

import { EVENT_VERSION, type PlayerEvent } from "../../src/events.js";
import type { Seams, Socket } from "../../src/seams.js";
import { Stream, type Options, type StreamState } from "../../src/stream.js";

export const URL = "wss://casino.example/v1/stream";
export const EPOCH = "2f6c0000-0000-4000-8000-000000000000";

/** One attempt to connect, in the test's hand. */
export class FakeSocket implements Socket {
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  onerror: Socket["onerror"] = null;
  sent: { type: string; id?: number; [field: string]: unknown }[] = [];
  isClosed = false;

  constructor(
    readonly url: URLSearchParams,
    readonly protocols: string[],
  ) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.isClosed = true;
  }

  says(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) } as never);
  }

  closes(code: number, reason = ""): void {
    this.onclose?.({ code, reason } as never);
  }

  snapshot(seq: number, more: object = {}): void {
    this.says({ type: "snapshot", seq, epoch: EPOCH, wallets: [wallet("100.00")], open_rounds: [], ...more });
  }

  /** Answers the newest command. */
  answers(message: object): void {
    this.says({ id: this.sent.at(-1)?.id, ...message });
  }
}

export class World implements Seams {
  sockets: FakeSocket[] = [];
  chance = 0.5;
  #now = 0;
  #timers = new Set<{ at: number; callback: () => void }>();
  #wakes = new Set<() => void>();

  random = () => this.chance;
  now = () => this.#now;

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  onWake(callback: () => void): () => void {
    this.#wakes.add(callback);
    return () => this.#wakes.delete(callback);
  }

  wake(): void {
    for (const callback of this.#wakes) callback();
  }

  /** What is still to come: nothing, when a stream has ended. */
  get pending(): number {
    return this.#timers.size + this.#wakes.size;
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due);
      this.#now = due.at;
      due.callback();
      await settled();
    }
    this.#now = end;
  }

  /** A stream whose first socket waits for a greeting. */
  async connect(options: Partial<Options> = {}): Promise<Stream> {
    const { sockets } = this;
    class WebSocket extends FakeSocket {
      constructor(url: string, protocols: string[]) {
        super(new globalThis.URL(url).searchParams, protocols);
        sockets.push(this);
      }
    }
    const token = options.getToken ? {} : { token: "pst_test_1" };
    const stream = new Stream({ url: URL, WebSocket, ...token, ...options }, this);
    await settled();
    return stream;
  }

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("there is no socket");
    return socket;
  }
}

/** Everything that promises had to do is done. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function wallet(cash: string) {
  return { currency: "EUR", cash, bonus: "0.00", total: cash, held_in_rounds: "0.00", owed: "0.00" };
}

export function round(id: string) {
  const names = { provider: "demo", game: "dice", round: id, state: "open", currency: "EUR" };
  return { ...names, bets: 0, wins: 0, stake: "0.00", won: "0.00", held: "0.00", opened_at: "2026-01-01T12:00:00Z" };
}

export function event(seq: number, type: string, data: object) {
  const id = `019a0000-0000-7000-8000-${String(seq).padStart(12, "0")}`;
  const head = { id, type, version: EVENT_VERSION, time: "2026-01-01T12:00:00Z", environment: "sandbox" };
  return { ...head, player: "alice", seq, transaction: null, data };
}

export function bet(seq: number, cash = "90.00") {
  const balance = { currency: "EUR", cash, bonus: "0.00", total: cash };
  const names = { provider: "demo", provider_transaction_id: `b${seq}`, game: "dice", round: `r${seq}` };
  const funding = { cash: "10.00", bonus: "0.00" };
  return event(seq, "wallet.bet_debited", { ...names, amount: "10.00", currency: "EUR", funding, balance });
}

/** The numbers of the events that a stream gives out, in order, from now on. */
export function heardBy(stream: Stream): number[] {
  const heard: number[] = [];
  stream.on("event", ({ seq }: PlayerEvent) => heard.push(seq));
  return heard;
}

/** The pause that a stream is in. */
export function waiting(stream: Stream): Extract<StreamState, { state: "waiting" }> {
  if (stream.state.state !== "waiting") throw new Error(`it is ${stream.state.state}`);
  return stream.state;
}
