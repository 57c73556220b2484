import assert from "node:assert/strict";
import { test } from "node:test";

import { Invalid } from "../src/bytes.js";
import { parseToml } from "../src/toml.js";

const parsed = (text) => parseToml(new TextEncoder().encode(text));

/** Tables as plain objects. */
function plain(value) {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, inner]) => [key, plain(inner)]));
  }
  return Array.isArray(value) ? value.map(plain) : value;
}

test("what a genesis file may have is read", () => {
  const text = [
    "# a comment", "name = \"a \\\"b\\\" \\u00e9 \\U0001F600\" # behind", "plain = 'C:\\x'\r",
    "\"quoted key\" = 1_000", "hex = 0xFF", "less = -17", "most = 9223372036854775807",
    "flag = true", "list = [ 1, # one", "  2,", "]", "inner = { a = 1, b.c = 'x' }", "d.e.f = 2",
    "[table]", "x = []", "[[rows]]", "id = 1", "[rows.sub]", "y = 1", "[[rows]]", "id = 2",
    "[other.deep]", "z = false",
  ].join("\n");
  assert.deepEqual(plain(parsed(text)), {
    name: "a \"b\" é 😀", plain: "C:\\x", "quoted key": 1_000n, hex: 255n, less: -17n,
    most: 9223372036854775807n, flag: true, list: [1n, 2n], inner: { a: 1n, b: { c: "x" } },
    d: { e: { f: 2n } }, table: { x: [] }, rows: [{ id: 1n, sub: { y: 1n } }, { id: 2n }],
    other: { deep: { z: false } },
  });
  assert.deepEqual(plain(parsed("")), {});
});

test("what is not understood is refused, and never guessed", () => {
  for (const text of [
    "a", "a =", "a = 1 b = 2", "a = 1\na = 2", "a = 1.5", "a = 1e3", "a = 2026-01-01", "a = 01",
    "a = 9223372036854775808", "a = \"x", "a = 'x", "a = \"\\q\"", "a = \"\\ud800\"", "a = [1",
    "a = [1 2]", "a = { b = 1", "a = { b = 1, }", "[a]\n[a]", "[a]\nb = 1\n[a]\nc = 1", "a = 1\n[a]",
    "[[a]]\n[a]", "a = [1]\n[[a]]", "a = { b = 1 }\n[a.c]", "a = { b = 1 }\na.c = 1", "[a", "[a]]",
    "[[a]", "a = \"\"\"x\"\"\"", "a = '''x'''", "= 1", "a. = 1", "a = tru", "a = trues", "a = 0xg",
    "a = 1__0", "a = \u0000", "# \u0001", `a = ${"[".repeat(10_000)}`,
  ]) {
    assert.throws(() => parsed(text), Invalid, text.slice(0, 40));
  }
  assert.throws(() => parseToml(Uint8Array.of(0x61, 0xff)), Invalid);
  assert.throws(() => parseToml(Uint8Array.of(0xef, 0xbb, 0xbf)), Invalid);
});

test("a key is no property of a language", () => {
  const table = parsed("__proto__ = 1\nconstructor = 2");
  assert.deepEqual([...table.keys()], ["__proto__", "constructor"]);
  assert.equal({}.polluted, undefined);
});
