// Commands and their answers: each is answered, refused, lost with its connection, or late.
//
// One is under way at a time, as on the server, and not too many in a second, for which the server would end the
// stream.

import { ClosedError, CommandError, ConnectionLostError, StreamError, TimeoutError } from "./errors.js";
import type { Message } from "./messages.js";
import type { Seams } from "./seams.js";

/** Commands that wait at most. */
const WAITING_MAX = 100;
/** Half of what the server allows by default: heartbeats count there, too. */
const PER_SECOND_MAX = 10;

export interface Command {
  type: string;
  [field: string]: unknown;
}

interface Pending {
  id: number;
  command: Command;
  settle(answer: Message | StreamError): void;
}

export class Commands {
  #waiting: Pending[] = [];
  /** Sent: whether it was carried out is not known if its connection breaks. */
  #underWay: Pending | undefined;
  #send: ((text: string) => void) | undefined;
  /** When the newest were sent, oldest first. */
  #sentAt: number[] = [];
  #cancelPause: (() => void) | undefined;
  #lastId = 0;

  constructor(
    private readonly seams: Pick<Seams, "after" | "now">,
    private readonly timeoutMs: number,
  ) {}

  /**
   * Resolves with the answer; waits for a connection if there is none. `onAnswer` is called with a good answer before
   * the next message is looked at; a promise's reaction may be later than that.
   */
  run(command: Command, onAnswer?: (answer: Message) => void): Promise<Message> {
    if (this.#waiting.length >= WAITING_MAX) {
      return Promise.reject(new StreamError("busy", `more than ${WAITING_MAX} commands are waiting`));
    }
    return new Promise((resolve, reject) => {
      const cancel = this.seams.after(this.timeoutMs, () => pending.settle(new TimeoutError(command.type)));
      const settle = (answer: Message | StreamError) => {
        cancel();
        this.#forget(pending);
        if (answer instanceof StreamError) return reject(answer);
        onAnswer?.(answer);
        resolve(answer);
      };
      const pending = { id: ++this.#lastId, command, settle };
      this.#waiting.push(pending);
      this.#next();
    });
  }

  connected(send: (text: string) => void): void {
    this.#send = send;
    this.#next();
  }

  /** The connection broke. What was not sent waits for the next one. */
  lost(): void {
    this.#send = undefined;
    const lost = this.#underWay;
    lost?.settle(new ConnectionLostError(lost.command.type));
  }

  /** Settles the command that a message answers, if it does. */
  answered(message: Message): void {
    const answered = this.#underWay;
    if (!answered || message.id !== answered.id) return;
    if (message.type !== "error") return answered.settle(message);
    const detail = typeof message.detail === "string" ? message.detail : undefined;
    answered.settle(new CommandError(String(message.code), detail));
  }

  /** There will be no connection any more. */
  close(error: ClosedError): void {
    this.lost();
    this.#cancelPause?.();
    for (const waiting of [...this.#waiting]) waiting.settle(error);
  }

  #forget(pending: Pending): void {
    if (this.#underWay === pending) this.#underWay = undefined;
    else this.#waiting = this.#waiting.filter((other) => other !== pending);
    this.#next();
  }

  #next(): void {
    const next = this.#waiting[0];
    if (!next || !this.#send || this.#underWay) return;
    const now = this.seams.now();
    this.#sentAt = this.#sentAt.filter((at) => at > now - 1000);
    this.#cancelPause?.();
    if (this.#sentAt.length >= PER_SECOND_MAX) {
      const freeAt = (this.#sentAt[0] ?? now) + 1000;
      this.#cancelPause = this.seams.after(freeAt - now, () => this.#next());
      return;
    }
    this.#sentAt.push(now);
    this.#waiting.shift();
    this.#underWay = next;
    this.#send(JSON.stringify({ ...next.command, id: next.id }));
  }
}
