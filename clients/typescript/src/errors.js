// What went wrong with a call, and what follows from it: docs/client-recovery.md, *For programs*.
// Decides and does nothing.

/** How long to pause, in milliseconds, unless a node says when to try again. */
const PAUSE_MS = 200;
/** The longest pause that a node may ask for: it does not make its clients sleep for ever. */
const PAUSE_MS_MAX = 5_000;

export const WAIT_TIMEOUT = 1005;
const POOL_FULL = 115;
const BATCH_EXPIRED = 112;
const BATCH_DROPPED = 1017;

/**
 * Errors that say nothing of what was asked: nobody who knows could be reached, or it may be done
 * all the same.
 */
const FATE_OPEN = new Set([
  WAIT_TIMEOUT, 1006, 1008, 1010, 1014, 1015, 1016, 1020, 1030, 1031, 1032, 1033, 1034, -32603,
  -32008,
]);

/** The node, or the chain through it, refused. */
export class Refused extends Error {
  /**
   * @param {string} url
   * @param {number} code
   * @param {string} message
   * @param {Partial<import("./types.js").ErrorData>} [data]
   */
  constructor(url, code, message, data = {}) {
    super(`${message} (code ${code})${data.remedy ? `: ${data.remedy}` : ""}`);
    this.name = "Refused";
    this.url = url;
    this.code = code;
    /** The stable name of the code; empty if the node sent none. */
    this.codeName = data.name ?? "";
    this.remedy = data.remedy ?? "";
    this.isTransient = data.transient === true;
    const after = data.retry_after_ms;
    this.retryAfterMs = typeof after === "number" && after >= 0 ? after : null;
  }

  /** True if nothing was done. Of every other error nobody knows yet what became of the call. */
  get isRefusal() {
    return !FATE_OPEN.has(this.code);
  }

  /** True if a new batch of the same items is to be signed; its orders keep their ids. */
  get asksForNewBatch() {
    return this.code === BATCH_EXPIRED || this.code === BATCH_DROPPED
      || (this.code === POOL_FULL && !this.isTransient);
  }
}

/** The node could not be reached, or its answer not be read. */
export class Unreachable extends Error {
  /** @param {string} url @param {string} problem */
  constructor(url, problem) {
    super(`${url} does not answer: ${problem}`);
    this.name = "Unreachable";
    this.url = url;
    this.isRefusal = false;
  }
}

/** The time was over; what became of the call is not known. */
export class FateOpen extends Error {
  /** @param {number} waitedMs @param {string} last */
  constructor(waitedMs, last) {
    super(`no final answer within ${waitedMs} ms; last: ${last}`);
    this.name = "FateOpen";
    this.isRefusal = false;
  }
}

/** @param {number | null} retryAfterMs */
function pauseOf(retryAfterMs) {
  return Math.min(retryAfterMs ?? PAUSE_MS, PAUSE_MS_MAX);
}

/**
 * How a call goes on after an error: at the same node, at another, or not.
 *
 * @param {unknown} error
 * @returns {{node: "same" | "other", afterMs: number} | {node: "none"}}
 */
export function nextStep(error) {
  if (error instanceof Unreachable) return { node: "other", afterMs: PAUSE_MS };
  if (!(error instanceof Refused)) return { node: "none" };
  if (error.code === WAIT_TIMEOUT) return { node: "same", afterMs: 0 };
  if (!error.isTransient) return { node: "none" };
  // All nodes enforce one share: another would say the same, and have the work of it.
  const node = error.code === POOL_FULL ? "same" : "other";
  return { node, afterMs: pauseOf(error.retryAfterMs) };
}
