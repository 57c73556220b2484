// The client over several nodes: JSON-RPC 2.0 by HTTP POST, round robin, and on to the next node
// when one does not answer. To send the same bytes again, to any node, is safe: they never settle
// twice. docs/client-recovery.md says what is certain when.

import { answerOf, requireBatchReport, requireOrderReport, requirePage } from "./answers.js";
import { fromBase64, Invalid, Reader, require, toBase64, toHex } from "./bytes.js";
import { FateOpen, nextStep, Refused, Unreachable } from "./errors.js";
import { fateOf } from "./fate.js";
import { lineageApart } from "./lineage.js";
import { verifyReceipt } from "./receipt.js";
import { batchId } from "./sign.js";

/** How long one call may wait at the node, in milliseconds; longer waits are several calls. */
const WAIT_MS = 10_000;
/** How long a call may take beyond the wait that it asks for, in milliseconds. */
const CALL_SLACK_MS = 20_000;
/** The largest answer that is read, in bytes: the rest of a larger one is not. */
export const ANSWER_BYTES_MAX = 16 * 1024 * 1024;
/** When to try again after a refusal by status, in milliseconds. */
const STATUS_RETRY_MS = 1_000;
/** How long to pause between two looks at an order, in milliseconds. */
const POLL_MS = 250;
/** How many pages of handovers are read. */
const LINEAGE_PAGES_MAX = 10_000;

/** @typedef {import("./types.js").Methods} Methods */
/** @typedef {import("./types.js").BatchReport} BatchReport */
/** @typedef {import("./types.js").OrderReport} OrderReport */

/**
 * @typedef {object} Options
 * @property {typeof fetch} [fetch]
 * @property {Record<string, string>} [headers] What each request carries besides.
 * @property {string} [token] The token that the nodes ask for: docs/access.md.
 * @property {(milliseconds: number) => Promise<void>} [sleep]
 * @property {() => number} [nowMs] A clock that only goes forward.
 */

/** @param {number} milliseconds @returns {Promise<void>} */
const sleep = (milliseconds) => new Promise((wake) => {
  setTimeout(wake, milliseconds);
});

/**
 * Reads a body of at most `ANSWER_BYTES_MAX` bytes.
 *
 * @param {Response} response
 * @param {AbortController} call
 */
