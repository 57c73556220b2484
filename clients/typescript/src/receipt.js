// Receipts: docs/wire-format.md section 10, against the user's own genesis file. Pure.

import { concat, isEqual, Reader, require, toHex, toUuid, u32, u64, u8 } from "./bytes.js";
import { readBlockHeader, readCertificate } from "./certificate.js";
import { signatureHoldsByZip215, tagged } from "./crypto.js";
import { APPROVE, CASHBACK_TIERS, COLLECTED, HELD, isApplied, KINDS } from "./kinds.js";
import { PROOF_BYTES_MAX, readLineage, trust } from "./lineage.js";
import { leaf, rootFromProof } from "./merkle.js";

/** The first bytes of a receipt. */
export const RECEIPT_MAGIC = new TextEncoder().encode("SLUICER2");
const OUTCOMES_PER_LEAF = 32;

/** @typedef {import("./lineage.js").Trust} Trust */
/** @typedef {import("./genesis.js").Genesis} Genesis */

/**
 * @typedef {object} PartyKeys The keys that a participant's batches may be signed with.
 * @property {number} participant
 * @property {Uint8Array} current
 * @property {{key: Uint8Array, lastHeight: bigint} | null} previous
 */

/** @typedef {ReturnType<typeof readInclusion>} Inclusion */

/**
 * @typedef {object} Signer Whose signature a step bears, and where it stands.
 * @property {string} step
 * @property {number} participant
 * @property {string} publicKey The key that signed.
 * @property {bigint} height
 * @property {bigint} timeMs
 * @property {string} batchId
 */

/**
 * @typedef {object} ProvenReceipt
 * @property {"receipt"} kind
 * @property {string} orderId
 * @property {number} outcome
 * @property {string} user
 * @property {bigint} merchant
 * @property {number} gateway
 * @property {bigint} amountMinor
 * @property {number} currency
 * @property {number} payoutCurrency
 * @property {string} reference
 * @property {bigint} acceptedMs
 * @property {bigint | null} collectedMs
 * @property {number | null} cashbackTier
 * @property {bigint | null} arrivedMs
 * @property {string | null} instruction
 * @property {bigint} returnedMinor
 * @property {Signer[]} signers Each step with the signature that it bears, in the receipt's order.
 */

/**
 * @param {Reader} reader
 * @returns {PartyKeys}
 */
export function readPartyKeys(reader) {
  const previous = () => ({ key: reader.take(32), lastHeight: reader.u64() });
  return {
    participant: reader.u32(), current: reader.take(32), previous: reader.option(previous),
  };
}

/** A leaf of the parties tree. @param {PartyKeys} keys */
export function encodePartyKeys({ participant, current, previous }) {
  const tail = previous ? [u8(1), previous.key, u64(previous.lastHeight)] : [u8(0)];
  return concat(u32(participant), current, ...tail);
}

/** The keys that the block of a height accepts. @param {PartyKeys} keys @param {bigint} height */
export function acceptedKeys({ current, previous }, height) {
  return previous && height <= previous.lastHeight ? [current, previous.key] : [current];
}

/** @param {Uint8Array} raw the 84 bytes */
function readBatchHeader(raw) {
  const reader = new Reader(raw);
  return {
    id: tagged("sluice:batch:1", raw),
    version: reader.u16(), kind: reader.u16(), chainId: reader.take(32), submitter: reader.u32(),
    count: reader.u32(), validUntilMs: reader.u64(), itemsRoot: reader.take(32),
  };
}

/** @param {Reader} reader */
function readInclusion(reader) {
  return {
    batch: readBatchHeader(reader.take(84)), signature: reader.take(64), item: reader.bytes(),
    itemIndex: reader.u32(), itemProof: reader.digests(),
    outcomes: reader.list(() => reader.take(2), 2), outcomeProof: reader.digests(),
    batchIndex: reader.u32(), batchProof: reader.digests(), resultProof: reader.digests(),
    header: readBlockHeader(reader), certificate: readCertificate(reader),
    keys: readPartyKeys(reader), keysIndex: reader.u32(), keysProof: reader.digests(),
  };
}

/**
 * Refuses a proof that does not lead to a root.
 *
 * @param {Uint8Array} found
 * @param {Uint8Array} root
 * @param {string} what
 */
