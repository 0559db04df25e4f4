// One socket, from its opening to its end: whether it was greeted in time, and whether it is still alive.

import { readMessage, type Message } from "./messages.js";
import type { Seams, Socket, SocketClass } from "./seams.js";

/** What a connection is told to be, when it ended without a close frame (RFC 6455, 7.1.5). */
export const BROKEN = 1006;

const PING = JSON.stringify({ type: "ping" });

export interface ConnectionOptions {
  WebSocket: SocketClass;
  url: string;
  protocols: string[];
  timeoutMs: number;
  heartbeatMs: number;
}

export interface ConnectionHandlers {
  onMessage(message: Message): void;
  /** Once, and nothing after it. */
  onLost(code: number, reason: string): void;
}

export class Connection {
  #socket: Socket;
  #isOver = false;
  #cancelHeartbeat: (() => void) | undefined;
  #cancelDeadline: (() => void) | undefined;

  /** Throws what the WebSocket's own constructor does. */
  constructor(
    private readonly options: ConnectionOptions,
    private readonly seams: Pick<Seams, "after">,
    private readonly handlers: ConnectionHandlers,
  ) {
    const socket = new options.WebSocket(options.url, options.protocols);
    this.#socket = socket;
    socket.onmessage = ({ data }: { data: unknown }) => this.#heard(data);
    let failure = "";
    // A close follows. `ws` tells here why an upgrade was refused; browsers keep it to themselves. It stays when the
    // connection is dropped, because `ws` throws an error that nobody listens to.
    socket.onerror = ({ message }: { message?: unknown }) => {
      failure = typeof message === "string" ? message : "";
    };
    socket.onclose = ({ code, reason }: { code: number; reason: string }) => this.#lost(code, reason || failure);
    this.#expectAnswer();
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  /** Asks whether the other side is still there. */
  check(): void {
    this.send(PING);
    this.#expectAnswer();
    this.#scheduleCheck();
  }

  /** Ends it; `onLost` is not called. */
  drop(): void {
    this.#isOver = true;
    this.#cancelHeartbeat?.();
    this.#cancelDeadline?.();
    this.#socket.close(1000);
  }

  #heard(data: unknown): void {
    if (this.#isOver) return;
    this.#cancelDeadline?.();
    this.#cancelDeadline = undefined;
    if (!this.#cancelHeartbeat) this.#scheduleCheck();
    const message = readMessage(data);
    if (message) this.handlers.onMessage(message);
    else this.#lost(BROKEN, "unreadable message");
  }

  #expectAnswer(): void {
    this.#cancelDeadline ??= this.seams.after(this.options.timeoutMs, () => this.#lost(BROKEN, "no answer"));
  }

  #scheduleCheck(): void {
    this.#cancelHeartbeat?.();
    this.#cancelHeartbeat = this.seams.after(this.options.heartbeatMs, () => this.check());
  }

  #lost(code: number, reason: string): void {
    if (this.#isOver) return;
    // A dead peer answers no close frame either: this does not wait for it.
    this.drop();
    this.handlers.onLost(code, reason);
  }
}
