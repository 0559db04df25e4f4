import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../src/index.js";
import { bet, EPOCH, event, FakeSocket, heardBy, round, URL, wallet, World } from "./support/world.js";

test("events come in order to those who listen for all, and for their type", async () => {
  const world = new World();
  const stream = await world.connect();
  const heard = heardBy(stream);
  const amounts: string[] = [];
  const stop = stream.on("wallet.bet_debited", ({ data }) => amounts.push(data.amount));
  world.socket.snapshot(12);
  world.socket.says(bet(13));
  world.socket.says(event(14, "game.round_opened", round("r")));
  stop();
  world.socket.says(bet(15));
  assert.deepEqual(heard, [13, 14, 15]);
  assert.deepEqual(amounts, ["10.00"]);
  assert.deepEqual(stream.position, { seq: 15, epoch: EPOCH });
});

test("the token is in the subprotocols and never in the URL", async () => {
  const world = new World();
  await world.connect({ types: ["wallet.*", "balance"] });
  assert.deepEqual(world.socket.protocols, ["pitboss.v1", "pst_test_1"]);
  assert.deepEqual([...world.socket.url], [["types", "wallet.*,balance"]]);
});

test("wallets and open rounds follow the snapshot, events and balances", async () => {
  const world = new World();
  const stream = await world.connect();
  world.socket.snapshot(1, { open_rounds: [round("old")] });
  assert.equal(stream.wallets.get("EUR")?.cash, "100.00");
  world.socket.says(event(2, "game.round_opened", round("new")));
  world.socket.says(bet(3, "90.00"));
  world.socket.says(event(4, "game.round_closed", { ...round("old"), state: "closed" }));
  world.socket.says(event(5, "wallet.account_opened", { currency: "SEK", balance: { ...wallet("0.00"), currency: "SEK" } }));
  assert.equal(stream.wallets.get("EUR")?.cash, "90.00");
  assert.deepEqual([...stream.wallets.keys()], ["EUR", "SEK"]);
  assert.deepEqual(stream.openRounds.map(({ round }) => round), ["new"]);
  const balances: number[] = [];
  stream.on("balance", ({ seq }) => balances.push(seq));
  world.socket.says({ type: "balance", seq: 5, wallets: [{ currency: "EUR", cash: "1.00", bonus: "0.00", total: "1.00" }] });
  assert.deepEqual(balances, [5]);
  assert.equal(stream.wallets.get("EUR")?.cash, "1.00");
});

test("what comes again is dropped", async () => {
  const world = new World();
  const stream = await world.connect();
  const heard = heardBy(stream);
  world.socket.snapshot(12);
  for (const seq of [12, 13, 13, 1, 14]) world.socket.says(bet(seq, `${seq}.00`));
  assert.deepEqual(heard, [13, 14]);
  assert.equal(stream.wallets.get("EUR")?.cash, "14.00");
});

test("a hole is never given out: the client resumes before it", async () => {
  const world = new World();
  const stream = await world.connect();
  const heard = heardBy(stream);
  const first = world.socket;
  first.snapshot(12);
  first.says(bet(13));
  first.says(bet(15));
  assert.ok(first.isClosed);
  first.says(bet(14));
  await world.advance(500);
  assert.equal(world.sockets.length, 2);
  assert.deepEqual([...world.socket.url], [["after", "13"], ["epoch", EPOCH]]);
  world.socket.says({ type: "resumed", seq: 15, epoch: EPOCH, recovered: true });
  assert.deepEqual(stream.state, { state: "open", recovered: true });
  world.socket.says(bet(14));
  world.socket.says(bet(15));
  assert.deepEqual(heard, [13, 14, 15]);
});

test("an answer that is further than the events shows a hole, too", async () => {
  const world = new World();
  const stream = await world.connect();
  world.socket.snapshot(12);
  world.socket.says({ type: "pong", seq: 12 });
  assert.equal(stream.state.state, "open");
  world.socket.says({ type: "pong", seq: 14 });
  assert.equal(stream.state.state, "waiting");
  assert.equal(stream.position?.seq, 12);
});

