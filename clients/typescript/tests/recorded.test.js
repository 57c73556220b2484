// The calls that a live node answered (rpc/api/examples.json): by the printed types, and through
// the client. What is written in JavaScript is held against its own types, too.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import ts from "typescript";

import { Client } from "../src/rpc.js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const CALLS = JSON.parse(readFileSync(here("../../../rpc/api/examples.json"), "utf8"));
const TYPES = here("../../../docs/sluice.d.ts");

/** What TypeScript complains of in these files. */
function complaints(files, options = {}) {
  const program = ts.createProgram(files, {
    target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, strict: true, noEmit: true,
    moduleResolution: ts.ModuleResolutionKind.NodeNext, allowImportingTsExtensions: true,
    types: [], ...options,
  });
  return ts.getPreEmitDiagnostics(program).map(({ messageText, file, start }) => {
    const place = file ? file.getLineAndCharacterOfPosition(start ?? 0).line + 1 : 0;
    const text = ts.flattenDiagnosticMessageText(messageText, " ");
    return `${file?.fileName}:${place}: ${text}`;
  });
}

/** What is wrong with recorded calls by the printed types. */
function faults(calls) {
  const lines = [`import type { Methods, Subscriptions } from ${JSON.stringify(TYPES)};`];
  for (const [name, { params, result, notification }] of Object.entries(calls)) {
    const method = `Methods[${JSON.stringify(name)}]`;
    lines.push(`({ params: ${JSON.stringify(params)}, result: ${JSON.stringify(result)} })`
      + ` satisfies ${method};`);
    if (notification) {
      const events = `Subscriptions[${JSON.stringify(name)}]`;
      lines.push(`(${JSON.stringify(notification.method)}) satisfies ${events}["notification"];`);
      lines.push(`(${JSON.stringify(notification.params.result)}) satisfies ${events}["event"];`);
    }
  }
  const folder = mkdtempSync(join(tmpdir(), "recorded-"));
  try {
    writeFileSync(join(folder, "calls.ts"), lines.join("\n"));
    return complaints([join(folder, "calls.ts")]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("every recorded call is of its method's types", () => {
  assert.ok(Object.keys(CALLS).length > 50);
  // The document itself has members of its own, which OpenRPC lets it have.
  const { "rpc.discover": discover, ...calls } = CALLS;
  assert.ok(discover);
  assert.deepEqual(faults(calls), []);
});

test("a call of other types is found", () => {
  const call = CALLS.ledger_account;
  const changed = [
    { ...call, params: {} }, { ...call, result: { ...call.result, surplus: 1 } },
    { ...call, result: { ...call.result, account: 7 } },
    { ...call, result: { account: call.result.account } },
  ];
  for (const ledger_account of changed) assert.ok(faults({ ledger_account }).length > 0);
});

test("every recorded call goes through the client as it is", async () => {
  for (const [name, { params, result }] of Object.entries(CALLS)) {
    const fetch = async (url, { body }) => {
      const request = JSON.parse(body);
      assert.deepEqual([request.method, request.params], [name, params]);
      return new Response(JSON.stringify({ jsonrpc: "2.0", id: request.id, result }));
    };
    assert.deepEqual(await new Client(["http://a/"], { fetch }).call(name, params), result);
  }
});

test("modules and examples have the types that they say", () => {
  const file = here("../tsconfig.json");
  const { config } = ts.readConfigFile(file, ts.sys.readFile);
  const { fileNames, options } = ts.parseJsonConfigFileContent(
    config, ts.sys, here(".."), undefined, file);
  assert.ok(fileNames.length > 15);
  assert.deepEqual(complaints(fileNames, options), []);
});
