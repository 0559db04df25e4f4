import assert from "node:assert/strict";
import { test } from "node:test";
import { pauseMs, verdict } from "../src/reconnect.js";

test("a code of the first range comes back when the server says", () => {
  for (const code of [4000, 4001, 4002, 4003, 4050, 4099]) {
    assert.deepEqual(verdict(code, "going_away;retry_ms=1500", false), { kind: "reconnect", hintMs: 1500 });
    assert.deepEqual(verdict(code, "going_away", true), { kind: "reconnect" });
  }
});

test("a code of the second range ends the stream, known or not", () => {
  for (const code of [4100, 4101, 4102, 4103, 4104, 4150, 4199]) {
    assert.deepEqual(verdict(code, "x;retry_ms=1", false), { kind: "stop" });
  }
});

test("another token helps where the token was the reason, and nowhere else", () => {
  for (const code of [4102, 4104]) assert.deepEqual(verdict(code, "", true), { kind: "renew" });
  for (const code of [4100, 4101, 4103, 4199]) assert.deepEqual(verdict(code, "", true), { kind: "stop" });
});

test("codes of WebSocket itself, and of nobody, come back without a hint", () => {
  for (const code of [1000, 1001, 1005, 1006, 1011, 3999, 4200, 4999]) {
    assert.deepEqual(verdict(code, "x;retry_ms=1", true), { kind: "reconnect" });
  }
});

test("a hint that is none is not taken, and a long one is cut", () => {
  for (const reason of ["", "retry_ms=5", "x;retry_ms=", "x;retry_ms=-5", "x;retry_ms=1e9", "x;retry_ms=99999999999"]) {
    assert.deepEqual(verdict(4000, reason, false), { kind: "reconnect" }, reason);
  }
  assert.deepEqual(verdict(4000, "x;retry_ms=999999999", false), { kind: "reconnect", hintMs: 300_000 });
  assert.deepEqual(verdict(4000, "x;retry_ms=0;more=1", false), { kind: "reconnect", hintMs: 0 });
});

test("a pause is anything up to a bound that doubles to its maximum", () => {
  const backoff = { baseMs: 500, maxMs: 30_000 };
  const bounds = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
  for (const [failures, bound] of bounds.entries()) {
    assert.equal(pauseMs(failures, backoff, () => 0), 0);
    assert.equal(pauseMs(failures, backoff, () => 0.5), bound / 2);
    assert.ok(pauseMs(failures, backoff, () => 1 - Number.EPSILON) < bound);
  }
  assert.equal(pauseMs(100_000, backoff, () => 0.5), 15_000);
});
