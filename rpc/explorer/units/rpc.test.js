import assert from "node:assert/strict";
import test from "node:test";

import { call, failureOf } from "../static/js/rpc.js";

/** Answers every request with this, in turn. */
function answering(...answers) {
  globalThis.fetch = async (_, { body }) => {
    const { id } = JSON.parse(body);
    const next = answers.shift();
    if (next instanceof Error) throw next;
    return new Response(typeof next === "function" ? next(id) : next);
  };
}

test("a result is given, and an error is thrown in the node's words", async () => {
  answering((id) => JSON.stringify({ jsonrpc: "2.0", id, result: 7 }));
  assert.equal(await call("chain_id"), 7);
  answering((id) => JSON.stringify({ jsonrpc: "2.0", id, error: {
    code: 1010, message: "budget exceeded", data: {
      name: "budget-exceeded", cause: "Too many calls.", detail: "(of \u202eyou)", remedy: "Wait.",
      retry_after_ms: 50,
    },
  } }));
  await assert.rejects(call("chain_id"), (error) => {
    assert.equal(error.message, "Too many calls. (of you)");
    assert.deepEqual([error.code, error.errorName, error.retryAfterMs],
      [1010, "budget-exceeded", 50]);
    return true;
  });
});

test("what is no answer is not taken for one", async () => {
  answering("<html>", (id) => JSON.stringify({ jsonrpc: "2.0", id: id + 1, result: 1 }),
    new TypeError("refused"));
  await assert.rejects(call("x"), /no JSON/);
  await assert.rejects(call("x"), /another call/);
  await assert.rejects(call("x"), /cannot be reached/);
  assert.match(failureOf(undefined).message, /without words/);
});
