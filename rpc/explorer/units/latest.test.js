import assert from "node:assert/strict";
import test from "node:test";

import { Latest } from "../static/js/latest.js";
import { Resource } from "../static/js/resource.js";

test("an answer to an older question never takes the place of a newer one", () => {
  const latest = new Latest();
  const [first, second, third] = [latest.begin(), latest.begin(), latest.begin()];
  assert.equal(latest.record(second), true);
  assert.equal(latest.record(first), false);
  assert.equal(latest.isWaiting(), true);
  assert.equal(latest.record(third), true);
  assert.equal(latest.isWaiting(), false);
});

test("an answer about a lower block is not shown, even to a newer question", () => {
  const latest = new Latest();
  assert.equal(latest.record(latest.begin(), 10), true);
  assert.equal(latest.record(latest.begin(), 9), false);
  assert.equal(latest.record(latest.begin(), 10), true);
});

/** A resource whose answers come when the test says so. */
function slow(options) {
  const waiting = [];
  const load = () => new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  const resource = new Resource(load, () => {}, options);
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { resource, waiting, settled };
}

test("a late answer changes nothing, and neither does a late failure", async () => {
  const { resource, waiting, settled } = slow();
  resource.refresh();
  resource.refresh();
  waiting[1].resolve("new");
  await settled();
  waiting[0].resolve("old");
  await settled();
  assert.equal(resource.value, "new");
  waiting[2].resolve("newest");
  await settled();
  resource.refresh();
  resource.refresh();
  waiting[4].resolve("last");
  await settled();
  waiting[3].reject(new Error("late"));
  await settled();
  assert.equal(resource.value, "last");
  assert.equal(resource.failure, undefined);
});

test("what was shown stays with its time when the node stops answering", async () => {
  const { resource, waiting, settled } = slow();
  waiting[0].resolve("known");
  await settled();
  const since = resource.sinceMs;
  resource.refresh();
  waiting[1].reject(new Error("gone"));
  await settled();
  assert.equal(resource.value, "known");
  assert.equal(resource.failure.message, "gone");
  assert.equal(resource.sinceMs, since);
  resource.refresh();
  waiting[2].resolve("again");
  await settled();
  assert.equal(resource.failure, undefined);
});

test("a closed page takes no answer any more", async () => {
  const { resource, waiting, settled } = slow({ everyMs: 1 });
  resource.close();
  waiting[0].resolve("too late");
  await settled();
  await resource.refresh();
  assert.equal(waiting.length, 1);
});
