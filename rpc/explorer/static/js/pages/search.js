// Finds whatever has the name that was typed.

import { html } from "lit-html";

import { candidates } from "../identify.js";
import { call } from "../rpc.js";
import { clean, words } from "../text.js";
import { link, note, shown } from "../view.js";

/** How the node is asked whether there is such a thing. */
const QUESTIONS = {
  order: (part) => call("recharge_order", { order_id: part })
    .then(({ status }) => status !== "not-found"),
  transfer: (part) => call("ledger_transfer", { transfer_id: part }).then(() => true),
  proposal: (part) => call("governance_proposal", { proposal_id: part }).then(() => true),
  block: (part) => call("chain_block", { block: /^\d{1,15}$/.test(part) ? Number(part) : part })
    .then(() => true),
  batch: (part) => call("batch_status", { batch_id: part }).then(({ state }) =>
    state !== "unknown"),
  instruction: (part) => call("settlement_instruction", { instruction_id: part }).then(() => true),
  account: (part) => call("ledger_account", { account: part }).then(() => true),
  window: (part) => call("settlement_window", { window: Number(part) }).then(() => true),
  merchant: (part) => call("governance_merchant", { merchant: part }).then(() => true),
  participant: (part) => call("governance_registry").then(({ participants }) =>
    participants.some(({ participant }) => participant === Number(part))),
};

/** @param {import("../scope.js").Scope} scope @param {string} _ @param {URLSearchParams} query */
export function search(scope, _, query) {
  const text = query.get("q") ?? "";
  const asked = candidates(text);
  const found = scope.load(async () => {
    const isThere = await Promise.all(asked.map(async ({ kind, part }) => {
      try {
        return await QUESTIONS[kind](part);
      } catch (error) {
        if (error.code === undefined) throw error;
        return false;
      }
    }));
    const rows = asked.filter((each, at) => isThere[at]);
    // One thing of this name: its page takes the place of this one.
    if (rows.length === 1 && scope.isOpen) {
      const [{ page, part }] = rows;
      location.replace(`#/${page}/${encodeURIComponent(part)}`);
    }
    return rows;
  });
  return {
    title: "Search",
    body: () => html`<p>Searched for <code class="whole">${clean(text)}</code></p>
      ${asked.length === 0 ? html`<p>No name on this chain has this form.</p>`
        : shown(found, (rows) => (rows.length === 0
          ? html`<p>This node knows nothing of this name. It was looked for as
              ${asked.map(({ kind }) => words(kind).toLowerCase()).join(", ")}.</p>`
          : html`<ul>${rows.map(({ kind, page, part }) =>
            html`<li>${link(page, part, `${words(kind)} ${part}`)}</li>`)}</ul>`))}
      ${note("Names that are found: ids of orders, transfers and proposals, hashes of blocks and "
        + "ids of batches, heights, windows, merchants, participants, instructions such as "
        + "12-1001-156, and accounts such as gateway-liquidity:201:CNY. This node's interface does "
        + "not find an order by its reference, its user or its merchant.")}`,
  };
}
