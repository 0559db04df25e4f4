// The client against a real server.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import WebSocket from "ws";
import { CommandError, connect, type Options, type PlayerEvent, type SocketClass, type Stream } from "../src/index.js";
import { Sandbox } from "./support/sandbox.js";

const PACKAGE = new URL("../../", import.meta.url);

let sandbox: Sandbox;
const streams: Stream[] = [];

before(async () => {
  sandbox = await Sandbox.start();
});

after(async () => {
  for (const stream of streams) stream.close();
  await sandbox?.remove();
});

/** A patient client: time-outs only bound here. */
function open(options: Omit<Options, "url">): Stream {
  const url = sandbox.at.stream;
  const stream = connect({ url, WebSocket, timeoutMs: 60_000, backoff: { baseMs: 50, maxMs: 500 }, ...options });
  streams.push(stream);
  return stream;
}

/** Everything of one kind that is heard, and a way to wait for some of it. */
function listen<T>(on: (listener: (value: T) => void) => void) {
  const heard: T[] = [];
  let check = () => {};
  on((value) => {
    heard.push(value);
    check();
  });
  const until = (condition: (heard: T[]) => boolean) =>
    new Promise<void>((resolve) => {
      check = () => {
        if (condition(heard)) resolve();
      };
      check();
    });
  return { heard, until };
}

const eventsOf = (stream: Stream) => listen<PlayerEvent>((listener) => stream.on("event", listener));
const statesOf = (stream: Stream) => listen<string>((listener) => stream.on("state", ({ state }) => listener(state)));

/** The provider's ids of the bets among events. */
function betsAmong(events: PlayerEvent[]): string[] {
  return events.flatMap((event) => (event.type === "wallet.bet_debited" ? [event.data.provider_transaction_id] : []));
}

