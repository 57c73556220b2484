// Gathers items of one kind into signed batches, by number and age, and submits each until its fate
// is known. Orders keep their ids, whatever happens: a batch that is too old is signed anew with
// the same items, and nothing here makes an id.

import { fromBase64, Invalid, Reader, require } from "./bytes.js";
import { FateOpen, Refused } from "./errors.js";
import { isApplied, KINDS, REPEATED } from "./kinds.js";
import { signedBatch } from "./sign.js";

/** How long a batch may wait for a block, in milliseconds, unless told otherwise. */
const VALID_MS = 60_000;
/** How long items wait for company, in milliseconds, unless told otherwise. */
const AGE_MS = 20;
/** How often items are signed anew. */
const SIGNED_ANEW_MAX = 3;

/**
 * @typedef {object} ItemResult What became of one item.
 * @property {boolean} isApplied True if it is in the books: by this batch, or as `standing` says.
 * @property {boolean} isOpen True if nobody knows yet: `batch` goes out again, with the same ids,
 *   or the order is asked for by its id.
 * @property {boolean} newIdIsSafe True if the chain says that a new id charges nobody twice.
 * @property {number | null} code The outcome's code; null while it is open.
 * @property {string} name
 * @property {number | null} height The block that decided it.
 * @property {import("./types.js").OrderStanding | null} standing
 * @property {Uint8Array} batch The bytes that were signed last.
 */

/**
 * @typedef {object} BatcherOptions
 * @property {number} [itemsMax]
 * @property {number} [ageMs]
 * @property {number} [validMs]
 * @property {number} [timeoutMs] How long one batch is submitted again and again.
 * @property {(batch: Uint8Array) => Promise<void>} [keep] Stores a batch durably. It is awaited
 *   before the batch is sent for the first time.
 * @property {() => bigint} [wallClockMs]
 */

export class Batcher {
  /**
   * @param {import("./rpc.js").Client} client
   * @param {Uint8Array} chainId
   * @param {string} kind
   * @param {import("./sign.js").Signatory} signatory
   * @param {BatcherOptions} [options]
   */
  constructor(client, chainId, kind, signatory, options = {}) {
    require(KINDS[kind], `there is no kind ${kind}`);
    this.client = client;
    this.chainId = chainId;
    this.kind = kind;
    this.signatory = signatory;
    this.itemsMax = Math.min(options.itemsMax ?? KINDS[kind].itemsMax, KINDS[kind].itemsMax);
    this.ageMs = options.ageMs ?? AGE_MS;
    this.validMs = BigInt(options.validMs ?? VALID_MS);
    this.timeoutMs = options.timeoutMs ?? VALID_MS;
    this.keep = options.keep ?? (async () => {});
    this.wallClockMs = options.wallClockMs ?? (() => BigInt(Date.now()));
    /** @type {{item: Uint8Array, settle: (result: ItemResult) => void,
     *   fail: (error: unknown) => void}[]} */
    this.waiting = [];
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.timer = null;
    /** @type {Set<Promise<void>>} */
    this.underWay = new Set();
  }

  /**
   * Adds an item. Resolves once its batch is final, or its fate is open; rejects with `Refused`
   * when the whole batch was refused, which booked nothing and says nothing of its orders.
   *
   * @param {Uint8Array} item
   * @returns {Promise<ItemResult>}
   */
  add(item) {
    const { bytes } = KINDS[this.kind];
    if (item.length !== bytes) {
      return Promise.reject(new Invalid(`a ${this.kind} item has ${bytes} bytes`));
    }
    return new Promise((settle, fail) => {
      this.waiting.push({ item, settle, fail });
      if (this.waiting.length >= this.itemsMax) this.send();
      else this.timer ??= setTimeout(() => this.send(), this.ageMs);
    });
  }

  /** Sends what waits, and waits until no batch is under way. */
  async flush() {
    this.send();
    while (this.underWay.size > 0) await Promise.all(this.underWay);
  }

  send() {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const entries = this.waiting.splice(0);
    if (entries.length === 0) return;
    const call = this.settle(entries.map(({ item }) => item)).then(
      (results) => entries.forEach(({ settle }, at) => settle(results[at])),
      (error) => entries.forEach(({ fail }) => fail(error)),
    ).finally(() => this.underWay.delete(call));
    this.underWay.add(call);
  }

  /** @param {Uint8Array[]} items @returns {Promise<ItemResult[]>} */
  async settle(items) {
    for (let anew = 0; ; anew += 1) {
      const validUntilMs = this.wallClockMs() + this.validMs;
      const batch = signedBatch(this.kind, this.chainId, this.signatory, items, validUntilMs);
      await this.keep(batch);
      try {
        const report = await this.client.submit(
          batch, { timeoutMs: this.timeoutMs, withCodes: true });
        return resultsOf(report, items.length, batch);
      } catch (error) {
        if (error instanceof FateOpen || (error instanceof Refused && !error.isRefusal)) {
          return items.map(() => open(batch));
        }
        const isAnew = error instanceof Refused && error.asksForNewBatch && anew < SIGNED_ANEW_MAX;
        if (!isAnew) throw error;
      }
    }
  }
}

/** @param {Uint8Array} batch @returns {ItemResult} */
function open(batch) {
  return {
    isApplied: false, isOpen: true, newIdIsSafe: false, code: null, name: "open", height: null,
    standing: null, batch,
  };
}

const STANDS = new Set(["collected", "instructed", "arrived", "reserved", "debiting", "held"]);

/**
 * What became of each item of a batch that is final.
 *
 * @param {import("./types.js").BatchReport} report
 * @param {number} count
 * @param {Uint8Array} batch
 * @returns {ItemResult[]}
 */
export function resultsOf(report, count, batch) {
  const height = report.height ?? null;
  const applied = {
    isApplied: true, isOpen: false, newIdIsSafe: false, code: 0, name: "applied", height,
    standing: null, batch,
  };
  const isOfOrders = new Reader(batch.slice(2, 4)).u16() === KINDS.recharge.number;
  const codes = report.outcomes?.codes_base64;
  const reader = new Reader(codes === undefined ? new Uint8Array(2 * count) : fromBase64(codes));
  /** @type {ItemResult[]} */
  const results = Array.from({ length: count }, () => ({ ...applied, code: reader.u16() }));
  for (const { item_index: at, code, name, standing } of report.outcomes?.not_applied ?? []) {
    // Repeated, or too late to say: it stands as it stood, if it is this very order.
    const isOld = standing !== undefined && standing.same_content !== false;
    const stands = isOld && STANDS.has(standing.status);
    // Of an old order the node may have looked up no more: then it is asked for by its id.
    const isUntold = code === REPEATED && standing === undefined;
    results[at] = {
      ...applied, code, name, standing: standing ?? null,
      isApplied: isApplied(code) || stands || (isUntold && !isOfOrders),
      isOpen: isUntold && isOfOrders,
      newIdIsSafe: standing?.new_id_is_safe === true,
    };
  }
  return results;
}
