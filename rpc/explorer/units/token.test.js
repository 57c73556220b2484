import assert from "node:assert/strict";
import test from "node:test";

import { call } from "../static/js/rpc.js";
import { forgetToken, keepToken, subProtocols, token } from "../static/js/token.js";

const TOKEN = `sl1_${"0".repeat(16)}_${"a".repeat(64)}`;

test("without storage there is no token", () => {
  assert.equal(token(), "");
  assert.deepEqual(subProtocols(), []);
});

test("a token is kept, shown by header and sub-protocol, and forgotten", async () => {
  const kept = new Map();
  Object.defineProperty(globalThis, "sessionStorage", { configurable: true, value: {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, text) => kept.set(key, text),
    removeItem: (key) => kept.delete(key),
  } });
  /** @type {any[]} */
  const seen = [];
  globalThis.fetch = async (url, { headers, body }) => {
    seen.push([url, headers.authorization]);
    return new Response(JSON.stringify({ jsonrpc: "2.0", id: JSON.parse(body).id, result: 7 }));
  };
  for (const text of ["", "sl1_", TOKEN.slice(0, -1), `${TOKEN}0`, TOKEN.toUpperCase()]) {
    assert.throws(() => keepToken(text), /A token is/, text);
  }
  keepToken(` ${TOKEN}\n`);
  await call("chain_id");
  assert.deepEqual(subProtocols(), ["sluice.v1", TOKEN]);
  forgetToken();
  await call("chain_id");
  assert.deepEqual(seen, [["/", `Bearer ${TOKEN}`], ["/", undefined]]);
  assert.deepEqual(subProtocols(), []);
});