function requireRoot(found, root, what) {
  require(isEqual(found, root), `${what} does not lead to its root`);
}

/** A walk over the inclusions of one receipt. */
class Walk {
  /** @param {Genesis} genesis @param {Trust} trusted */
  constructor(genesis, trusted) {
    this.genesis = genesis;
    this.trusted = trusted;
    /** @type {Signer[]} */
    this.signers = [];
  }

  /**
   * Checks the seven points of section 10; returns the item's outcome.
   *
   * @param {string} step
   * @param {string} kind
   * @param {Inclusion} part
   */
  outcome(step, kind, part) {
    const { batch, header, itemIndex, batchIndex, keys } = part;
    const isOurs = isEqual(batch.chainId, this.genesis.chainId)
      && isEqual(header.chainId, this.genesis.chainId);
    require(isOurs, `${step}: of another chain`);
    const { number, bytes } = KINDS[kind];
    require(batch.kind === number && part.item.length === bytes, `${step}: not a ${kind}`);
    require(keys.participant === batch.submitter, `${step}: the keys are another participant's`);
    requireRoot(
      rootFromProof(leaf(encodePartyKeys(keys)), part.keysIndex, header.partyCount,
        part.keysProof),
      header.partiesRoot, `${step}: keys proof`);
    requireRoot(rootFromProof(leaf(part.item), itemIndex, batch.count, part.itemProof),
      batch.itemsRoot, `${step}: item proof`);
    requireRoot(rootFromProof(leaf(batch.id), batchIndex, header.batchCount, part.batchProof),
      header.batchesRoot, `${step}: batch proof`);
    const outcomesRoot = rootFromProof(
      leaf(concat(...part.outcomes)), Math.floor(itemIndex / OUTCOMES_PER_LEAF),
      Math.ceil(batch.count / OUTCOMES_PER_LEAF), part.outcomeProof);
    requireRoot(
      rootFromProof(leaf(outcomesRoot), batchIndex, header.batchCount, part.resultProof),
      header.resultsRoot, `${step}: result proof`);
    const place = itemIndex % OUTCOMES_PER_LEAF;
    require(place < part.outcomes.length, `${step}: no outcome of the item`);
    const signer = acceptedKeys(keys, header.height)
      .find((key) => signatureHoldsByZip215(key, batch.id, part.signature));
    require(signer, `${step}: the batch signature is not its submitter's`);
    this.trusted.require(header, part.certificate);
    this.signers.push({
      step, participant: keys.participant, publicKey: toHex(signer), height: header.height,
      timeMs: header.timeMs, batchId: toHex(batch.id),
    });
    return new Reader(part.outcomes[place]).u16();
  }

  /**
   * The inclusion by which the order entered the books, and its outcome there.
   *
   * @param {ReturnType<typeof decodeReceipt>} receipt
   * @param {number} outcome
   * @param {Uint8Array} id
   */
  entered({ order, release }, outcome, id) {
    if (!release) return { part: order, outcome };
    const released = this.outcome("release", "hold-decision", release);
    const item = new Reader(release.item);
    const isOfOrder = isEqual(item.take(16), id) && item.u16() === APPROVE;
    require(isOfOrder, "the release is of another order");
    require(outcome === HELD && isApplied(released), "a release of an order that was not held");
    return { part: release, outcome: released };
  }

  /**
   * The block that collected the order and the outcome there; null when none did.
   *
   * @param {ReturnType<typeof decodeReceipt>} receipt
   * @param {number} outcome
   * @param {{id: Uint8Array, flags: number}} order
   */
  collected(receipt, outcome, { id, flags }) {
    const entered = this.entered(receipt, outcome, id);
    const isInOneStep = (flags & COLLECTED) !== 0;
    const isInTheBooks = isApplied(entered.outcome);
    const { collection } = receipt;
    if (!collection) {
      if (!isInTheBooks || !isInOneStep) return null;
      return { header: entered.part.header, outcome: entered.outcome };
    }
    const found = this.outcome("collection", "collect", collection);
    const isOfOrder = isEqual(collection.item.slice(0, 16), id) && !isInOneStep;
    require(isInTheBooks && isApplied(found) && isOfOrder, "the collection is of another order");
    return { header: collection.header, outcome: found };
  }

