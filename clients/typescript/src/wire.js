// Items: docs/wire-format.md section 6. Amounts, merchants, windows and times are bigints, in minor
// units and milliseconds; ids of orders are 16 bytes.

import { randomBytes } from "@noble/hashes/utils";

import { concat, exactly, require, toHex, u16, u32, u64, unsigned } from "./bytes.js";
import { tagged } from "./crypto.js";
import { KINDS } from "./kinds.js";
import { leaf, merkleRoot } from "./merkle.js";

const CHANGE_BYTES_MAX = 480;
const LISTED_CHANGE_BYTES_MAX = 341;
const MERCHANT_BYTES_MAX = 337;
const LIST_CHANGE = 13;
const NO_REFERENCE = new Uint8Array(32);

/**
 * A new id of an order that the participant `owner` will submit: a UUIDv7 that ends in the owner's
 * id. One purchase has one id, for ever: store it before the first call.
 *
 * @param {number} owner
 * @param {bigint} [timeMs] Now, unless given.
 */
export function orderId(owner, timeMs = BigInt(Date.now())) {
  const time = unsigned(6, timeMs).reverse();
  const id = concat(time, randomBytes(6), u32(owner).reverse());
  id[6] = (id[6] & 0x0f) | 0x70;
  id[8] = (id[8] & 0x3f) | 0x80;
  return id;
}

/**
 * Joins fields to an item of a kind, and fills it up with zeros.
 *
 * @param {string} kind
 * @param {...Uint8Array} fields
 */
function item(kind, ...fields) {
  const filled = new Uint8Array(KINDS[kind].bytes);
  filled.set(concat(...fields));
  return filled;
}

/** @param {Uint8Array | undefined} reference */
function ref(reference) {
  return exactly(32, reference ?? NO_REFERENCE);
}

/**
 * One recharge order. Currencies are ISO 4217 numbers.
 *
 * @param {object} order
 * @param {Uint8Array} order.id
 * @param {bigint} order.merchant
 * @param {number} order.gateway Who debits the user.
 * @param {bigint} order.amountMinor
 * @param {number} order.currency What the user pays in.
 * @param {Uint8Array} [order.user] The pseudonym, 16 bytes.
 * @param {number} [order.payoutCurrency]
 * @param {number} [order.flags]
 * @param {bigint} [order.fxQuote]
 * @param {bigint} [order.payoutMinimumMinor]
 * @param {bigint} [order.device]
 * @param {bigint} [order.network]
 * @param {Uint8Array} [order.reference]
 */
export function rechargeItem(order) {
  return item("recharge", exactly(16, order.id), exactly(16, order.user ?? new Uint8Array(16)),
    u64(order.merchant), u32(order.gateway), u64(order.amountMinor), u16(order.currency),
    u16(order.payoutCurrency ?? order.currency), u16(order.flags ?? 0), u64(order.fxQuote ?? 0n),
    u64(order.payoutMinimumMinor ?? 0n), u64(order.device ?? 0n), u64(order.network ?? 0n),
    ref(order.reference));
}

/**
 * A collecting gateway's word that the user was debited.
 *
 * @param {Uint8Array} order
 * @param {Uint8Array} [reference]
 */
export function collectItem(order, reference) {
  return item("collect", exactly(16, order), ref(reference));
}

/**
 * A collecting gateway's word that it debits the user now.
 *
 * @param {Uint8Array} order
 * @param {Uint8Array} [reference]
 */
export function debitingItem(order, reference) {
  return item("debiting", exactly(16, order), ref(reference));
}

/**
 * The word of the other side that so much of an order may be reversed in all.
 *
 * @param {Uint8Array} order
 * @param {bigint} amountMinor
 * @param {Uint8Array} [reference]
 */
export function consentItem(order, amountMinor, reference) {
  return item("consent", exactly(16, order), u64(amountMinor), ref(reference));
}

/**
 * The word that a reserved order will not happen.
 *
 * @param {Uint8Array} order
 * @param {number} reason
 * @param {Uint8Array} [reference]
 */
export function voidItem(order, reason, reference) {
  return item("void", exactly(16, order), u16(reason), ref(reference));
}

/**
 * @typedef {object} Instruction An instruction and one attempt to pay it.
 * @property {bigint} window
 * @property {bigint} merchant
 * @property {number} currency
 * @property {number} [attempt]
 */

/**
 * The instruction whose id is a text `window-merchant-currency`.
 *
 * @param {string} id
 * @returns {Instruction}
 */
export function instructionOf(id) {
  const found = /^(\d{1,20})-(\d{1,20})-(\d{1,3})$/.exec(id);
  require(found, "not an instruction's id");
  return { window: BigInt(found[1]), merchant: BigInt(found[2]), currency: Number(found[3]) };
}

/** @param {Instruction} instruction */
function attempted({ attempt }) {
  return u16(attempt ?? 1);
}