/** Whether a server that was killed between the commit and its answer took this bet is not known: it is sent again. */
async function betForSure(bet: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await bet();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

test("a snapshot, then a bet as one event, and the view follows", async () => {
  const player = await sandbox.player();
  const stream = open({ token: await player.logIn() });
  const snapshots = listen<number>((listener) => stream.on("snapshot", ({ seq }) => listener(seq)));
  const events = eventsOf(stream);
  await snapshots.until((heard) => heard.length === 1);
  assert.equal(stream.wallets.get("EUR")?.cash, "1000.00");
  await player.bet("b1");
  await events.until((heard) => betsAmong(heard).length === 1);
  await stream.ping();
  assert.deepEqual(betsAmong(events.heard), ["b1"]);
  assert.equal(stream.wallets.get("EUR")?.cash, "999.00");
  assert.deepEqual(stream.openRounds.map(({ round }) => round), ["r-b1"]);
  assert.equal((await stream.balance())[0]?.held_in_rounds, "1.00");
});

test("kill -9 in the midst of bets: the client resumes, and every bet is told once and in order", async () => {
  const player = await sandbox.player();
  const stream = open({ token: await player.logIn() });
  const [events, states] = [eventsOf(stream), statesOf(stream)];
  const recovered: unknown[] = [];
  stream.on("snapshot", (snapshot) => recovered.push(snapshot.recovered));
  await states.until((heard) => heard.includes("open"));
  const from = stream.position?.seq ?? 0;
  const names = Array.from({ length: 60 }, (_, index) => `b${index}`);
  const betting = (async () => {
    for (const name of names) await betForSure(() => player.bet(name));
  })();
  await events.until((heard) => betsAmong(heard).length >= 20);
  await sandbox.end("SIGKILL");
  await states.until((heard) => heard.includes("waiting"));
  await sandbox.run();
  await betting;
  await events.until((heard) => betsAmong(heard).includes("b59"));
  await stream.ping();
  assert.deepEqual(betsAmong(events.heard), names);
  const numbers = events.heard.map(({ seq }) => seq);
  assert.deepEqual(numbers, numbers.map((_, index) => from + 1 + index));
  assert.deepEqual(recovered, [undefined], "it resumed, and had no second snapshot");
  assert.equal(stream.wallets.get("EUR")?.cash, "940.00");
});

test("a server that stops says when to come back, and the client does", async () => {
  const player = await sandbox.player();
  const stream = open({ token: await player.logIn() });
  const states = statesOf(stream);
  const closes = listen<number>((listener) =>
    stream.on("state", (state) => state.state === "waiting" && listener(state.code)),
  );
  await states.until((heard) => heard.includes("open"));
  await sandbox.end("SIGTERM");
  await closes.until((heard) => heard.length > 0);
  assert.equal(closes.heard[0], 4000);
  await sandbox.run();
  await states.until((heard) => heard.filter((state) => state === "open").length === 2);
  assert.deepEqual(stream.state, { state: "open", recovered: true });
});

test("a game is launched over the stream, and a game that is not there is refused", async () => {
  const player = await sandbox.player();
  const stream = open({ token: await player.logIn() });
  const events = eventsOf(stream);
  const { url, token, session } = await stream.launch({ game: "dice" });
  assert.ok(new URL(url).protocol.startsWith("http"));
  const taken = await sandbox.callback("authenticate", { token });
  assert.deepEqual([taken.player, taken.session], [player.id, session]);
  await events.until((heard) => heard.some(({ type }) => type === "game.launched"));
  const isUnknown = (error: unknown) => error instanceof CommandError && error.code === "unknown_game";
  await assert.rejects(stream.launch({ game: "chess" }), isUnknown);
});

test("a renewed token is taken, and another player's is refused", async () => {
  const [player, other] = [await sandbox.player(), await sandbox.player()];
  const stream = open({ token: await player.logIn() });
  const { expires_at } = await stream.renew(await player.logIn());
  assert.ok(Date.parse(expires_at) > Date.now());
  const isRefused = (error: unknown) => error instanceof CommandError && error.code === "unauthorized";
  await assert.rejects(stream.renew(await other.logIn()), isRefused);
});

test("a token that opens nothing is replaced by one that does", async () => {
  const player = await sandbox.player();
  const stream = open({ token: "pst_test_nobody", getToken: () => player.logIn() });
  const waits = listen<string>((listener) =>
    stream.on("state", (state) => state.state === "waiting" && listener(state.reason)),
  );
  await stream.ping();
  assert.equal(waits.heard.length, 1);
  assert.match(waits.heard[0] ?? "", /401/);
});

test("the WebSocket of browsers, which newer Nodes have, fits as it is", async (t) => {
  const own: SocketClass | undefined = globalThis.WebSocket;
  if (!own) return t.skip("there is no global WebSocket in this Node");
  const player = await sandbox.player();
  const stream = open({ token: await player.logIn(), WebSocket: own });
  const events = eventsOf(stream);
  await stream.ping();
  await player.bet("b1");
  await events.until((heard) => betsAmong(heard).length === 1);
});

test("topics are chosen at connect, and changed on the open stream", async () => {
  const player = await sandbox.player();
  const stream = open({ token: await player.logIn(), types: ["balance"] });
  const events = eventsOf(stream);
  const balances = listen<number>((listener) => stream.on("balance", ({ seq }) => listener(seq)));
  await stream.ping();
  await player.bet("b1");
  await balances.until((heard) => heard.length === 1);
  assert.equal(stream.wallets.get("EUR")?.cash, "999.00");
  await stream.subscribe(["*"]);
  await player.bet("b2");
  await events.until((heard) => betsAmong(heard).length === 1);
  assert.deepEqual(betsAmong(events.heard), ["b2"]);
  assert.deepEqual(await stream.unsubscribe(["*", "balance"]), []);
});

test("the types of events are those of the server's contract", async (t) => {
  const address = `${sandbox.at.api}/asyncapi.json`;
  const { status } = await fetch(address);
  if (status === 404) return t.skip("this server has no /asyncapi.json");
  const made = join(sandbox.data, "events.ts");
  const script = fileURLToPath(new URL("scripts/generate.mjs", PACKAGE));
  await promisify(execFile)(process.execPath, [script, address, made]);
  const kept = await readFile(new URL("src/events.ts", PACKAGE), "utf8");
  assert.equal(await readFile(made, "utf8"), kept, "run: npm run generate -- ADDRESS/asyncapi.json");
});
