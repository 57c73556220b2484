// Calls of the node's JSON-RPC interface, at the origin that this page came from.

import { clean } from "./text.js";
import { tokenHeader } from "./token.js";

const TIMEOUT_MS = 20_000;

/** An error that the node answered, or the reason why there is no answer. */
export class RpcFailure extends Error {
  /**
   * @param {string} message
   * @param {{code?: number, name?: string, remedy?: string, retryAfterMs?: number}} [more]
   */
  constructor(message, { code, name, remedy, retryAfterMs } = {}) {
    super(message);
    this.code = code;
    /** The stable name of the code. */
    this.errorName = name ?? "";
    this.remedy = remedy ?? "";
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Returns the failure that an error object of JSON-RPC says.
 *
 * @param {any} error
 */
export function failureOf(error) {
  const data = error?.data ?? {};
  const cause = clean(data.cause || error?.message || "The node gave an error without words.");
  const detail = data.detail ? ` ${clean(data.detail)}` : "";
  return new RpcFailure(cause + detail, {
    code: error?.code, name: clean(data.name), remedy: clean(data.remedy),
    retryAfterMs: data.retry_after_ms,
  });
}

let lastId = 0;

/**
 * Calls a method and gives its result; throws `RpcFailure`.
 *
 * @param {string} method
 * @param {object} [params]
 * @param {AbortSignal} [signal]
 */
export async function call(method, params = {}, signal) {
  lastId += 1;
  const id = lastId;
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  const either = signal ? AbortSignal.any([signal, limit]) : limit;
  let response;
  try {
    response = await fetch("/", {
      method: "POST", headers: { ...tokenHeader(), "content-type": "application/json" },
      cache: "no-store",
      credentials: "same-origin", redirect: "error", signal: either,
      body: JSON.stringify({ jsonrpc: "2.0", id, method, params }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    const isLate = limit.aborted;
    throw new RpcFailure(
      isLate ? "The node did not answer in 20 s." : "The node cannot be reached.");
  }
  let answer;
  try {
    answer = await response.json();
  } catch {
    throw new RpcFailure(`The node answered with HTTP ${response.status} and no JSON.`);
  }
  if (answer.error) throw failureOf(answer.error);
  if (answer.id !== id) throw new RpcFailure("The answer is to another call.");
  return answer.result;
}

const PAGE = 100;

/**
 * Gives all items of a list, page by page, up to so many pages.
 *
 * @param {string} method
 * @param {AbortSignal} signal
 * @param {number} [pagesMax]
 */
export async function all(method, signal, pagesMax = 20) {
  const found = [];
  let cursor;
  for (let count = 0; count < pagesMax; count += 1) {
    const params = { limit: PAGE, ...(cursor === undefined ? {} : { cursor }) };
    const { items, next } = await call(method, params, signal);
    found.push(...items);
    if (items.length < PAGE || next === undefined || next === cursor) break;
    cursor = next;
  }
  return { items: found };
}