async function bodyOf(response, call) {
  require(response.body, "an answer without a body");
  const [reader, decoder] = [response.body.getReader(), new TextDecoder("utf-8", { fatal: true })];
  let [text, size] = ["", 0];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.length;
    if (size > ANSWER_BYTES_MAX) {
      call.abort();
      throw new Invalid(`an answer of more than ${ANSWER_BYTES_MAX} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}

/**
 * Statuses by which a node refuses, perhaps through a proxy that says no more.
 *
 * @type {Record<number, {code: number, name: string, transient: boolean}>}
 */
const REFUSALS = {
  401: { code: 1031, name: "token-refused", transient: false },
  403: { code: 1034, name: "scope-lacking", transient: false },
  429: { code: 1010, name: "budget-exceeded", transient: true },
  503: { code: 1015, name: "node-busy", transient: true },
};

/**
 * The refusal of a status. For one of access the body says which.
 *
 * @param {string} url
 * @param {Response} response
 * @param {AbortController} call
 * @param {number} id
 */
async function refusedByStatus(url, response, call, id) {
  const { code, name, transient } = REFUSALS[response.status];
  if (!transient) {
    try {
      const { error } = answerOf(JSON.parse(await bodyOf(response, call)), id);
      if (error) return new Refused(url, error.code, error.message, error.data);
    } catch {
      // It is not a node's, or cut: the status is all that is known.
    }
  }
  call.abort();
  const data = { name, transient, retry_after_ms: transient ? STATUS_RETRY_MS : undefined };
  return new Refused(url, code, `${name}: HTTP status ${response.status}`, data);
}

/** Returns true if nobody on the network can read what goes to a URL. @param {string} url */
function isPrivate(url) {
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || hostname === "localhost" || hostname === "[::1]"
    || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** @param {unknown} error */
function inWords(error) {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message;
}

/** Clients to the nodes of one network. */
export class Client {
  /**
   * @param {string[]} urls
   * @param {Options} [options]
   */
  constructor(urls, options = {}) {
    require(urls.length > 0, "no node's URL is given");
    for (const url of urls) require(/^https?:\/\//.test(url), `${url} is not a node's URL`);
    this.urls = [...urls];
    this.fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
    this.headers = { ...options.headers };
    if (options.token !== undefined) {
      const open = this.urls.find((url) => !isPrivate(url));
      require(!open, `${open} would show the token to the network: use https`);
      this.headers.authorization = `Bearer ${options.token}`;
    }
    this.sleep = options.sleep ?? sleep;
    this.nowMs = options.nowMs ?? (() => performance.now());
    this.turn = 0;
    this.id = 0;
  }

  /** @param {number} at */
  url(at) {
    return this.urls[at % this.urls.length];
  }

  /**
   * Asks one node; throws `Refused` or `Unreachable`.
   *
   * @template {keyof Methods} M
   * @param {number} at
   * @param {M} method
   * @param {Methods[M]["params"]} params
   * @param {(result: any) => void} [check] Throws `Invalid` for what is no answer of a node.
   * @returns {Promise<Methods[M]["result"]>}
   */
  async askNode(at, method, params, check = () => {}) {
    const url = this.url(at);
    this.id += 1;
    const { id } = this;
    const call = new AbortController();
    const timer = setTimeout(() => call.abort(), WAIT_MS + CALL_SLACK_MS);
    try {
      const response = await this.fetch(url, {
        method: "POST", headers: { ...this.headers, "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id, method, params }), redirect: "error",
        signal: call.signal,
      });
      const { status } = response;
      if (status in REFUSALS) throw await refusedByStatus(url, response, call, id);
      require(status === 200, `HTTP status ${status}`);
      const { result, error } = answerOf(JSON.parse(await bodyOf(response, call)), id);
      if (error) throw new Refused(url, error.code, error.message, error.data);
      check(result);
      return result;
    } catch (error) {
      throw error instanceof Refused ? error : new Unreachable(url, inWords(error));
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Asks the nodes in turn until one answers; throws the first refusal that does not pass, or the
   * last node's error when none answers.
   *
   * @template {keyof Methods} M
   * @param {M} method
   * @param {Methods[M]["params"]} params
   * @param {(result: any) => void} [check]
   * @returns {Promise<Methods[M]["result"]>}
   */
  async call(method, params, check) {
    const first = this.turn;
    this.turn += 1;
    for (let at = first; ; at += 1) {
      try {
        return await this.askNode(at, method, params, check);
      } catch (error) {
        const isLast = at - first + 1 >= this.urls.length;
        if (isLast || nextStep(error).node === "none") throw error;
      }
    }
  }

  /**
   * Submits a signed batch and waits until it is final, by the same bytes, over several calls and
   * nodes if need be. Throws a refusal that does not pass, or `FateOpen` when the time is over:
   * then submit the same bytes again, later or elsewhere, and never orders with new ids.
   *
   * @param {Uint8Array} batch
   * @param {{timeoutMs?: number, withCodes?: boolean}} [options]
   * @returns {Promise<BatchReport>}
   */
  async submit(batch, { timeoutMs = 60_000, withCodes = false } = {}) {
    const [id, count] = [toHex(batchId(batch.slice(0, 84))), new Reader(batch.slice(40, 44)).u32()];
    const bytes = toBase64(batch);
    const [started, first] = [this.nowMs(), this.turn];
    this.turn += 1;
    for (let at = first; ;) {
      const asked = this.nowMs();
      const leftMs = timeoutMs - (asked - started);
      let [last, pauseMs] = ["the node did not wait for it", 0];
      try {
        const report = await this.askNode(at, "batch_submit", {
          bytes_base64: bytes, wait: "final", with_codes: withCodes,
          timeout_ms: Math.round(Math.min(Math.max(leftMs, 1), WAIT_MS)),
        }, (answer) => requireBatchReport(answer, id, count));
        if (report.state === "final") return report;
        pauseMs = POLL_MS;
      } catch (error) {
        const next = nextStep(error);
        if (next.node === "none") throw error;
        last = inWords(error);
        if (next.node === "other") at += 1;
        const areAllTried = (at - first) % this.urls.length === 0;
        // A node that says at once that it waited does not keep its clients busy.
        const tookMs = this.nowMs() - asked;
        if (next.node === "same") pauseMs = Math.max(next.afterMs, POLL_MS - tookMs);
        else if (areAllTried) pauseMs = next.afterMs;
      }
      if (this.nowMs() - started + pauseMs >= timeoutMs) throw new FateOpen(timeoutMs, last);
      await this.sleep(pauseMs);
    }
  }

  /**
   * How an order stands. A node that is behind `minHeight` is passed over: whoever saw a batch
   * final at a height gives it, so that no node that is behind says *not found* of what is booked.
   *
   * @param {string} orderId
   * @param {{minHeight?: number}} [options]
   * @returns {Promise<{report: OrderReport, fate: import("./fate.js").Fate}>}
   */
  async order(orderId, { minHeight = 0 } = {}) {
    const report = await this.call("recharge_order", { order_id: orderId }, (answer) => {
      requireOrderReport(answer, orderId);
      require(fateOf(answer, minHeight) !== "behind", "the node is behind what is known here");
    });
    return { report, fate: fateOf(report, minHeight) };
  }

  /**
   * Waits until an order has one of these statuses; throws `FateOpen` when the time is over.
   *
   * @param {string} orderId
   * @param {string[]} statuses
   * @param {{timeoutMs?: number, minHeight?: number}} [options]
   */
  async waitForOrder(orderId, statuses, { timeoutMs = 600_000, minHeight = 0 } = {}) {
    const started = this.nowMs();
    for (;;) {
      let last;
      try {
        const { report } = await this.order(orderId, { minHeight });
        if (statuses.includes(report.status)) return report;
        last = `it is ${report.status}`;
      } catch (error) {
        if (nextStep(error).node === "none") throw error;
        last = inWords(error);
      }
      if (this.nowMs() - started + POLL_MS >= timeoutMs) throw new FateOpen(timeoutMs, last);
      await this.sleep(POLL_MS);
    }
  }

  /**
   * The bytes of an order's receipt, to be verified against the user's own genesis file.
   *
   * @param {string} orderId
   * @param {{lineageApart?: boolean}} [options]
   */
  async receipt(orderId, { lineageApart: isApart = false } = {}) {
    const params = { order_id: orderId, lineage_apart: isApart };
    const report = await this.call("recharge_receipt", params,
      (answer) => fromBase64(answer.receipt_base64));
    return fromBase64(report.receipt_base64);
  }

  /**
   * An order's receipt, verified against the user's own genesis file. A node whose receipt does not
   * hold, or is of another order, is passed over like one that does not answer.
   *
   * @param {string} orderId
   * @param {import("./genesis.js").Genesis} genesis
   * @returns {Promise<{bytes: Uint8Array, proven: import("./receipt.js").ProvenReceipt}>}
   */
  async verifiedReceipt(orderId, genesis) {
    /** @param {any} answer */
    const judged = (answer) => {
      const bytes = fromBase64(answer.receipt_base64);
      const proven = verifyReceipt(bytes, genesis);
      require(proven.orderId === orderId, "the receipt is of another order");
      return { bytes, proven };
    };
    return judged(await this.call("recharge_receipt", { order_id: orderId }, judged));
  }

  /** The bytes of the proof of a closed window's report. @param {number} window */
  async windowProof(window) {
    const report = await this.call("settlement_window_proof", { window },
      (answer) => fromBase64(answer.proof_base64));
    return fromBase64(report.proof_base64);
  }

  /**
   * The bytes of the proof of an account's counters, such as of `gateway-liquidity:201:CNY`.
   *
   * @param {string} account
   * @param {{height?: number}} [options]
   */
  async accountProof(account, { height } = {}) {
    const params = height === undefined ? { account } : { account, height };
    const report = await this.call("ledger_account_proof", params,
      (answer) => fromBase64(answer.proof_base64));
    return fromBase64(report.proof_base64);
  }

  /** Every change of validators, as the bytes of a lineage that stands apart. */
  async lineage() {
    const handovers = [];
    /** @type {string | undefined} */
    let cursor;
    for (let pages = 0; pages < LINEAGE_PAGES_MAX; pages += 1) {
      const params = cursor === undefined ? {} : { cursor };
      const page = await this.call("chain_lineage", params, requirePage);
      for (const item of page.items) handovers.push(fromBase64(item.handover_base64));
      cursor = page.next;
      if (cursor === undefined) return lineageApart(handovers);
    }
    throw new Invalid("a lineage of more pages than any chain has");
  }
}
