// Blocks and the batches in them.

import { html, nothing } from "lit-html";

import { blockColumns } from "../columns.js";
import { listPage } from "../list.js";
import { grouped, words } from "../text.js";
import {
  batch, block, facts, link, listed, moment, note, section, shown, state, table, whole,
} from "../view.js";

const WAITING_MS = 1_000;

/** @param {import("../scope.js").Scope} scope @param {string} _ @param {URLSearchParams} query */
export function blocks(scope, _, query) {
  return listPage(scope, {
    title: "Blocks", page: "blocks", method: "chain_blocks", columns: blockColumns(scope.app),
    file: "blocks.csv", everyMs: 2_000,
    remark: "The newest first. A summary counts a block's batches, not its orders.",
  }, query);
}

/** @param {import("../scope.js").Scope} scope @param {string} part */
export function oneBlock(scope, part) {
  const { app } = scope;
  const selector = /^\d{1,15}$/.test(part) ? Number(part) : part;
  const report = scope.ask("chain_block", { block: selector });
  return {
    title: `Block ${part}`,
    body: () => shown(report, (value) => html`
      ${facts([
        ["Height", grouped(value.height)],
        ["Time", moment(value.time_ms)],
        ["Hash", whole(value.block_hash)],
        ["Parent", value.height === 0 ? undefined
          : html`${block(value.height - 1)} ${whole(value.parent)}`],
        ["Next", html`${block(value.height + 1)}`],
        ["Proposed by", app.node(value.proposer)],
        ["Round", value.round],
        ["Window", link("window", value.window, grouped(value.window))],
        ["Decided by", decided(app, value.certificate)],
        ["Protocol version", value.protocol_version],
      ])}
      ${section("Batches", html`${table("Batches", [
        { title: "Place", text: ({ at }) => at, isNumber: true },
        { title: "Batch", text: ({ batch_id }) => batch_id, cell: ({ batch_id }) =>
          batch(batch_id) },
      ], value.batches.map((each, at) => ({ ...each, at })), "This block holds no batch.")}
      ${note("This node's interface names a block's batches and says how their items ended. It "
        + "does not give the items themselves.")}`)}
      ${section("Roots", facts([
        ["State", whole(value.state_digest)],
        ["Results", whole(value.results_root)],
        ["Batches", whole(value.batches_root)],
        ["Parameters", whole(value.parameters_hash)],
        ["Validators", whole(value.validators_hash)],
        ["Evidence", value.evidence_count === 0 ? "none"
          : html`${value.evidence_count} pieces ${whole(value.evidence_root)}`],
      ]))}`),
  };
}

function decided(app, certificate) {
  if (!certificate) return "nobody: block zero is made from the genesis file";
  const { round, signers } = certificate;
  return html`${listed(signers.map((id) => app.node(id)))}, in round ${round}`;
}

/** @param {import("../scope.js").Scope} scope @param {string} id */
export function oneBatch(scope, id) {
  const report = scope.ask("batch_status", { batch_id: id }, { everyMs: WAITING_MS });
  return {
    title: "Batch",
    body: () => html`<p>${whole(id)}</p>${shown(report, (value) => {
      // A final batch never changes.
      if (value.state === "final") report.everyMs = undefined;
      const { outcomes } = value;
      return html`
        ${facts([
          ["State", state(value.state)],
          ["Block", value.height === undefined ? undefined : block(value.height)],
          ["Place in the block", value.batch_index],
          ["Time of the block", value.height === undefined ? undefined
            : moment(value.block_time_ms)],
          ["Items", outcomes && grouped(outcomes.item_count)],
        ])}
        ${value.state === "unknown" ? note("This node has not seen the batch.") : nothing}
        ${outcomes ? section("Outcomes", table("Outcomes", [
          { title: "Code", text: ({ code }) => code, isNumber: true },
          { title: "Outcome", text: (row) => row.name, cell: (row) => words(row.name) },
          { title: "Items", text: ({ item_count }) => grouped(item_count), isNumber: true },
        ], outcomes.counts)) : nothing}
        ${outcomes ? section("Items that were not applied", table("Items that were not applied", [
          { title: "Place", text: ({ item_index }) => item_index, isNumber: true },
          { title: "Code", text: ({ code }) => code, isNumber: true },
          { title: "Why", text: (row) => row.name, cell: (row) => words(row.name) },
          { title: "The order before", text: ({ standing }) => standing?.status ?? "",
            cell: ({ standing }) => (standing ? state(standing.status) : "unknown") },
          { title: "What to do", text: ({ standing }) => standing?.remedy ?? "" },
        ], outcomes.not_applied, "All items were applied.")) : nothing}
        ${note("This node's interface gives how a batch's items ended, not the items themselves. "
          + "Who has an order's id finds the order by it.")}`;
    })}`,
  };
}

