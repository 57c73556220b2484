import assert from "node:assert/strict";
import { test } from "node:test";

import { fromBase64, Invalid, toHex } from "../src/bytes.js";
import { Batcher } from "../src/batcher.js";
import { FateOpen, Refused } from "../src/errors.js";
import { fateOf, isNewIdSafe } from "../src/fate.js";
import { batchId } from "../src/sign.js";
import { Client } from "../src/rpc.js";
import { collectItem, orderId, rechargeItem } from "../src/wire.js";
import { GENESIS, GENESIS_TIME_MS } from "./vectors.js";

const SIGNATORY = { id: 201, seed: new Uint8Array(32).fill(201) };
const item = () => collectItem(orderId(101));

/** A client whose submissions go to `answer`, and what was submitted. */
function recording(answer) {
  const sent = [];
  const submit = async (batch) => {
    sent.push(batch);
    return answer(batch, sent.length);
  };
  return { client: { submit }, sent };
}

/** A final report; `others` are the items that were not applied. */
function final(batch, others = []) {
  const count = batch[40];
  const not_applied = others.map((each) => ({ name: "", ...each }));
  return { batch_id: "", state: "final", height: 7, outcomes: { item_count: count, not_applied } };
}

function batcher(client, options) {
  const wallClockMs = () => GENESIS_TIME_MS;
  return new Batcher(client, GENESIS.chainId, "collect", SIGNATORY, { wallClockMs, ...options });
}

const refused = (code, transient = false) => new Refused("http://a", code, "no", { transient });

test("a batch goes out when it is full, and what is left by age", async () => {
  const { client, sent } = recording((batch) => final(batch));
  const gathering = batcher(client, { itemsMax: 3, ageMs: 5 });
  const results = await Promise.all(Array.from({ length: 7 }, () => gathering.add(item())));
  assert.deepEqual(sent.map((batch) => (batch.length - 148) / 64), [3, 3, 1]);
  assert.ok(results.every(({ isApplied, height }) => isApplied && height === 7));
});

test("flush sends what waits and waits for its fate", async () => {
  const { client, sent } = recording((batch) => final(batch));
  const gathering = batcher(client, { ageMs: 1_000_000 });
  const result = gathering.add(item());
  await gathering.flush();
  assert.equal(sent.length, 1);
  assert.ok((await result).isApplied);
});

test("a batch is kept before it is sent", async () => {
  const order = [];
  const { client } = recording((batch) => {
    order.push(["sent", toHex(batchId(batch.slice(0, 84)))]);
    return final(batch);
  });
  const keep = async (batch) => order.push(["kept", toHex(batchId(batch.slice(0, 84)))]);
  await batcher(client, { keep, ageMs: 0 }).add(item());
  assert.deepEqual(order.map(([what]) => what), ["kept", "sent"]);
  assert.equal(order[0][1], order[1][1]);
});

test("a batch that is too old is signed anew with the same items", async () => {
  for (const code of [112, 115, 1017]) {
    const { client, sent } = recording((batch, count) => {
      if (count === 1) throw refused(code);
      return final(batch);
    });
    let nowMs = GENESIS_TIME_MS;
    const wallClockMs = () => {
      nowMs += 1_000n;
      return nowMs;
    };
    const result = await batcher(client, { wallClockMs, ageMs: 0 }).add(item());
    assert.ok(result.isApplied);
    assert.equal(sent.length, 2);
    assert.notDeepEqual(sent[0].slice(0, 148), sent[1].slice(0, 148));
    assert.deepEqual(sent[0].slice(148), sent[1].slice(148));
  }
  const { client, sent } = recording(() => {
    throw refused(112);
  });
  await assert.rejects(batcher(client, { ageMs: 0 }).add(item()), Refused);
  assert.equal(sent.length, 4);
});

test("of an order whose fate is unknown, no new id is safe", async () => {
  for (const error of [new FateOpen(1, "cut"), refused(1016), refused(1008), refused(-32603)]) {
    const { client, sent } = recording(() => {
      throw error;
    });
    const result = await batcher(client, { ageMs: 0 }).add(item());
    assert.deepEqual(
      [result.isOpen, result.isApplied, result.newIdIsSafe, result.code],
      [true, false, false, null]);
    assert.deepEqual(result.batch, sent[0]);
  }
});

test("a whole batch that was refused says nothing of its orders", async () => {
  const { client } = recording(() => {
    throw refused(109);
  });
  await assert.rejects(batcher(client, { ageMs: 0 }).add(item()), { code: 109, isRefusal: true });
});

test("each item has the outcome of its place", async () => {
  const standing = (status, more) => ({ status, new_id_is_safe: false, remedy: "", ...more });
  const { client } = recording((batch) => final(batch, [
    { item_index: 1, code: 210 },
    { item_index: 2, code: 1, standing: standing("arrived") },
    { item_index: 3, code: 203, standing: standing("not-found", { new_id_is_safe: true }) },
    { item_index: 4, code: 1, standing: standing("collected", { same_content: false }) },
    { item_index: 5, code: 203, standing: standing("rejected") },
  ]));
  const gathering = batcher(client, { ageMs: 0 });
  const results = await Promise.all(Array.from({ length: 6 }, () => gathering.add(item())));
  assert.deepEqual(results.map(({ isApplied }) => isApplied),
    [true, false, true, false, false, false]);
  assert.deepEqual(results.map(({ newIdIsSafe }) => newIdIsSafe),
    [false, false, false, true, false, false]);
});

