import assert from "node:assert/strict";
import test from "node:test";

import { candidates } from "../static/js/identify.js";
import { href, parse, ROUTES } from "../static/js/route.js";

test("an address names a page, and a page has an address", () => {
  for (const [name, parts] of ROUTES) {
    const part = parts === 0 ? undefined : "a:b/c%é";
    const found = parse(href(name, part, { cursor: "12-0&x=1" }));
    assert.equal(found.name, name);
    assert.equal(found.part, part ?? "");
    assert.equal(found.query.get("cursor"), "12-0&x=1");
  }
});

test("what names no page is no page", () => {
  const rows = ["#/nothing", "#/block", "#/blocks/5", "#/block/5/6", "#/order/%E0%A4%A",
    "#/__proto__", "#/constructor", "#/toString/x"];
  for (const hash of rows) assert.equal(parse(hash), null, hash);
  for (const hash of ["", "#", "#/", "/"]) assert.equal(parse(hash).name, "");
});

test("a text that is searched for is recognised by its form", () => {
  const kinds = (text) => candidates(text).map(({ kind }) => kind);
  const uuid = "01A3185C-5190-7202-8202-020200000065";
  const rows = [
    [uuid, ["order", "transfer", "proposal"]],
    ["ab".repeat(32), ["block", "batch"]],
    ["0-1001-156", ["instruction"]],
    ["gateway-liquidity:201:CNY", ["account"]],
    ["1001", ["block", "window", "merchant", "participant"]],
    ["18446744073709551615", ["merchant"]],
    ["", []], ["hello", []], ["<script>", []], ["-1", []], ["12 34", []],
  ];
  for (const [text, expected] of rows) assert.deepEqual(kinds(text), expected, text);
  assert.equal(candidates(` ${uuid} `)[0].part, uuid.toLowerCase());
});
