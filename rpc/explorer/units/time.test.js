import assert from "node:assert/strict";
import test from "node:test";

import { clockTime, duration, utc } from "../static/js/time.js";

test("times are in UTC, whatever the clock of the reader says", () => {
  assert.equal(utc(1_800_000_000_600), "2027-01-15 08:00:00.600 UTC");
  assert.equal(utc(1_800_000_000_000), "2027-01-15 08:00:00 UTC");
  assert.equal(clockTime(1_800_000_000_600), "08:00:00");
  for (const wrong of [undefined, "x", NaN, 9e99]) assert.equal(utc(wrong), "unknown");
});

test("lengths of time are short to read", () => {
  const rows = [
    [0, "0 ms"], [999, "999 ms"], [1_000, "1 s"], [4_260, "4.2 s"], [59_999, "59.9 s"],
    [60_000, "1 min"], [185_000, "3 min 5 s"], [3_600_000, "1 h"], [7_860_000, "2 h 11 min"],
    [200_000_000, "2 d 7 h"], [-500, "\u2212500 ms"], [NaN, "unknown"],
  ];
  for (const [ms, text] of rows) assert.equal(duration(ms).replaceAll("\u00a0", " "), text);
});
