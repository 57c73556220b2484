// Windows with their netting, instructions with their attempts, and deadlines that were missed.

import { html, nothing } from "lit-html";

import { breachColumns, instructionColumns, moneyColumns } from "../columns.js";
import { listBody, listPage } from "../list.js";
import { proofPanel } from "../prove.js";
import { grouped } from "../text.js";
import { duration, utc } from "../time.js";
import {
  account, block, facts, link, moment, money, name, note, section, shown, state, table, whole,
} from "../view.js";

const EVERY_MS = 5_000;
const standing = ({ closed_ms, settled, proposed }) => {
  if (settled) return "settled";
  if (closed_ms === undefined) return "open";
  return proposed ? "settlement proposed" : "closed";
};

/** @param {import("../scope.js").Scope} scope @param {string} _ @param {URLSearchParams} query */
export function windows(scope, _, query) {
  return listPage(scope, {
    title: "Windows", page: "windows", method: "settlement_windows", file: "windows.csv",
    everyMs: EVERY_MS, remark: "The newest first; the open one is among them.",
    columns: [
      { title: "Window", text: ({ window }) => window,
        cell: ({ window }) => link("window", window, grouped(window)), isNumber: true },
      { title: "State", text: standing, cell: (row) => state(standing(row)) },
      { title: "Opened", text: ({ opened_ms }) => utc(opened_ms),
        cell: ({ opened_ms }) => moment(opened_ms) },
      { title: "Closed", text: ({ closed_ms }) => (closed_ms ? utc(closed_ms) : ""),
        cell: ({ closed_ms }) => moment(closed_ms) },
      { title: "Orders", text: ({ order_count }) => order_count,
        cell: ({ order_count }) => grouped(order_count), isNumber: true },
      { title: "Instructions", text: ({ instruction_count }) => instruction_count,
        cell: ({ instruction_count }) => grouped(instruction_count), isNumber: true },
      { title: "Parties with a position", text: ({ positions }) => positions.length,
        isNumber: true },
    ],
  }, query);
}

/** The account that a position is of. */
const accountOf = ({ kind, owner, net }) => `${kind}:${owner}:${net.currency}`;

/**
 * @param {import("../scope.js").Scope} scope
 * @param {string} part
 * @param {URLSearchParams} query
 */
export function oneWindow(scope, part, query) {
  const { app } = scope;
  const number = Number(part);
  const report = scope.ask("settlement_window", { window: number }, { everyMs: EVERY_MS });
  const instructions = listBody(scope, {
    title: "Instructions of the window", page: "window", part, method: "settlement_instructions",
    params: { filter: { window: number } }, columns: instructionColumns(app),
    file: `window-${part}-instructions.csv`, everyMs: EVERY_MS,
    empty: "The window has made no instruction.",
  }, query);
  const proof = proofPanel(scope, {
    subject: "proof", method: "settlement_window_proof", params: { window: number },
    bytesOf: ({ proof_base64 }) => proof_base64, file: `window-${part}-proof.bin`,
    expected: (proven) => {
      const isThis = proven.kind === "window" && proven.window === BigInt(part);
      return isThis ? netsDiffer(proven, report.value) : "The proof is about something else.";
    },
  });
  return {
    title: `Window ${part}`,
    body: () => html`${shown(report, (value) => html`
      ${facts([
        ["State", state(standing(value))],
        ["Opened", moment(value.opened_ms)],
        ["Closed", value.closed_ms && moment(value.closed_ms)],
        ["Open for", value.closed_ms && duration(value.closed_ms - value.opened_ms)],
        ["Blocks", html`${block(value.first_height)} to ${value.last_height === undefined
          ? "the newest" : block(value.last_height)}`],
        ["Orders collected", grouped(value.order_count)],
        ["Instructions made", grouped(value.instruction_count)],
        ["Digest of the positions", value.digest && whole(value.digest)],
        ["Proposed to be settled", value.proposed && html`by ${app.party(value.proposed.agent)},
          ${moment(value.proposed.proposed_ms)}`],
        ["Settled", value.settled && html`${moment(value.settled.settled_ms)}, proposed by
          ${app.party(value.settled.agent)}, approved by ${app.party(value.settled.checker)}, in
          block ${block(value.settled.height)}`],
        ["Reference of the settlement", value.settled && whole(value.settled.reference)],
      ])}
      ${section("Netting", netting(value.positions))}`)}
      ${section("Instructions", instructions())}
      ${section("Proof", html`${shown(report, ({ closed_ms }) => (closed_ms === undefined
        ? note("An open window has no proof yet.") : proof()))}`)}`,
  };
}

