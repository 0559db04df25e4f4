// A player's stream, over as many connections as it takes.

import { Commands, type Command } from "./commands.js";
import { BROKEN, Connection } from "./connection.js";
import { Emitter } from "./emitter.js";
import { ClosedError } from "./errors.js";
import { EVENT_TYPES, EVENT_VERSION } from "./events.js";
import type { Balance, EventByType, PlayerEvent, Timestamp, Wallet } from "./events.js";
import type { BalanceChanged, LaunchedGame, Message, Snapshot, UnknownEvent } from "./messages.js";
import { Position } from "./position.js";
import { Reader } from "./reader.js";
import { pauseMs, verdict, type Backoff } from "./reconnect.js";
import type { Seams, SocketClass } from "./seams.js";
import { Topics, type Topic } from "./topics.js";
import { View, type OpenRound } from "./view.js";

export interface Options {
  /** Of the stream: `wss://casino.example/v1/stream`. */
  url: string;
  /** Of the player's session; without `getToken` the stream ends with that session. */
  token?: string;
  /** Asked for a token at first, and whenever the last one does not open the stream any more. */
  getToken?: () => Promise<string>;
  /** What to hear of; left out: all events. */
  types?: readonly Topic[];
  /** Where there is no global one: Node before 22. `ws` fits. */
  WebSocket?: SocketClass;
  /** How long to wait for an answer, and for a connection to open. 10 s. */
  timeoutMs?: number;
  /** How often to ask whether the connection is alive. 20 s. */
  heartbeatMs?: number;
  /** Of the pauses between attempts: 0 to a bound that doubles from `baseMs` (500) to `maxMs` (30 s). */
  backoff?: Partial<Backoff>;
}

export type StreamState =
  | { state: "connecting" }
  /** `recovered`: nothing was missed since the connection before; `false`: a new snapshot stands for it. */
  | { state: "open"; recovered?: boolean }
  | { state: "waiting"; retryMs: number; code: number; reason: string; error?: unknown }
  | { state: "closed"; code: number; reason: string };

/** What can be listened to. */
export interface Heard extends EventByType {
  /** Every event. */
  event: PlayerEvent;
  /** Everything anew: at first, and when events were missed for good (`recovered: false`). */
  snapshot: Snapshot;
  /** With the topic `balance`. */
  balance: BalanceChanged;
  /** Events that this version of the client has no types for. They are told here alone. */
  unknown: UnknownEvent;
  state: StreamState;
}

/** What a connection has to have lasted for those before it to be forgiven. */
const STABLE_MS = 10_000;

const KNOWN_TYPES: ReadonlySet<string> = new Set(EVENT_TYPES);

export class Stream {
  #emitter = new Emitter<Heard>();
  #readers = new Set<Reader<PlayerEvent | Snapshot>>();
  #position = new Position();
  #view = new View();
  #topics: Topics;
  #commands: Commands;
  #state: StreamState = { state: "connecting" };
  #token: string | undefined;
  #connection: Connection | undefined;
  #failures = 0;
  /** When the connection's first message came. */
  #greetedAt: number | undefined;
  /** Ends a pause that may be cut short. */
  #hurry: (() => void) | undefined;
  #cancelPause: (() => void) | undefined;
  #forgetWake: () => void;
  readonly #url: string;
  readonly #WebSocket: SocketClass;
  readonly #timeoutMs: number;
  readonly #heartbeatMs: number;
  readonly #backoff: Backoff;
  readonly #getToken: (() => Promise<string>) | undefined;

