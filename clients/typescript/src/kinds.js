// Kinds of batches, outcomes and codes that wire and proofs share: docs/wire-format.md sections 5
// to 7. Pure.

/**
 * Each kind of batch: its number, the bytes of an item, and the most items.
 *
 * @type {Record<string, {number: number, bytes: number, itemsMax: number}>}
 */
export const KINDS = Object.fromEntries(/** @type {[string, number, number, number][]} */ ([
  ["recharge", 1, 128, 8_192],
  ["collect", 2, 64, 8_192],
  ["void", 3, 64, 8_192],
  ["arrival", 4, 64, 8_192],
  ["failure", 5, 64, 8_192],
  ["return", 6, 72, 1_024],
  ["reinstruct", 7, 64, 8_192],
  ["settle-window", 8, 96, 1_024],
  ["transfer", 9, 96, 1_024],
  ["transfer-decision", 10, 64, 1_024],
  ["rate", 11, 64, 1_024],
  ["quote", 12, 64, 1_024],
  ["hold-decision", 13, 64, 8_192],
  ["policy", 14, 64, 1_024],
  ["proposal", 15, 512, 64],
  ["approval", 16, 64, 1_024],
  ["bounce", 17, 64, 1_024],
  ["recall", 18, 64, 1_024],
  ["step-in", 19, 64, 1_024],
  ["change-list", 20, 348, 3_000],
  ["merchant", 21, 344, 3_000],
  ["debiting", 22, 64, 8_192],
  ["settlement-decision", 23, 96, 1_024],
  ["line", 24, 64, 1_024],
  ["consent", 25, 64, 1_024],
]).map(([name, number, bytes, itemsMax]) => [name, { number, bytes, itemsMax }]));

/** Flag bit 0 of a recharge item: submitted and collected in one step. */
export const COLLECTED = 1;
/** Decisions. */
export const APPROVE = 1;
export const REFUSE = 2;
/** The outcome of an order that waits for a risk desk. */
export const HELD = 2;
export const REPEATED = 1;
/** Outcomes from here on are rejections: docs/rejections.md. */
export const REJECTION_MIN = 100;
/** Tier by outcome, of an order with cashback. @type {Map<number, number>} */
export const CASHBACK_TIERS = new Map([[10, 1], [11, 2], [12, 3], [13, 4]]);
const APPLIED = new Set([0, 20, 21, ...CASHBACK_TIERS.keys()]);

/** Returns true for an outcome of an item that changed the books. @param {number} outcome */
export function isApplied(outcome) {
  return APPLIED.has(outcome);
}

/** ISO 4217: numbers by code. @type {Record<string, number>} */
export const CURRENCIES = {
  AED: 784, AUD: 36, CNY: 156, EUR: 978, GBP: 826, HKD: 344, IDR: 360, INR: 356, JPY: 392,
  KRW: 410, KWD: 414, MYR: 458, PHP: 608, SGD: 702, THB: 764, TWD: 901, USD: 840, VND: 704,
};
