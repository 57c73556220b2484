import assert from "node:assert/strict";
import test from "node:test";

import {
  amount, barLength, decimal, formatMoney, isBeyond, isNegative, perMille, sums,
} from "../static/js/money.js";

const money = (minor, exponent = 2, currency = "CNY") => ({ minor, exponent, currency });

test("amounts are exact, however large, in every exponent", () => {
  const rows = [
    ["0", 2, "0.00"], ["5", 2, "0.05"], ["-5", 2, "-0.05"], ["1234567", 2, "12345.67"],
    ["-1234567", 2, "-12345.67"], ["900", 0, "900"], ["-900", 0, "-900"], ["1", 3, "0.001"],
    ["9007199254740993", 2, "90071992547409.93"],
    ["340282366920938463463374607431768211455", 2, "3402823669209384634633746074317682114.55"],
  ];
  for (const [minor, exponent, text] of rows) assert.equal(decimal(money(minor, exponent)), text);
});

test("what is no amount is shown as it came and is never made into one", () => {
  for (const minor of ["", "1.5", "1e3", "0x10", "NaN", "--1", "12 "]) {
    assert.equal(decimal(money(minor)), minor);
    assert.equal(isNegative(money(minor)), false);
  }
  assert.equal(decimal(money("12", 1.5)), "12");
  assert.equal(decimal(money("12", -1)), "12");
});

test("people read thousands, a minus sign and the currency", () => {
  assert.equal(amount(money("-123456789")), "\u22121,234,567.89");
  assert.equal(formatMoney(money("100", 0, "JPY")), "100\u00a0JPY");
  assert.equal(formatMoney(money("100", 2, "\u202eYNC")), "1.00\u00a0YNC");
});

test("sums are made by currency and without a float", () => {
  const list = [
    money("9007199254740993"), money("2"), money("-1", 0, "JPY"), money("x"), money("4", 0, "JPY"),
  ];
  assert.deepEqual(sums(list), [money("9007199254740995"), money("3", 0, "JPY")]);
});

test("a rate's distance is worked out in whole numbers", () => {
  const rows = [
    ["0.140", "0.14", "+0.00\u00a0‰"], ["0.1407", "0.14", "+5.00\u00a0‰"],
    ["0.1386", "0.140", "\u221210.00\u00a0‰"], ["151.2", "150", "+8.00\u00a0‰"],
  ];
  for (const [rate, reference, text] of rows) assert.equal(perMille(rate, reference), text);
  for (const wrong of ["", "abc", "-1", "1.", "0"]) assert.equal(perMille("1", wrong), null);
  assert.equal(isBeyond("0.1428", "0.14", 20), false);
  assert.equal(isBeyond("0.14281", "0.14", 20), true);
  assert.equal(isBeyond("0.13719", "0.14", 20), true);
});

test("a bar's length is all that becomes a float", () => {
  assert.equal(barLength(1n, 4n), 0.25);
  assert.equal(barLength(0n, 0n), 0);
  assert.equal(barLength(10n ** 30n, 10n ** 30n), 1);
});