/**
 * A paying gateway's word that an instruction's money was credited: exactly what is left of it.
 *
 * @param {Instruction} instruction
 * @param {bigint} amountMinor
 * @param {Uint8Array} [reference]
 */
export function arrivalItem(instruction, amountMinor, reference) {
  const { window, merchant, currency } = instruction;
  return item("arrival", u64(window), u64(merchant), u64(amountMinor), u16(currency),
    ref(reference), attempted(instruction));
}

/**
 * @param {"failure" | "bounce" | "step-in"} kind
 * @param {Instruction} instruction
 * @param {number} reason
 * @param {Uint8Array} [reference]
 */
function failed(kind, instruction, reason, reference) {
  const { window, merchant, currency } = instruction;
  return item(kind, u64(window), u64(merchant), u16(currency), u16(reason), ref(reference),
    attempted(instruction));
}

/**
 * A paying gateway's word that an instruction could not be paid.
 *
 * @param {Instruction} instruction
 * @param {number} reason
 * @param {Uint8Array} [reference]
 */
export function failureItem(instruction, reason, reference) {
  return failed("failure", instruction, reason, reference);
}

/**
 * A paying gateway's word that an instruction's money came back.
 *
 * @param {Instruction} instruction
 * @param {number} reason
 * @param {Uint8Array} [reference]
 */
export function bounceItem(instruction, reason, reference) {
  return failed("bounce", instruction, reason, reference);
}

/**
 * A settlement agent's word that an instruction's gateway is absent.
 *
 * @param {Instruction} instruction
 * @param {number} reason
 * @param {Uint8Array} [reference]
 */
export function stepInItem(instruction, reason, reference) {
  return failed("step-in", instruction, reason, reference);
}

/**
 * @param {"reinstruct" | "recall"} kind
 * @param {Instruction} instruction
 * @param {Uint8Array} [reference]
 */
function asked(kind, instruction, reference) {
  const { window, merchant, currency } = instruction;
  return item(kind, u64(window), u64(merchant), u16(currency), ref(reference),
    attempted(instruction));
}

/**
 * A settlement agent's word that a failed instruction can be paid now.
 *
 * @param {Instruction} instruction
 * @param {Uint8Array} [reference]
 */
export function reinstructItem(instruction, reference) {
  return asked("reinstruct", instruction, reference);
}

/**
 * A settlement agent's request that an instruction shall not be paid.
 *
 * @param {Instruction} instruction
 * @param {Uint8Array} [reference]
 */
export function recallItem(instruction, reference) {
  return asked("recall", instruction, reference);
}

/**
 * A gateway's word that money of a collected order goes back.
 *
 * @param {object} back
 * @param {Uint8Array} back.order
 * @param {bigint} back.amountMinor
 * @param {number} back.reason
 * @param {number} back.sequence An order's returns are 1, 2, 3.
 * @param {bigint} [back.restedMinorMax] The most that it pays for cashback that rested on it.
 * @param {Uint8Array} [back.reference]
 */
export function returnItem(back) {
  return item("return", exactly(16, back.order), u64(back.amountMinor),
    u64(back.restedMinorMax ?? 0n), u16(back.reason), u16(back.sequence), ref(back.reference));
}

/**
 * The maker's word that the banks have settled a window of a report's digest.
 *
 * @param {bigint} window
 * @param {Uint8Array} digest
 * @param {Uint8Array} [reference]
 */
export function settleWindowItem(window, digest, reference) {
  return item("settle-window", u64(window), exactly(32, digest), ref(reference));
}

/**
 * The checker's decision about a settlement, of the same digest and reference.
 *
 * @param {bigint} window
 * @param {number} decision
 * @param {Uint8Array} digest
 * @param {Uint8Array} [reference]
 */
export function settlementDecisionItem(window, decision, digest, reference) {
  return item("settlement-decision", u64(window), u16(decision), exactly(32, digest),
    ref(reference));
}

/**
 * The maker's proposal of a deposit, a withdrawal or a cap.
 *
 * @param {object} transfer
 * @param {Uint8Array} transfer.id
 * @param {number} transfer.action
 * @param {number} transfer.accountKind
 * @param {bigint} transfer.owner
 * @param {number} transfer.currency
 * @param {bigint} transfer.amountMinor
 * @param {Uint8Array} [transfer.reference]
 */
export function transferItem(transfer) {
  return item("transfer", exactly(16, transfer.id), u16(transfer.action),
    u16(transfer.accountKind), u64(transfer.owner), u16(transfer.currency),
    u64(transfer.amountMinor), ref(transfer.reference));
}

/**
 * The checker's decision about a transfer.
 *
 * @param {Uint8Array} transfer
 * @param {number} decision
 * @param {number} action
 * @param {bigint} amountMinor
 * @param {Uint8Array} [reference]
 */