test("where not everything is heard gaps mean nothing, and answers tell the position", async () => {
  const world = new World();
  const stream = await world.connect({ types: ["wallet.*"] });
  const heard = heardBy(stream);
  world.socket.snapshot(12);
  world.socket.says(bet(14));
  world.socket.says(bet(17));
  world.socket.says({ type: "pong", seq: 20 });
  assert.deepEqual(heard, [14, 17]);
  world.socket.closes(1006);
  await world.advance(500);
  assert.equal(world.socket.url.get("after"), "20");
  world.socket.says({ type: "resumed", seq: 20, epoch: EPOCH, recovered: true });
  world.socket.says(bet(20));
  world.socket.says(bet(23));
  assert.deepEqual(heard, [14, 17, 23]);
});

test("the number of `resumed` is no position: a break before its events asks for them again", async () => {
  const world = new World();
  const stream = await world.connect();
  const heard = heardBy(stream);
  world.socket.snapshot(1);
  world.socket.closes(4000, "going_away;retry_ms=5");
  await world.advance(5);
  world.socket.says({ type: "resumed", seq: 9, epoch: EPOCH, recovered: true });
  world.socket.says(bet(2));
  world.socket.closes(4000, "going_away;retry_ms=5");
  await world.advance(5);
  assert.equal(world.socket.url.get("after"), "2");
  assert.deepEqual(heard, [2]);
});

test("what cannot be recovered is a new snapshot, and it replaces everything", async () => {
  const world = new World();
  const stream = await world.connect();
  const heard = heardBy(stream);
  const snapshots: unknown[] = [];
  stream.on("snapshot", ({ seq, recovered }) => snapshots.push([seq, recovered]));
  world.socket.snapshot(500, { open_rounds: [round("gone")] });
  world.socket.closes(1006);
  await world.advance(500);
  // Another database: its numbers are lower.
  world.socket.snapshot(3, { epoch: "other", recovered: false, wallets: [wallet("7.00")] });
  world.socket.says(bet(4, "6.00"));
  assert.deepEqual(snapshots, [[500, undefined], [3, false]]);
  assert.deepEqual(heard, [4]);
  assert.deepEqual(stream.openRounds, []);
  assert.deepEqual(stream.position, { seq: 4, epoch: "other" });
});

test("an event of an unknown type or version is told apart, and counts", async () => {
  const world = new World();
  const stream = await world.connect();
  const heard = heardBy(stream);
  const unknown: unknown[] = [];
  stream.on("unknown", ({ type, version }) => unknown.push([type, version]));
  world.socket.snapshot(1);
  world.socket.says(event(2, "wallet.invented", {}));
  world.socket.says({ ...bet(3, "1.00"), version: 99 });
  world.socket.says(bet(4, "80.00"));
  assert.deepEqual(unknown, [["wallet.invented", 1], ["wallet.bet_debited", 99]]);
  assert.deepEqual(heard, [4]);
  assert.equal(stream.state.state, "open");
});

test("unknown messages and fields are ignored, what is no message is a broken connection", async () => {
  const world = new World();
  const stream = await world.connect();
  world.socket.snapshot(1, { more: true });
  world.socket.says({ type: "news", text: "x" });
  assert.equal(stream.state.state, "open");
  world.socket.onmessage?.({ data: "<html>" } as never);
  assert.equal(stream.state.state, "waiting");
});

test("a listener's error disturbs nobody else, and is not hidden", async (t) => {
  const world = new World();
  const stream = await world.connect();
  const thrown = t.mock.method(globalThis, "queueMicrotask", () => {});
  stream.on("event", () => {
    throw new Error("a bug");
  });
  const heard = heardBy(stream);
  world.socket.snapshot(1);
  world.socket.says(bet(2));
  world.socket.says(bet(3));
  assert.deepEqual(heard, [2, 3]);
  const [rethrow] = thrown.mock.calls[0]!.arguments as unknown as [() => void];
  assert.throws(rethrow, /a bug/);
});

test("what is missing at the start is said at once", () => {
  assert.throws(() => connect({ url: URL, WebSocket: FakeSocket as never }), /token or getToken/);
  assert.throws(() => connect({ url: "/v1/stream", token: "t", WebSocket: FakeSocket as never }), /Invalid URL/);
  if (!("WebSocket" in globalThis)) assert.throws(() => connect({ url: URL, token: "t" }), /pass one/);
});
