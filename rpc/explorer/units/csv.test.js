import assert from "node:assert/strict";
import test from "node:test";

import { cell, document, row } from "../static/js/csv.js";

test("no cell is a formula", () => {
  const rows = [
    ["=1+1", "'=1+1"], ["+1", "'+1"], ["-1", "'-1"], ["@SUM(A1)", "'@SUM(A1)"],
    ["\t=1", "' =1"], ["\r=1", "' =1"], ["\u202e=1", "'=1"], [" =1", "' =1"],
    ["1-1", "1-1"], ["a=b", "a=b"], ["", ""], [undefined, ""], [0, "0"], [12n, "12"],
  ];
  for (const [from, to] of rows) assert.equal(cell(from), to);
});

test("quotes, commas and ends of lines stay within their cell", () => {
  assert.equal(cell('say "no", then'), '"say ""no"", then"');
  assert.equal(cell('="x"'), '"\'=""x"""');
  assert.equal(row(["a", 1, "b\nc"]), "a,1,b c\r\n");
});

test("a list is walked to its end, a page at a time", async () => {
  const asked = [];
  const page = async (cursor) => {
    asked.push(cursor);
    const from = Number(cursor ?? 0);
    if (from >= 5) return { items: [] };
    return { items: [from, from + 1].filter((n) => n < 5), next: String(from + 2) };
  };
  const columns = [{ title: "Number", text: (n) => n }];
  let text = "";
  for await (const part of document(page, columns)) text += part.text;
  assert.equal(text, "Number\r\n0\r\n1\r\n2\r\n3\r\n4\r\n");
  assert.deepEqual(asked, [undefined, "2", "4", "6"]);
});

test("a node that gives the same cursor for ever is not followed", async () => {
  let count = 0;
  const page = async () => {
    count += 1;
    return { items: [1], next: "same" };
  };
  for await (const part of document(page, [{ title: "n", text: (n) => n }])) assert.ok(part.text);
  assert.equal(count, 2);
});