/** How the proven nets differ from those shown, or nothing. */
function netsDiffer(proven, shownWindow) {
  if (!shownWindow) return "";
  const nets = (list, of) => list.map(of).sort().join(" ");
  const one = nets(proven.positions, ({ owner, net }) => `${owner}:${net}`);
  const two = nets(shownWindow.positions, ({ owner, net }) => `${owner}:${net.minor}`);
  return one === two ? "" : "The proven positions are not those that the node shows.";
}

function netting(positions) {
  const currencies = [...new Set(positions.map(({ net }) => net.currency))].sort();
  if (currencies.length === 0) return html`<p class="quiet">Nobody owes anything yet.</p>`;
  return currencies.map((currency) => {
    const rows = positions.filter(({ net }) => net.currency === currency);
    const net = rows.reduce((sum, row) => sum + BigInt(row.net.minor), 0n);
    return html`<h3>${currency}</h3>
      ${table(`Netting in ${currency}`, [
        { title: "Account", text: accountOf, cell: (row) => account(accountOf(row)) },
        ...moneyColumns("Owes", ({ gross_debits }) => gross_debits),
        ...moneyColumns("Is owed", ({ gross_credits }) => gross_credits),
        ...moneyColumns("Net", (row) => row.net),
      ], rows)}
      <p class="quiet">The nets in ${currency} add up to ${net === 0n ? "zero"
        : html`<strong>${net.toString()} minor units, and not to zero</strong>`}.</p>`;
  });
}

/** @param {import("../scope.js").Scope} scope @param {string} id */
export function oneInstruction(scope, id) {
  const { app } = scope;
  const report = scope.ask("settlement_instruction", { instruction_id: id }, { everyMs: 2_000 });
  return {
    title: `Instruction ${id}`,
    body: () => shown(report, (value) => html`
      ${facts([
        ["State", html`${state(value.status)}${value.is_late ? " after its deadline" : ""}`],
        ["Amount", money(value.amount)],
        ["To be paid", money(value.amount_left)],
        ["Sent back since it failed", value.amount_returned.minor === "0" ? undefined
          : money(value.amount_returned)],
        ["Merchant", app.merchant(value.merchant)],
        ["Paid by", app.party(value.gateway)],
        ["Window", link("window", value.window, grouped(value.window))],
        ["Orders", html`${grouped(value.order_count)}, ${grouped(value.cross_border_count)} of them
          converted`],
        ["First order accepted", moment(value.earliest_accepted_ms)],
        ["Made", moment(value.instructed_ms)],
        ["Due", moment(value.deadline_ms)],
        ["Ended", value.settled_ms && html`${moment(value.settled_ms)}, that is
          ${duration(value.settled_ms - value.earliest_accepted_ms)} after the first acceptance`],
        ["Bank's reference", value.reference && whole(value.reference)],
        ["Cashback on its orders", value.cashback && html`${value.cashback.map((each) =>
          html`<div>${money(each.amount)} by ${app.party(each.gateway)}</div>`)}`],
      ])}
      ${section("Attempts", html`
        ${facts([
          ["Attempt", grouped(value.attempt)],
          ["Recalled", value.recalled_ms && moment(value.recalled_ms)],
          ["Last failure", value.failure && html`reason ${value.failure.reason}, ISO 20022
            ${name(value.failure.iso_code)}`],
          ["Attested by", value.failed_by && app.party(value.failed_by)],
        ])}
        ${value.attempt > 1 ? note("The node gives the number of the attempt and the last failure. "
          + "Failures before that stand in the blocks, and this interface does not list them.")
          : nothing}`)}`),
  };
}

/** @param {import("../scope.js").Scope} scope @param {string} _ @param {URLSearchParams} query */
export function breaches(scope, _, query) {
  return listPage(scope, {
    title: "Missed deadlines", page: "breaches", method: "settlement_breaches",
    columns: breachColumns(scope.app), file: "missed-deadlines.csv", everyMs: EVERY_MS,
    empty: "No deadline was missed since block zero.",
    remark: "The oldest first. A missed deadline is a fact of the ledger and never goes away.",
  }, query);
}

