// What the stream hears of. The server's names; see "Choosing what to hear of" in docs/stream.md.

import type { EventType } from "./events.js";

/** A name for `types`: a type of event, a family of them, all of them, or small messages with balances. */
export type Topic = EventType | "wallet.*" | "game.*" | "bonus.*" | "withdrawal.*" | "player.*" | "*" | "balance";

export class Topics {
  #names: readonly string[] | undefined;
  #hearsAll: boolean;

  /** `undefined`: all events. */
  constructor(names: readonly string[] | undefined) {
    this.#names = names;
    this.#hearsAll = names === undefined || names.includes("*");
  }

  /** Whether the numbers of events come without gaps. */
  get hearsAll(): boolean {
    return this.#hearsAll;
  }

  /** For the URL; `undefined` when nothing is to be said. */
  get query(): string | undefined {
    return this.#names?.join(",");
  }

  /** After the server said what it sends from now on, because of a command for these names. */
  changed(command: "subscribe" | "unsubscribe", asked: readonly string[], answer: readonly string[]): void {
    // The answer does not say "all": it names the families that have events.
    if (command === "subscribe") this.#hearsAll ||= asked.includes("*");
    else this.#hearsAll &&= asked.every((name) => name === "balance");
    this.#names = this.#hearsAll ? ["*", ...answer.filter((name) => name === "balance")] : answer;
  }
}
