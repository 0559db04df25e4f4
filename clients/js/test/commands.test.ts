import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandError, ConnectionLostError, StreamError, TimeoutError } from "../src/errors.js";
import { bet, EPOCH, heardBy, settled, wallet, World } from "./support/world.js";

async function open() {
  const world = new World();
  const stream = await world.connect({ timeoutMs: 3000, heartbeatMs: 1_000_000 });
  world.socket.snapshot(1);
  return { world, stream };
}

test("each command is answered under its own id", async () => {
  const { world, stream } = await open();
  const ping = stream.ping();
  assert.deepEqual(world.socket.sent.at(-1), { type: "ping", id: 1 });
  world.socket.answers({ type: "pong", seq: 1 });
  await ping;
  const balance = stream.balance();
  world.socket.answers({ type: "balance", seq: 1, wallets: [wallet("5.00")] });
  assert.deepEqual(await balance, [wallet("5.00")]);
  // The answer may be newer than the events that were heard: what is shown follows those.
  assert.equal(stream.wallets.get("EUR")?.cash, "100.00");
  const launch = stream.launch({ game: "dice", currency: "EUR" });
  assert.deepEqual(world.socket.sent.at(-1), { type: "launch", game: "dice", currency: "EUR", id: 3 });
  const game = { url: "https://game", token: "t", session: "s", expires_at: "2026-01-01T12:00:00Z" };
  world.socket.answers({ type: "launched", seq: 1, ...game });
  assert.deepEqual(await launch, game);
});

test("a refusal has the server's code, and changes nothing", async () => {
  const { world, stream } = await open();
  const launch = stream.launch({ game: "chess" });
  world.socket.answers({ type: "error", code: "unknown_game", detail: "there is no such game" });
  const isIt = (error: unknown) =>
    error instanceof CommandError && error.code === "unknown_game" && error.message === "there is no such game";
  await assert.rejects(launch, isIt);
  assert.equal(stream.state.state, "open");
});

test("a command without an answer ends with its time, and its late answer is nobody's", async () => {
  const { world, stream } = await open();
  const balances: unknown[] = [];
  stream.on("balance", (changed) => balances.push(changed));
  const late = assert.rejects(stream.balance(), TimeoutError);
  const { id } = world.socket.sent.at(-1)!;
  await world.advance(2999);
  world.socket.says({ type: "news" });
  await world.advance(1);
  await late;
  const ping = stream.ping();
  world.socket.says({ type: "balance", id, seq: 1, wallets: [wallet("5.00")] });
  world.socket.answers({ type: "pong", seq: 1 });
  await ping;
  assert.deepEqual(balances, []);
});

test("what was sent over a connection that broke is not sent again; what was not, is", async () => {
  const { world, stream } = await open();
  const lost = assert.rejects(stream.launch({ game: "dice" }), ConnectionLostError);
  const ping = stream.ping();
  world.socket.closes(4000, "going_away;retry_ms=10");
  await lost;
  await world.advance(10);
  assert.deepEqual(world.socket.sent, []);
  world.socket.says({ type: "resumed", seq: 1, epoch: EPOCH, recovered: true });
  assert.deepEqual(world.socket.sent, [{ type: "ping", id: 2 }]);
  world.socket.answers({ type: "pong", seq: 1 });
  await ping;
});

test("a command waits for a connection, but not for ever", async () => {
  const world = new World();
  const stream = await world.connect({ timeoutMs: 3000 });
  world.socket.closes(4000, "going_away;retry_ms=5000");
  const late = assert.rejects(stream.ping(), TimeoutError);
  await world.advance(3000);
  await late;
  await world.advance(2000);
  world.socket.snapshot(1);
  assert.deepEqual(world.socket.sent, []);
});

test("one command is under way at a time, and ten in a second at most", async () => {
  const { world, stream } = await open();
  const pings = Array.from({ length: 12 }, () => stream.ping());
  const sent = () => world.socket.sent.length;
  await settled();
  assert.equal(sent(), 1);
  for (let count = 1; count <= 10; count++) world.socket.answers({ type: "pong", seq: 1 });
  assert.equal(sent(), 10);
  await world.advance(999);
  assert.equal(sent(), 10);
  await world.advance(1);
  assert.equal(sent(), 11);
  world.socket.answers({ type: "pong", seq: 1 });
  world.socket.answers({ type: "pong", seq: 1 });
  await Promise.all(pings);
});

test("more commands than may wait are refused at once", async () => {
  const { stream } = await open();
  const all = Array.from({ length: 101 }, () => stream.ping().catch(() => {}));
  await assert.rejects(stream.ping(), (error: unknown) => error instanceof StreamError && error.code === "busy");
  stream.close();
  await Promise.all(all);
});

test("a renewed token is the one to come back with", async () => {
  const { world, stream } = await open();
  const renewed = stream.renew("pst_test_2");
  assert.deepEqual(world.socket.sent.at(-1), { type: "authenticate", token: "pst_test_2", id: 1 });
  world.socket.answers({ type: "authenticated", seq: 1, expires_at: "2026-01-02T12:00:00Z" });
  assert.deepEqual(await renewed, { expires_at: "2026-01-02T12:00:00Z" });
  const refused = assert.rejects(stream.renew("pst_test_3"), CommandError);
  world.socket.answers({ type: "error", code: "unauthorized" });
  await refused;
  world.socket.closes(1006);
  await world.advance(500);
  assert.equal(world.socket.protocols[1], "pst_test_2");
});

test("topics change with the server's answer, before the next event is looked at", async () => {
  const { world, stream } = await open();
  const heard = heardBy(stream);
  const fewer = stream.unsubscribe(["game.*"]);
  // Both in one go, as a library may hand them over.
  world.socket.answers({ type: "subscribed", seq: 1, types: ["wallet.*"] });
  world.socket.says(bet(3));
  assert.deepEqual(await fewer, ["wallet.*"]);
  const all = stream.subscribe(["*", "balance"]);
  world.socket.answers({ type: "subscribed", seq: 5, types: ["wallet.*", "game.*", "balance"] });
  world.socket.says(bet(6));
  assert.deepEqual(heard, [3, 6]);
  await all;
  // From here on a gap is a hole again.
  world.socket.says(bet(8));
  assert.equal(stream.state.state, "waiting");
  await world.advance(500);
  assert.deepEqual([...world.socket.url], [["after", "6"], ["epoch", EPOCH], ["types", "*,balance"]]);
});

test("a connection that comes back hears of the same as before", async () => {
  const { world, stream } = await open();
  const none = stream.unsubscribe(["*"]);
  world.socket.answers({ type: "subscribed", seq: 1, types: [] });
  await none;
  world.socket.closes(1006);
  await world.advance(500);
  assert.equal(world.socket.url.get("types"), "");
});