test("an old order that the node did not look up is open, and asked for by its id", async () => {
  const { client } = recording((batch) => final(batch, [{ item_index: 0, code: 1 }]));
  const said = await batcher(client, { ageMs: 0 }).add(item());
  assert.deepEqual([said.isApplied, said.isOpen], [true, false]);
  const order = rechargeItem({
    id: orderId(201), merchant: 1n, gateway: 201, amountMinor: 1n, currency: 156,
  });
  const orders = new Batcher(client, GENESIS.chainId, "recharge", SIGNATORY, { ageMs: 0 });
  const asked = await orders.add(order);
  assert.deepEqual([asked.isApplied, asked.isOpen, asked.newIdIsSafe], [false, true, false]);
});

test("what each request carries besides goes out with it", async () => {
  let sent;
  const fetch = async (url, { headers, body }) => {
    sent = headers;
    const { id } = JSON.parse(body);
    return new Response(JSON.stringify({ jsonrpc: "2.0", id, result: "x" }));
  };
  await new Client(["http://a/"], { fetch, headers: { authorization: "x" } }).call("chain_id", {});
  assert.deepEqual(sent, { authorization: "x", "content-type": "application/json" });
});

test("an item of another kind is refused before it is signed", async () => {
  const { client, sent } = recording((batch) => final(batch));
  await assert.rejects(batcher(client).add(new Uint8Array(128)), Invalid);
  assert.equal(sent.length, 0);
  assert.throws(() => new Batcher(client, GENESIS.chainId, "nothing", SIGNATORY), Invalid);
});

test("the fate of an order is what its status and the searched heights say", () => {
  const report = (status, may = false) =>
    ({ status, searched: { to_height: 50, may_still_commit: may } });
  for (const [status, may, fate] of [
    ["collected", false, "settled"], ["instructed", false, "settled"],
    ["arrived", false, "settled"], ["reserved", false, "waiting"], ["debiting", false, "waiting"],
    ["held", false, "waiting"], ["voided", false, "ended"], ["returned", false, "ended"],
    ["rejected", false, "rejected"], ["not-found", false, "never"], ["not-found", true, "open"],
    ["a name that was added", false, "open"],
  ]) {
    assert.equal(fateOf(report(status, may)), fate);
    assert.equal(fateOf(report(status, may), 51), "behind");
    assert.equal(isNewIdSafe(fateOf(report(status, may))), ["never", "rejected"].includes(fate));
  }
  assert.ok(!isNewIdSafe("behind") && !isNewIdSafe("open"));
});

/** A client of one node that answers by `answer`. */
function answering(answer) {
  let nowMs = 0;
  const fetch = async (url, { body }) => {
    const { id, method, params } = JSON.parse(body);
    return new Response(JSON.stringify({ jsonrpc: "2.0", id, ...answer(method, params, url) }));
  };
  const sleep = async (milliseconds) => {
    nowMs += milliseconds;
  };
  return new Client(["http://a/", "http://b/"], { fetch, sleep, nowMs: () => nowMs });
}

test("an order is asked for until it has arrived, and not for ever", async () => {
  const id = "019b76da-ac0d-7021-8000-002565768798";
  const searched = { to_height: 9, may_still_commit: false };
  const statuses = ["not-found", "collected", "instructed", "arrived"];
  const client = answering((method, params) => {
    assert.deepEqual([method, params], ["recharge_order", { order_id: id }]);
    return { result: { order_id: id, status: statuses.shift() ?? "arrived", searched } };
  });
  assert.equal((await client.waitForOrder(id, ["arrived"])).status, "arrived");
  await assert.rejects(client.waitForOrder(id, ["failed"], { timeoutMs: 1_000 }), FateOpen);
});

test("a lineage is read page by page", async () => {
  const pages = new Map([[undefined, ["AAAA", "3"]], ["3", ["////", undefined]]]);
  const client = answering((method, { cursor }) => {
    const [handover, next] = pages.get(cursor);
    return { result: { items: [{ height: 1, handover_base64: handover }], next } };
  });
  assert.equal(toHex((await client.lineage()).slice(8)), "000000ffffff");
  assert.deepEqual(fromBase64("////"), Uint8Array.of(255, 255, 255));
});

test("nodes are asked in turn", async () => {
  const asked = [];
  const client = answering((method, params, url) => {
    asked.push(url);
    return { result: "x" };
  });
  for (let call = 0; call < 4; call += 1) await client.call("chain_id", {});
  assert.deepEqual(asked, ["http://a/", "http://b/", "http://a/", "http://b/"]);
  assert.throws(() => new Client([]), Invalid);
  assert.throws(() => new Client(["ftp://a"]), Invalid);
});
