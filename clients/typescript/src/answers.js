// Answers in the form that the client's decisions rest on. Members that are not known are let
// through, for members may be added; anything else is no answer of a node. Pure.

import { fromBase64, require } from "./bytes.js";
import { isApplied } from "./kinds.js";

/** @param {unknown} value @param {string} what @returns {Record<string, any>} */
function object(value, what) {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  require(isObject, `${what} is no object`);
  return /** @type {Record<string, any>} */ (value);
}

/** @param {unknown} value @param {string} what */
function count(value, what) {
  require(Number.isSafeInteger(value) && Number(value) >= 0, `${what} is no count`);
}

/** @param {unknown} value @param {string} what @returns {any[]} */
function list(value, what) {
  require(Array.isArray(value), `${what} is no list`);
  return value;
}

/** @param {unknown} value @param {string} what */
function text(value, what) {
  require(typeof value === "string", `${what} is no text`);
}

/**
 * The answer to one request: its result, or its error.
 *
 * @param {unknown} value
 * @param {number} id
 */
export function answerOf(value, id) {
  const answer = object(value, "the answer");
  require(answer.jsonrpc === "2.0", "the answer is not JSON-RPC 2.0");
  require(answer.id === id, "the answer is to another request");
  if (answer.error === undefined) {
    require("result" in answer, "the answer has neither result nor error");
    return { result: answer.result, error: null };
  }
  require(!("result" in answer), "the answer has both a result and an error");
  const error = object(answer.error, "the error");
  require(Number.isSafeInteger(error.code), "the error has no code");
  text(error.message, "the error's message");
  const { code, message, data } = error;
  const isData = typeof data === "object" && data !== null;
  return { result: null, error: { code, message, data: isData ? data : {} } };
}

/**
 * What became of the batch of an id.
 *
 * @param {any} report
 * @param {string} batchId
 * @param {number} itemCount
 */
export function requireBatchReport(report, batchId, itemCount) {
  const { batch_id: id, state, height, outcomes } = object(report, "the report");
  require(id === batchId, "the report is of another batch");
  text(state, "the batch's state");
  if (state !== "final") return;
  count(height, "the height");
  requireOutcomes(object(outcomes, "the outcomes"), itemCount);
}

/**
 * @param {Record<string, any>} outcomes
 * @param {number} itemCount
 */
function requireOutcomes({ counts, item_count: items, not_applied: others, codes_base64: codes },
  itemCount) {
  require(items === itemCount, "the outcomes are of another number of items");
  let [sum, otherSum] = [0, 0];
  for (const each of list(counts, "the counts")) {
    const { code, item_count: counted } = object(each, "a count");
    count(code, "an outcome's code");
    count(counted, "an outcome's count");
    sum += counted;
    otherSum += isApplied(code) ? 0 : counted;
  }
  const isWhole = sum === itemCount && list(others, "the items not applied").length === otherSum;
  require(isWhole, "the counts do not add up");
  const isCoded = codes === undefined || fromBase64(codes).length === 2 * itemCount;
  require(isCoded, "the codes are of another number of items");
  for (const each of others) {
    const { item_index: at, code, standing } = object(each, "an item");
    count(at, "an item's place");
    require(at < itemCount, "an item beyond the batch");
    count(code, "an item's code");
    if (standing !== undefined) {
      text(object(standing, "an order's standing").status, "an order's status");
      require(typeof standing.new_id_is_safe === "boolean", "a standing does not say what is safe");
    }
  }
}

/**
 * How an order stands.
 *
 * @param {any} report
 * @param {string} orderId
 */
export function requireOrderReport(report, orderId) {
  const { order_id: id, status, searched } = object(report, "the report");
  require(id === orderId, "the report is of another order");
  text(status, "the order's status");
  const { to_height: height, may_still_commit: may } = object(searched, "what was searched");
  count(height, "the height that was searched");
  require(typeof may === "boolean", "the report does not say whether the order may still commit");
}

/**
 * A page of a list.
 *
 * @param {any} page
 */
export function requirePage(page) {
  const { items, next } = object(page, "the page");
  list(items, "the page's items");
  require(next === undefined || typeof next === "string", "the page's cursor is no text");
}
