// The token of a guarded node: docs/access.md.

import assert from "node:assert/strict";
import test from "node:test";

import { Client } from "../src/index.js";

const TOKEN = `sl1_${"0".repeat(16)}_${"1".repeat(64)}`;

test("every call shows the token", async () => {
  /** @type {any[]} */
  const seen = [];
  /** @type {any} */
  const fetch = async (/** @type {string} */ url, /** @type {any} */ request) => {
    seen.push([url, request.headers.authorization]);
    const { id } = JSON.parse(request.body);
    return new Response(JSON.stringify({ jsonrpc: "2.0", id, result: "a chain" }));
  };
  const url = "http://127.0.0.1:1/";
  await new Client([url], { fetch, token: TOKEN }).call("chain_id", {});
  await new Client([url], { fetch }).call("chain_id", {});
  assert.deepEqual(seen, [[url, `Bearer ${TOKEN}`], [url, undefined]]);
});

test("a token goes over no network in plain text", () => {
  for (const url of ["http://10.0.0.1:1", "http://node.example", "http://127.0.0.1.example"]) {
    assert.throws(() => new Client([url], { token: TOKEN }), /use https/, url);
    new Client([url]);
  }
  for (const url of ["https://node.example", "http://localhost:1", "http://[::1]:1"]) {
    new Client([url], { token: TOKEN });
  }
});
