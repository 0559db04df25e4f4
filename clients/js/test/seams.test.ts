import assert from "node:assert/strict";
import { test } from "node:test";
import { realSeams } from "../src/seams.js";

test("a page wakes the stream when it is online again or looked at, until that is ended", (t) => {
  const [page, document] = [new EventTarget(), Object.assign(new EventTarget(), { visibilityState: "hidden" })];
  const added = {
    addEventListener: page.addEventListener.bind(page),
    removeEventListener: page.removeEventListener.bind(page),
    document,
  };
  Object.assign(globalThis, added);
  t.after(() => {
    for (const name of Object.keys(added)) Reflect.deleteProperty(globalThis, name);
  });
  let wakes = 0;
  const end = realSeams.onWake(() => wakes++);
  page.dispatchEvent(new Event("online"));
  assert.equal(wakes, 1);
  document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(wakes, 1);
  document.visibilityState = "visible";
  document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(wakes, 2);
  end();
  page.dispatchEvent(new Event("online"));
  document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(wakes, 2);
});

test("where there is no page nothing wakes, and nothing breaks", () => {
  realSeams.onWake(() => assert.fail())();
});

test("what was put off can be called off", async () => {
  const called: string[] = [];
  realSeams.after(1, () => called.push("off"))();
  await new Promise<void>((resolve) => void realSeams.after(2, resolve));
  assert.deepEqual(called, []);
});
