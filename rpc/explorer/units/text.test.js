import assert from "node:assert/strict";
import test from "node:test";

import { clean, fromBase64, grouped, shortened, toBase64, words } from "../static/js/text.js";

test("marks that disguise a name are taken away", () => {
  const rows = [
    ["Bright Noodles", "Bright Noodles"],
    ["photo\u202egnp.exe", "photognp.exe"],
    ["\u2066a\u2069\u200f\u200e\u061cb", "ab"],
    ["line\u2028break\nand\ttab\u0000", "linebreak and tab "],
    ["<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"],
    ["光明面馆 مطعم", "光明面馆 مطعم"],
    [undefined, ""],
  ];
  for (const [from, to] of rows) assert.equal(clean(from), to);
});

test("numbers are grouped and hashes are cut, for the eye only", () => {
  assert.equal(grouped(1234567), "1,234,567");
  assert.equal(grouped(12n ** 20n), "3,833,759,992,447,475,122,176");
  assert.equal(grouped("-1000"), "-1,000");
  assert.equal(grouped("12.5"), "12.5");
  assert.equal(shortened("ab".repeat(32)), `${"ab".repeat(5)}…${"ab".repeat(3)}`);
  assert.equal(shortened("12-1001-156"), "12-1001-156");
  assert.equal(words("over-budget"), "Over budget");
});

test("base64 goes there and back, and what is none is refused", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
  assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
  assert.throws(() => fromBase64("a*b"));
});
