// Coming back, staying alive, and ending.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ClosedError, ConnectionLostError, SlowReaderError } from "../src/errors.js";
import { bet, heardBy, settled, waiting, World } from "./support/world.js";

test("the pause that the server asks for is kept, also when the network comes back", async () => {
  const world = new World();
  const stream = await world.connect();
  world.socket.snapshot(1);
  world.socket.closes(4000, "going_away;retry_ms=1500");
  assert.deepEqual(waiting(stream), { state: "waiting", retryMs: 1500, code: 4000, reason: "going_away;retry_ms=1500" });
  world.wake();
  await world.advance(1499);
  assert.equal(world.sockets.length, 1);
  await world.advance(1);
  assert.equal(world.sockets.length, 2);
});

test("without a hint the pause grows with each failure, and a wake cuts it short", async () => {
  const world = new World();
  world.chance = 0.999;
  const stream = await world.connect();
  for (const bound of [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
    world.socket.closes(1006);
    assert.equal(waiting(stream).retryMs, bound * 0.999);
    await world.advance(bound);
  }
  world.socket.closes(1006);
  const before = world.sockets.length;
  world.wake();
  await settled();
  assert.equal(world.sockets.length, before + 1);
  await world.advance(5_000);
  assert.equal(world.sockets.length, before + 1);
});

test("failures are forgiven by a connection that lasts, not by one that only opens", async () => {
  const world = new World();
  world.chance = 0.999;
  const stream = await world.connect();
  const failAfter = async (ms: number) => {
    world.socket.snapshot(1);
    await world.advance(ms);
    world.socket.closes(1006);
    const { retryMs } = waiting(stream);
    await world.advance(retryMs);
    return Math.round(retryMs);
  };
  assert.equal(await failAfter(0), 500);
  assert.equal(await failAfter(9_999), 999);
  assert.equal(await failAfter(10_000), 500);
});

test("a connection that is not greeted in time is given up", async () => {
  const world = new World();
  const stream = await world.connect({ timeoutMs: 3000 });
  await world.advance(2999);
  assert.equal(stream.state.state, "connecting");
  await world.advance(1);
  assert.equal(waiting(stream).reason, "no answer");
  assert.ok(world.socket.isClosed);
});

test("a heartbeat notices a dead connection, and leaves a live one alone", async () => {
  const world = new World();
  const stream = await world.connect({ heartbeatMs: 20_000, timeoutMs: 3000 });
  world.socket.snapshot(1);
  for (let beat = 1; beat <= 3; beat++) {
    await world.advance(20_000);
    assert.equal(world.socket.sent.length, beat);
    assert.deepEqual(world.socket.sent.at(-1), { type: "ping" });
    world.socket.says({ type: "pong", seq: 1 });
  }
  await world.advance(20_000);
  await world.advance(2_999);
  assert.equal(stream.state.state, "open");
  await world.advance(1);
  assert.equal(waiting(stream).reason, "no answer");
});

test("a wake asks an open connection whether it is alive", async () => {
  const world = new World();
  const stream = await world.connect({ timeoutMs: 3000 });
  world.socket.snapshot(1);
  world.wake();
  assert.deepEqual(world.socket.sent, [{ type: "ping" }]);
  await world.advance(3000);
  assert.equal(stream.state.state, "waiting");
});

test("a session that ends is followed by one with a new token, from the same position", async () => {
  const world = new World();
  let made = 0;
  const stream = await world.connect({ getToken: async () => `token-${++made}` });
  const heard = heardBy(stream);
  for (const [index, code] of [4102, 4104].entries()) {
    assert.deepEqual(world.socket.protocols, ["pitboss.v1", `token-${index + 1}`]);
    if (index === 0) world.socket.snapshot(1);
    else world.socket.says({ type: "resumed", seq: 2, epoch: "e", recovered: true });
    world.socket.says(bet(index + 2));
    world.socket.closes(code);
    await world.advance(1000);
  }
  assert.equal(world.socket.url.get("after"), "3");
  assert.deepEqual(heard, [2, 3]);
  // Another reason is no reason for another token.
  world.socket.says({ type: "resumed", seq: 3, epoch: "e", recovered: true });
  world.socket.closes(4000, "going_away;retry_ms=1");
  await world.advance(1);
  assert.deepEqual(world.socket.protocols, ["pitboss.v1", "token-3"]);
});

test("an upgrade that is refused may be the token's fault", async () => {
  const world = new World();
  let made = 0;
  await world.connect({ token: "stale", getToken: async () => `token-${++made}` });
  assert.equal(world.socket.protocols[1], "stale");
  world.socket.closes(1006);
  await world.advance(500);
  assert.equal(world.socket.protocols[1], "token-1");
});

test("a token that is not to be had is asked for again", async () => {
  const world = new World();
  const error = new Error("the backend is away");
  let asked = 0;
  const getToken = async () => {
    if (++asked < 3) throw error;
    return "token";
  };
  const stream = await world.connect({ getToken });
  assert.equal(waiting(stream).error, error);
  await world.advance(500);
  await world.advance(1000);
  assert.equal(asked, 3);
  assert.equal(world.sockets.length, 1);
});

test("a code that says not to come back ends everything", async () => {
  for (const code of [4100, 4101, 4102, 4103, 4104]) {
    const world = new World();
    const stream = await world.connect();
    const loop = stream[Symbol.asyncIterator]();
    world.socket.snapshot(1);
    const isClosed = (error: unknown) => error instanceof ClosedError && error.closeCode === code;
    const underWay = assert.rejects(stream.balance(), ConnectionLostError);
    const waits = assert.rejects(stream.balance(), isClosed);
    world.socket.closes(code, "reason");
    await Promise.all([underWay, waits]);
    await assert.rejects(stream.ping(), isClosed);
    assert.equal((await loop.next()).value?.type, "snapshot");
    await assert.rejects(loop.next(), isClosed);
    assert.deepEqual(stream.state, { state: "closed", code, reason: "reason" });
    await world.advance(100_000);
    assert.equal(world.sockets.length, 1);
    assert.equal(world.pending, 0);
  }
});

test("close() ends it in every state, and nothing is left behind", async () => {
  const before: Record<string, (world: World) => unknown> = {
    connecting: () => {},
    open: (world) => world.socket.snapshot(1),
    waiting: (world) => world.socket.closes(1006),
  };
  for (const [state, prepare] of Object.entries(before)) {
    const world = new World();
    const stream = await world.connect();
    prepare(world);
    assert.equal(stream.state.state, state);
    // Sent at once, if there is a connection; the other one waits.
    const first = assert.rejects(stream.ping(), state === "open" ? ConnectionLostError : ClosedError);
    const second = assert.rejects(stream.ping(), ClosedError);
    stream.close();
    stream.close();
    await Promise.all([first, second]);
    assert.deepEqual(stream.state, { state: "closed", code: 1000, reason: "" });
    assert.ok(state === "waiting" || world.socket.isClosed);
    assert.equal(world.pending, 0);
  }
});

test("a token that comes after close() opens nothing", async () => {
  const world = new World();
  let give = (_: string) => {};
  const stream = await world.connect({ getToken: () => new Promise((resolve) => (give = resolve)) });
  stream.close();
  give("token");
  await settled();
  assert.equal(world.sockets.length, 0);
});

test("for await gets snapshots and events, and ends with close()", async () => {
  const world = new World();
  const stream = await world.connect();
  const read: unknown[] = [];
  const loop = (async () => {
    for await (const message of stream) read.push([message.type, message.seq]);
  })();
  world.socket.snapshot(1);
  world.socket.says(bet(2));
  await settled();
  world.socket.says(bet(3));
  stream.close();
  await loop;
  assert.deepEqual(read, [["snapshot", 1], ["wallet.bet_debited", 2], ["wallet.bet_debited", 3]]);
  for await (const message of stream) assert.fail(message.type);
});

test("a loop that is left keeps nothing, and one that is too slow is told", async () => {
  const world = new World();
  const stream = await world.connect();
  world.socket.snapshot(0);
  const slow = stream[Symbol.asyncIterator]();
  const left = stream[Symbol.asyncIterator]();
  await left.return?.();
  for (let seq = 1; seq <= 10_001; seq++) world.socket.says(bet(seq));
  assert.equal((await left.next()).done, true);
  for (let seq = 1; seq <= 10_000; seq++) assert.equal((await slow.next()).value?.seq, seq);
  await assert.rejects(slow.next(), SlowReaderError);
  assert.equal((await slow.next()).done, true);
});
