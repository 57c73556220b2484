// clients/hostile.json: every language makes the same of the same answers.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { test } from "node:test";

import { concat, fromHex, toBase64, toHex } from "../src/bytes.js";
import { parseGenesis } from "../src/genesis.js";
import { Client } from "../src/rpc.js";
import { verify } from "../src/verify.js";
import { GENESIS, GENESIS_BYTES, V } from "./vectors.js";

const TABLE = JSON.parse(readFileSync(new URL("../../hostile.json", import.meta.url), "utf8"));

/** The bytes that an entry of the table describes. */
function bytesOf({ vector, splice, cut, replace = [], append = "" }) {
  const parts = splice ?? [[vector, 0, V[vector].length]];
  const whole = concat(...parts.map((part) => (
    typeof part === "string" ? fromHex(part) : V[part[0]].slice(part[1], part[2]))));
  let text = toHex(whole.slice(0, cut ?? whole.length));
  for (const [from, to] of replace) {
    assert.equal(text.split(from).length, 2, `${from} stands once`);
    text = text.replace(from, to);
  }
  return concat(fromHex(text), fromHex(append));
}

function genesisOf(changes = []) {
  const text = changes.reduce((before, [from, to]) => {
    assert.ok(before.includes(from));
    return before.replace(from, to);
  }, new TextDecoder().decode(GENESIS_BYTES));
  return parseGenesis(new TextEncoder().encode(text));
}

for (const entry of TABLE.proofs) {
  test(`proof: ${entry.name}`, () => {
    const lineage = entry.lineage && bytesOf(entry.lineage);
    const verdict = verify(bytesOf(entry), genesisOf(entry.genesis), lineage);
    assert.equal(verdict.isValid ? "valid" : "invalid", entry.verdict, verdict.reason);
  });
}

/** The body that an answer of the table stands for. */
function bodyOf(answer, id) {
  if (answer.body !== undefined) return answer.body;
  if (answer.body_hex !== undefined) return fromHex(answer.body_hex);
  if (answer.body_repeated !== undefined) {
    return answer.body_repeated[0].repeat(answer.body_repeated[1]);
  }
  const whole = { jsonrpc: "2.0", id: answer.id ?? id };
  if (answer.error) return JSON.stringify({ ...whole, error: answer.error });
  const result = answer.receipt === undefined ? answer.result : {
    order_id: TABLE.order_id, receipt_base64: toBase64(bytesOf(answer.receipt)),
    proves_arrival: true, proves_collection: true, return_count: 0,
  };
  return JSON.stringify({ ...whole, result }) + " ".repeat(answer.padded_bytes ?? 0);
}

/** A node that gives one answer, always. */
async function node(answer) {
  const requests = [];
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const call = JSON.parse(Buffer.concat(parts).toString("utf8"));
    requests.push(call);
    const body = Buffer.from(bodyOf(answer, call.id));
    response.on("error", () => {});
    response.writeHead(answer.status ?? 200, {
      "content-type": "application/json", "content-length": body.length, ...answer.headers,
    });
    if (answer.cut === undefined) response.end(body);
    else response.write(body.subarray(0, answer.cut), () => request.socket.destroy());
    if (answer.cut === 0) request.socket.destroy();
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const close = () => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, requests, close };
}

/** A client whose time passes by its pauses alone. */
function client(nodes) {
  let nowMs = 0;
  const sleep = async (milliseconds) => {
    nowMs += milliseconds;
  };
  return new Client(nodes.map(({ url }) => url), { sleep, nowMs: () => nowMs });
}

/** The verdict of a client that asks these nodes. */
async function judged(nodes, { call, min_height: minHeight }) {
  const asking = client(nodes);
  try {
    if (call === "submit") await asking.submit(V[TABLE.batch], { timeoutMs: 2_000 });
    else if (call === "order") await asking.order(TABLE.order_id, { minHeight });
    else await asking.verifiedReceipt(TABLE.order_id, GENESIS);
    return "answered";
  } catch (error) {
    assert.equal(typeof error.isRefusal, "boolean", error.stack);
    return error.isRefusal ? "refused" : "open";
  }
}

for (const entry of TABLE.answers) {
  test(`${entry.call}: ${entry.name}`, async () => {
    const [hostile, honest] = [await node(entry.response), await node(TABLE.honest[entry.call])];
    try {
      assert.equal(await judged([hostile], entry), entry.alone, "alone");
      assert.equal(await judged([hostile, honest], entry), entry.after, "after");
      // Whatever came back, the same bytes and ids went out, and no others.
      const sent = new Set([...hostile.requests, ...honest.requests].map(({ method, params }) =>
        JSON.stringify([method, params.bytes_base64 ?? params.order_id])));
      assert.equal(sent.size, 1);
    } finally {
      await Promise.all([hostile.close(), honest.close()]);
    }
  });
}

test("a node that is away is passed over", async () => {
  const [away, honest] = [await node({ body: "" }), await node(TABLE.honest.submit)];
  await away.close();
  assert.equal(await judged([away], { call: "submit" }), "open");
  assert.equal(await judged([away, honest], { call: "submit" }), "answered");
  await honest.close();
});