  /**
   * What was sent back of the order.
   *
   * @param {Inclusion[]} returns
   * @param {{id: Uint8Array, amount: bigint}} order
   */
  returned(returns, { id, amount }) {
    let total = 0n;
    returns.forEach((part, at) => {
      const outcome = this.outcome("return", "return", part);
      const item = new Reader(part.item);
      const [order, back] = [item.take(16), item.u64()];
      item.skip(8 + 2); // the most for cashback, and the reason
      const isNext = isEqual(order, id) && item.u16() === at + 1;
      require(isApplied(outcome) && isNext, "the return is of another order");
      total += back;
    });
    require(total <= amount, "more was returned than was paid");
    return total;
  }
}

/**
 * Reads a receipt's bytes, all of them.
 *
 * @param {Uint8Array} data
 */
export function decodeReceipt(data) {
  require(data.length <= PROOF_BYTES_MAX, "more bytes than any receipt has");
  const reader = new Reader(data);
  require(isEqual(reader.take(RECEIPT_MAGIC.length), RECEIPT_MAGIC), "not a receipt");
  const receipt = {
    order: readInclusion(reader), collection: reader.option(readInclusion),
    release: reader.option(readInclusion), arrival: reader.option(readInclusion),
    returns: reader.list(readInclusion, 84), lineage: readLineage(reader),
  };
  reader.end();
  return receipt;
}

/** @param {Uint8Array} item the 128 bytes */
export function readRecharge(item) {
  const reader = new Reader(item);
  const order = {
    id: reader.take(16), user: reader.take(16), merchant: reader.u64(), gateway: reader.u32(),
    amount: reader.u64(), currency: reader.u16(), payoutCurrency: reader.u16(),
    flags: reader.u16(),
  };
  reader.skip(8 + 8 + 8 + 8); // quote, payout minimum, device, network
  return { ...order, reference: reader.take(32) };
}

/**
 * What a receipt proves; throws `Invalid` if it does not hold. A receipt without a lineage may be
 * held against the bytes of one that stands apart.
 *
 * @param {Uint8Array} data
 * @param {Genesis} genesis
 * @param {Uint8Array} [lineage]
 * @returns {ProvenReceipt}
 */
export function verifyReceipt(data, genesis, lineage) {
  const receipt = decodeReceipt(data);
  const { collection, release, arrival, returns } = receipt;
  const parts = [receipt.order, collection, release, arrival, ...returns];
  const heights = parts.flatMap((part) => (part ? [part.header.height] : []));
  const walk = new Walk(genesis, trust(receipt.lineage, genesis, heights, lineage));
  const outcome = walk.outcome("order", "recharge", receipt.order);
  const order = readRecharge(receipt.order.item);
  const collected = walk.collected(receipt, outcome, order);
  let instruction = null;
  if (arrival) {
    require(collected, "an arrival without a collection");
    const arrived = walk.outcome("arrival", "arrival", arrival);
    const item = new Reader(arrival.item);
    const [window, merchant] = [item.u64(), item.u64()];
    item.skip(8); // the amount of the whole instruction
    const currency = item.u16();
    const isOfOrder = window === collected.header.window && merchant === order.merchant
      && currency === order.payoutCurrency;
    require(isApplied(arrived) && isOfOrder, "the arrival is of another instruction");
    instruction = `${window}-${merchant}-${currency}`;
  }
  require(collected || returns.length === 0, "a return without a collection");
  const returnedMinor = walk.returned(returns, order);
  return {
    kind: "receipt", orderId: toUuid(order.id), outcome, user: toHex(order.user),
    merchant: order.merchant, gateway: order.gateway, amountMinor: order.amount,
    currency: order.currency, payoutCurrency: order.payoutCurrency,
    reference: toHex(order.reference), acceptedMs: receipt.order.header.timeMs,
    collectedMs: collected ? collected.header.timeMs : null,
    cashbackTier: (collected && CASHBACK_TIERS.get(collected.outcome)) ?? null,
    arrivedMs: arrival ? arrival.header.timeMs : null, instruction, returnedMinor,
    signers: walk.signers,
  };
}