  /** @internal Use `connect`. */
  constructor(
    options: Options,
    private readonly seams: Seams,
  ) {
    const { url, token, getToken, types } = options;
    if (token === undefined && !getToken) throw new TypeError("connect: token or getToken is needed");
    const given = options.WebSocket ?? (globalThis as { WebSocket?: SocketClass }).WebSocket;
    if (!given) {
      throw new TypeError("connect: there is no global WebSocket here (Node before 22): pass one, such as that of ws");
    }
    this.#url = new URL(url).href;
    this.#WebSocket = given;
    this.#token = token;
    this.#getToken = getToken;
    this.#topics = new Topics(types);
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    this.#heartbeatMs = options.heartbeatMs ?? 20_000;
    this.#backoff = { baseMs: 500, maxMs: 30_000, ...options.backoff };
    this.#commands = new Commands(seams, this.#timeoutMs);
    this.#forgetWake = seams.onWake(() => this.#wake());
    // Not at once, so that the caller's listeners hear everything.
    queueMicrotask(() => void this.#connect());
  }

  /** Listens; the function that it returns ends that. */
  on<Name extends keyof Heard>(name: Name, listener: (value: Heard[Name]) => void): () => void {
    return this.#emitter.on(name, listener);
  }

  get state(): StreamState {
    return this.#state;
  }

  /** What the player has, by currency, as the newest event or balance that was heard left it. */
  get wallets(): ReadonlyMap<string, Balance> {
    return this.#view.wallets;
  }

  /** Rounds that are open, as far as the snapshot and the events that were heard tell. */
  get openRounds(): OpenRound[] {
    return [...this.#view.openRounds.values()];
  }

  /** The newest event that was heard of, and the database that it is in. */
  get position(): { seq: number; epoch: string } | undefined {
    const { seq, epoch } = this.#position;
    return seq === undefined || epoch === undefined ? undefined : { seq, epoch };
  }

  async ping(): Promise<void> {
    await this.#run({ type: "ping" });
  }

  /** All wallets as they are now. */
  async balance(): Promise<Wallet[]> {
    return (await this.#run({ type: "balance" })).wallets as Wallet[];
  }

  /** Starts a game; without `currency` in that of the login. */
  async launch(game: { game: string; currency?: string }): Promise<LaunchedGame> {
    const { url, token, session, expires_at } = await this.#run({ type: "launch", ...game });
    return { url, token, session, expires_at } as LaunchedGame;
  }

  /**
   * The player did something: his login goes on. For what he does, never by a timer: a forgotten tab has to expire.
   * Answers when the login ends if he does nothing more.
   */
  async keepAlive(): Promise<Timestamp> {
    const { expires_at } = await this.#run({ type: "keep_alive" });
    return expires_at as Timestamp;
  }

  /** Hears of these besides; resolves with all that it hears of. */
  subscribe(types: readonly Topic[]): Promise<string[]> {
    return this.#choose("subscribe", types);
  }

  /** Hears of these no more; resolves with all that it hears of. */
  unsubscribe(types: readonly Topic[]): Promise<string[]> {
    return this.#choose("unsubscribe", types);
  }

  /** Puts the stream under a newer session of the same player. */
  async renew(token: string): Promise<{ expires_at: Timestamp }> {
    const { expires_at } = await this.#run({ type: "authenticate", token });
    this.#token = token;
    return { expires_at: expires_at as Timestamp };
  }

  /** Every event, and every snapshot, from now on. Ends with `close()`; throws when the server ended the stream. */
  [Symbol.asyncIterator](): AsyncIterableIterator<PlayerEvent | Snapshot> {
    const reader = new Reader<PlayerEvent | Snapshot>((done) => this.#readers.delete(done));
    this.#readers.add(reader);
    if (this.#state.state === "closed") reader.end();
    return reader;
  }

  /** Ends the stream for good. */
  close(): void {
    this.#close(1000, "");
  }

  async #connect(): Promise<void> {
    if (this.#state.state === "closed") return;
    this.#enter({ state: "connecting" });
    try {
      const token = (this.#token ??= await this.#getToken?.());
      // It may have been closed while it waited for the token.
      if (this.#isClosed()) return;
      this.#greetedAt = undefined;
      const handlers = {
        onMessage: (message: Message) => this.#message(message),
        onLost: (code: number, reason: string) => this.#lost(code, reason),
      };
      const options = {
        WebSocket: this.#WebSocket,
        url: this.#address(),
        protocols: ["pitboss.v1", token ?? ""],
        timeoutMs: this.#timeoutMs,
        heartbeatMs: this.#heartbeatMs,
      };
      this.#connection = new Connection(options, this.seams, handlers);
    } catch (error) {
      if (this.#isClosed()) return;
      this.#distrustToken();
      this.#pause(BROKEN, "", { error });
    }
  }

  #isClosed(): boolean {
    return this.#state.state === "closed";
  }

  #address(): string {
    const url = new URL(this.#url);
    const { position } = this;
    if (position) {
      url.searchParams.set("after", String(position.seq));
      url.searchParams.set("epoch", position.epoch);
    }
    const types = this.#topics.query;
    if (types !== undefined) url.searchParams.set("types", types);
    return url.href;
  }

  #message(message: Message): void {
    const { type, seq } = message;
    if (type === "snapshot") return this.#snapshot(message as unknown as Snapshot);
    if (type === "resumed") return this.#greeted(true);
    if (typeof seq === "number") {
      if (type.includes(".")) return this.#event(message as unknown as UnknownEvent);
      if (!this.#position.told(seq, this.#topics.hearsAll)) return this.#hole();
    }
    if (message.id !== undefined) this.#commands.answered(message);
    else if (type === "balance") {
      const changed = message as unknown as BalanceChanged;
      for (const balance of changed.wallets) this.#view.balance(balance);
      this.#emitter.emit("balance", changed);
    }
  }

  #snapshot(snapshot: Snapshot): void {
    this.#position.begin(snapshot.seq, snapshot.epoch);
    this.#view.replace(snapshot);
    this.#greeted(snapshot.recovered);
    this.#emitter.emit("snapshot", snapshot);
    for (const reader of [...this.#readers]) reader.push(snapshot);
  }

  #greeted(recovered: boolean | undefined): void {
    this.#greetedAt = this.seams.now();
    this.#enter(recovered === undefined ? { state: "open" } : { state: "open", recovered });
    this.#commands.connected((text) => this.#connection?.send(text));
  }

  #event(event: UnknownEvent): void {
    const arrival = this.#position.event(event.seq, this.#topics.hearsAll);
    if (arrival === "repeat") return;
    if (arrival === "hole") return this.#hole();
    // Before there were versions all events were of the first.
    const hasKnownVersion = (event.version ?? 1) === EVENT_VERSION;
    if (!hasKnownVersion || !KNOWN_TYPES.has(event.type)) return this.#emitter.emit("unknown", event);
    const known = event as unknown as PlayerEvent;
    this.#view.event(known);
    this.#emitter.emit(known.type, known as never);
    this.#emitter.emit("event", known);
    for (const reader of [...this.#readers]) reader.push(known);
  }

  /** Events are missing: the server tells them again to who resumes. */
  #hole(): void {
    this.#connection?.drop();
    this.#lost(BROKEN, "events are missing");
  }

  #lost(code: number, reason: string): void {
    this.#connection = undefined;
    this.#commands.lost();
    const now = this.seams.now();
    if (this.#greetedAt !== undefined && now - this.#greetedAt >= STABLE_MS) this.#failures = 0;
    const next = verdict(code, reason, this.#getToken !== undefined);
    if (next.kind === "stop") return this.#close(code, reason);
    // Browsers do not tell a token that was refused from a network that is down.
    if (next.kind === "renew" || this.#greetedAt === undefined) this.#distrustToken();
    this.#pause(code, reason, next.kind === "reconnect" ? next : {});
  }

  /** The next attempt is with a new token, if there is any to have. */
  #distrustToken(): void {
    if (this.#getToken) this.#token = undefined;
  }

  /** Connects again after the pause that the server asks for, or one of its own, which a wake cuts short. */
  #pause(code: number, reason: string, { hintMs, error }: { hintMs?: number; error?: unknown }): void {
    const retryMs = hintMs ?? pauseMs(this.#failures++, this.#backoff, this.seams.random);
    const connect = () => {
      this.#hurry = undefined;
      this.#cancelPause?.();
      void this.#connect();
    };
    this.#cancelPause = this.seams.after(retryMs, connect);
    this.#hurry = hintMs === undefined ? connect : undefined;
    this.#enter({ state: "waiting", retryMs, code, reason, ...(error === undefined ? {} : { error }) });
  }

  #wake(): void {
    if (this.#hurry) this.#hurry();
    else if (this.#state.state === "open") this.#connection?.check();
  }

  #close(code: number, reason: string): void {
    if (this.#isClosed()) return;
    this.#cancelPause?.();
    this.#hurry = undefined;
    this.#forgetWake();
    this.#connection?.drop();
    this.#connection = undefined;
    const error = new ClosedError(code, reason);
    this.#enter({ state: "closed", code, reason });
    this.#commands.close(error);
    for (const reader of [...this.#readers]) reader.end(code === 1000 ? undefined : error);
  }

  #enter(state: StreamState): void {
    this.#state = state;
    this.#emitter.emit("state", state);
  }

  #run(command: Command, onAnswer?: (answer: Message) => void): Promise<Message> {
    const { state } = this;
    if (state.state === "closed") return Promise.reject(new ClosedError(state.code, state.reason));
    return this.#commands.run(command, onAnswer);
  }

  async #choose(type: "subscribe" | "unsubscribe", types: readonly Topic[]): Promise<string[]> {
    const answer = await this.#run({ type, types }, (answer) => {
      this.#topics.changed(type, types, answer.types as string[]);
    });
    return answer.types as string[];
  }
}
