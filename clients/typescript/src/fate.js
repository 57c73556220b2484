// What an answer about an order means: docs/client-recovery.md, step 4. Decides and does nothing.
//
// A node's word is no proof. What is settled for good is what a receipt proves.

const SETTLED = new Set(["collected", "instructed", "arrived"]);
const WAITING = new Set(["reserved", "debiting", "held"]);
const ENDED = new Set(["voided", "expired", "refused", "failed", "returned"]);

/**
 * @typedef {"settled" | "waiting" | "ended" | "rejected" | "never" | "open" | "behind"} Fate
 *   `settled`: the user's money is booked. `waiting`: it may still be. `ended`: it was given back,
 *   or never taken. `rejected`: nothing was booked. `never`: it is in no block and never will be.
 *   `open`: not an answer yet, ask again. `behind`: this node knows less than the caller.
 */

/**
 * What a node's answer about an order means for whoever knows that the chain reached `minHeight`.
 *
 * @param {Pick<import("./types.js").OrderReport, "status" | "searched">} report
 * @param {number} [minHeight]
 * @returns {Fate}
 */
export function fateOf(report, minHeight = 0) {
  if (report.searched.to_height < minHeight) return "behind";
  if (SETTLED.has(report.status)) return "settled";
  if (WAITING.has(report.status)) return "waiting";
  if (ENDED.has(report.status)) return "ended";
  if (report.status === "rejected") return "rejected";
  if (report.status === "not-found" && !report.searched.may_still_commit) return "never";
  return "open"; // also a name that was added later
}

/**
 * Returns true if a new order with a new id cannot charge the user twice. Of every other fate the
 * order keeps its id.
 *
 * @param {Fate} fate
 */
export function isNewIdSafe(fate) {
  return fate === "never" || fate === "rejected";
}