export function transferDecisionItem(transfer, decision, action, amountMinor, reference) {
  return item("transfer-decision", exactly(16, transfer), u16(decision), u16(action),
    u64(amountMinor), ref(reference));
}

/**
 * An FX provider's rate of a pair.
 *
 * @param {object} rate
 * @param {number} rate.currency
 * @param {number} rate.payoutCurrency
 * @param {bigint} rate.mantissa
 * @param {number} rate.scale
 * @param {bigint} rate.observedMs
 */
export function rateItem(rate) {
  return item("rate", u16(rate.currency), u16(rate.payoutCurrency), u64(rate.mantissa),
    u16(rate.scale), u64(rate.observedMs));
}

/**
 * The provider's quote of a number below 2^32.
 *
 * @param {number} provider
 * @param {number} number
 */
export function quoteId(provider, number) {
  return (BigInt(provider) << 32n) | BigInt(`0x${toHex(u32(number).reverse())}`);
}

/**
 * An FX provider's offer to convert.
 *
 * @param {object} quote
 * @param {bigint} quote.id
 * @param {number} quote.currency
 * @param {number} quote.payoutCurrency
 * @param {bigint} quote.mantissa
 * @param {number} quote.scale
 * @param {bigint} quote.ceilingMinor
 * @param {bigint} quote.validUntilMs
 */
export function quoteItem(quote) {
  return item("quote", u64(quote.id), u16(quote.currency), u16(quote.payoutCurrency),
    u64(quote.mantissa), u16(quote.scale), u64(quote.ceilingMinor), u64(quote.validUntilMs));
}

/**
 * A risk desk's decision about a held order.
 *
 * @param {Uint8Array} order
 * @param {number} decision
 * @param {number} reason
 * @param {Uint8Array} [reference]
 */
export function holdDecisionItem(order, decision, reason, reference) {
  return item("hold-decision", exactly(16, order), u16(decision), u16(reason), ref(reference));
}

/**
 * A risk desk's limits for a scope and currency; a maximum of zero means none.
 *
 * @param {object} policy
 * @param {number} policy.scope
 * @param {bigint} policy.subject
 * @param {number} policy.currency
 * @param {bigint} [policy.orderMinorMax]
 * @param {bigint} [policy.userDayMinorMax]
 * @param {bigint} [policy.dayMinorMax]
 * @param {bigint} [policy.holdAboveMinor]
 */
export function policyItem(policy) {
  return item("policy", u16(policy.scope), u64(policy.subject), u16(policy.currency),
    u64(policy.orderMinorMax ?? 0n), u64(policy.userDayMinorMax ?? 0n),
    u64(policy.dayMinorMax ?? 0n), u64(policy.holdAboveMinor ?? 0n));
}

/**
 * How much a holder may have reserved on an account of the submitter's.
 *
 * @param {number} account
 * @param {number} holder
 * @param {number} currency
 * @param {bigint} limitMinor
 */
export function lineItem(account, holder, currency, limitMinor) {
  return item("line", u16(account), u32(holder), u16(currency), u64(limitMinor));
}

/**
 * @param {Uint8Array} bytes
 * @param {number} bytesMax
 */
function withLength(bytes, bytesMax) {
  require(bytes.length <= bytesMax, `a change here has at most ${bytesMax} bytes`);
  return concat(u16(bytes.length), bytes);
}

/**
 * A settlement operator's proposal of a change, given by its bytes.
 *
 * @param {Uint8Array} proposal
 * @param {bigint} activationHeight
 * @param {Uint8Array} change
 */
export function proposalItem(proposal, activationHeight, change) {
  return item("proposal", exactly(16, proposal), u64(activationHeight),
    withLength(change, CHANGE_BYTES_MAX));
}

/** A change of a list that one proposal makes as a whole. @param {Uint8Array} change */
export function listedChangeItem(change) {
  return item("change-list", withLength(change, LISTED_CHANGE_BYTES_MAX));
}

/** A merchant that a registrar adds or changes, by its bytes. @param {Uint8Array} merchant */
export function merchantItem(merchant) {
  return item("merchant", withLength(merchant, MERCHANT_BYTES_MAX));
}

/** The change that makes all changes of a list, or none. @param {Uint8Array[]} items */
export function listChange(items) {
  return concat(u32(LIST_CHANGE), merkleRoot(items.map(leaf)), u32(items.length));
}

/** What an approval names. @param {Uint8Array} proposal the whole proposal item */
export function proposalDigest(proposal) {
  return tagged("sluice:change:1", exactly(KINDS.proposal.bytes, proposal));
}

/**
 * A settlement operator's decision about a proposal.
 *
 * @param {Uint8Array} proposal
 * @param {number} decision
 * @param {Uint8Array} digest
 */
export function approvalItem(proposal, decision, digest) {
  return item("approval", exactly(16, proposal), u16(decision), exactly(32, digest));
}
