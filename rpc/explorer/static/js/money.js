// Amounts and rates: decimal strings all the way, added and compared as BigInt. No amount ever
// becomes a float; only the height of a bar on the screen does. Pure.

import { clean, grouped } from "./text.js";

/** @typedef {{minor: string, currency: string, exponent: number}} Money */

const WHOLE = /^-?\d+$/;
const EXPONENT_MAX = 18;

/**
 * Returns an amount in decimal digits, such as "-1234.50". A text that is no amount comes back as
 * it is, so that nothing is invented.
 *
 * @param {Money} money
 */
export function decimal({ minor, exponent }) {
  const isAmount = WHOLE.test(minor) && Number.isInteger(exponent)
    && exponent >= 0 && exponent <= EXPONENT_MAX;
  if (!isAmount) return clean(minor);
  const sign = minor.startsWith("-") ? "-" : "";
  const digits = minor.replace("-", "").padStart(exponent + 1, "0");
  if (exponent === 0) return sign + digits;
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

/**
 * Returns an amount for people: thousands set apart, a true minus sign, without its currency.
 *
 * @param {Money} money
 */
export function amount(money) {
  const [whole, fraction] = decimal(money).split(".");
  const text = fraction === undefined ? grouped(whole) : `${grouped(whole)}.${fraction}`;
  return text.replace(/^-/, "\u2212");
}

/** Returns an amount with its currency. @param {Money} money */
export function formatMoney(money) {
  return `${amount(money)}\u00a0${clean(money.currency)}`;
}

/** Returns true if an amount is below zero. @param {Money} money */
export function isNegative({ minor }) {
  return WHOLE.test(minor) && BigInt(minor) < 0n;
}

/**
 * Returns the sums of amounts, one a currency, ascending by currency.
 *
 * @param {Money[]} list
 * @returns {Money[]}
 */
export function sums(list) {
  /** @type {Map<string, {minor: bigint, exponent: number}>} */
  const found = new Map();
  for (const { minor, currency, exponent } of list) {
    if (!WHOLE.test(minor)) continue;
    const before = found.get(currency)?.minor ?? 0n;
    found.set(currency, { minor: before + BigInt(minor), exponent });
  }
  return [...found].sort(([one], [two]) => (one < two ? -1 : 1)).map(
    ([currency, { minor, exponent }]) => ({ minor: minor.toString(), currency, exponent }));
}

/** @param {string} rate */
function parsed(rate) {
  const found = /^(\d+)(?:\.(\d+))?$/.exec(rate);
  if (!found) return null;
  const [, whole, fraction = ""] = found;
  return { digits: BigInt(whole + fraction), scale: fraction.length };
}

/**
 * Returns how far a rate lies from another, in hundredths of a thousandth, rounded towards zero;
 * null if one of them is none.
 *
 * @param {string} rate
 * @param {string} reference
 */
function distance(rate, reference) {
  const [one, two] = [parsed(rate), parsed(reference)];
  if (!one || !two || two.digits === 0n) return null;
  const scale = Math.max(one.scale, two.scale);
  const left = one.digits * 10n ** BigInt(scale - one.scale);
  const right = two.digits * 10n ** BigInt(scale - two.scale);
  return ((left - right) * 100_000n) / right;
}

/**
 * Returns how far a rate lies from another for people, such as "+2.50 ‰"; null if one is none.
 *
 * @param {string} rate
 * @param {string} reference
 */
export function perMille(rate, reference) {
  const found = distance(rate, reference);
  if (found === null) return null;
  const sign = found < 0n ? "\u2212" : "+";
  const size = found < 0n ? -found : found;
  const hundredths = (size % 100n).toString().padStart(2, "0");
  return `${sign}${size / 100n}.${hundredths}\u00a0‰`;
}

/**
 * Returns true if a rate lies further than so many thousandths from another.
 *
 * @param {string} rate
 * @param {string} reference
 * @param {number} thousandths
 */
export function isBeyond(rate, reference, thousandths) {
  const found = distance(rate, reference);
  if (found === null) return false;
  return (found < 0n ? -found : found) > BigInt(thousandths) * 100n;
}

/**
 * Returns the length of a bar between 0 and 1: for the screen only.
 *
 * @param {bigint} part
 * @param {bigint} whole
 */
export function barLength(part, whole) {
  return whole === 0n ? 0 : Number((part * 10_000n) / whole) / 10_000;
}
