// The columns of lists that stand on more than one page. `text` is what CSV gets.

import { decimal } from "./money.js";
import { clean, grouped, words } from "./text.js";
import { duration, utc } from "./time.js";
import {
  account, block, figure, hash, link, moment, money, name, order, state, yes,
} from "./view.js";

/** @typedef {import("./view.js").Column} Column */
/** @typedef {import("./scope.js").App} App */

const plain = (/** @type {number | undefined} */ ms) => (ms === undefined ? "" : utc(ms));

/** @param {string} title @param {(row: any) => any} of @returns {Column[]} */
export function moneyColumns(title, of) {
  return [
    { title, text: (row) => decimal(of(row)), cell: (row) => figure(of(row)), isNumber: true },
  ];
}

/** @param {App} app @returns {Column[]} */
export const blockColumns = (app) => [
  { title: "Height", text: ({ height }) => height, cell: ({ height }) => block(height),
    isNumber: true },
  { title: "Time", text: ({ time_ms }) => utc(time_ms), cell: ({ time_ms }) => moment(time_ms) },
  { title: "Batches", text: ({ batch_count }) => batch_count, isNumber: true },
  { title: "Window", text: ({ window }) => window,
    cell: ({ window }) => link("window", window, grouped(window)), isNumber: true },
  { title: "Proposer", text: ({ proposer }) => proposer,
    cell: ({ proposer }) => app.node(proposer) },
  { title: "Round", text: ({ round }) => round, isNumber: true },
  { title: "Hash", text: ({ block_hash }) => block_hash, cell: ({ block_hash }) =>
    hash(block_hash) },
];

/** @param {App} app @returns {Column[]} */
export const instructionColumns = (app) => [
  { title: "Instruction", text: ({ instruction_id }) => instruction_id,
    cell: ({ instruction_id }) => link("instruction", instruction_id, instruction_id) },
  { title: "State", text: ({ status }) => status, cell: ({ status }) => state(status) },
  { title: "Merchant", text: ({ merchant }) => merchant,
    cell: ({ merchant }) => app.merchant(merchant) },
  { title: "Paid by", text: ({ gateway }) => gateway, cell: ({ gateway }) => app.party(gateway) },
  { title: "Currency", text: ({ amount }) => amount.currency },
  ...moneyColumns("Amount", ({ amount }) => amount),
  ...moneyColumns("To be paid", ({ amount_left }) => amount_left),
  { title: "Orders", text: ({ order_count }) => order_count, isNumber: true },
  { title: "Attempt", text: ({ attempt }) => attempt, isNumber: true },
  { title: "Made", text: ({ instructed_ms }) => utc(instructed_ms),
    cell: ({ instructed_ms }) => moment(instructed_ms) },
  { title: "Due", text: ({ deadline_ms }) => utc(deadline_ms),
    cell: ({ deadline_ms }) => moment(deadline_ms) },
  { title: "Ended", text: ({ settled_ms }) => plain(settled_ms),
    cell: ({ settled_ms }) => moment(settled_ms) },
  { title: "Late", text: ({ is_late }) => yes(is_late) },
];

/** @param {App} app @returns {Column[]} */
export const breachColumns = (app) => [
  { title: "Noticed", text: ({ noticed_ms }) => utc(noticed_ms),
    cell: ({ noticed_ms }) => moment(noticed_ms) },
  { title: "Stage missed", text: ({ stage }) => stage, cell: ({ stage }) => words(stage) },
  { title: "Subject", text: ({ subject }) => subject, cell: ({ subject }) =>
    (clean(subject).length === 36 ? order(subject) : link("instruction", subject, subject)) },
  { title: "Was due", text: ({ deadline_ms }) => utc(deadline_ms),
    cell: ({ deadline_ms }) => moment(deadline_ms) },
  { title: "Late by", text: ({ noticed_ms, deadline_ms }) => noticed_ms - deadline_ms,
    cell: ({ noticed_ms, deadline_ms }) => duration(noticed_ms - deadline_ms), isNumber: true },
  { title: "Whose", text: ({ late }) => late ?? "", cell: ({ late }) => app.party(late) },
  { title: "Block", text: ({ height }) => height, cell: ({ height }) => block(height),
    isNumber: true },
];

/** @returns {Column[]} */
export const accountColumns = () => [
  { title: "Account", text: ({ account: id }) => id, cell: ({ account: id }) => account(id) },
  ...moneyColumns("Balance", ({ balance }) => balance),
  ...moneyColumns("Available", ({ available }) => available),
  ...moneyColumns("Settled", ({ settled }) => settled),
  ...moneyColumns("Position", ({ position }) => position),
  ...moneyColumns("Net debit cap", ({ net_debit_cap }) => net_debit_cap),
  ...moneyColumns("Pending debits", ({ debits_pending }) => debits_pending),
  ...moneyColumns("Pending credits", ({ credits_pending }) => credits_pending),
];

/** @param {App} app @returns {Column[]} */
export const transferColumns = (app) => [
  { title: "Transfer", text: ({ transfer_id }) => transfer_id,
    cell: ({ transfer_id }) => link("transfer", transfer_id, transfer_id) },
  { title: "What", text: ({ action }) => action, cell: ({ action }) => words(action) },
  { title: "State", text: ({ status }) => status, cell: ({ status }) => state(status) },
  { title: "Account", text: ({ account: id }) => id, cell: ({ account: id }) => account(id) },
  { title: "Amount", text: ({ amount }) => decimal(amount), cell: ({ amount }) => money(amount),
    isNumber: true },
  { title: "Maker", text: ({ maker }) => maker, cell: ({ maker }) => app.party(maker) },
  { title: "Checker", text: ({ checker }) => checker ?? "",
    cell: ({ checker }) => (checker === undefined ? "none yet" : app.party(checker)) },
  { title: "Proposed", text: ({ proposed_ms }) => utc(proposed_ms),
    cell: ({ proposed_ms }) => moment(proposed_ms) },
];

/** @param {App} app @returns {Column[]} */
export const merchantColumns = (app) => [
  { title: "Merchant", text: ({ merchant }) => merchant,
    cell: ({ merchant }) => link("merchant", merchant, merchant) },
  { title: "Name", text: (row) => row.name, cell: (row) => name(row.name) },
  { title: "Paid by", text: ({ payout_gateway }) => payout_gateway,
    cell: ({ payout_gateway }) => app.party(payout_gateway) },
  { title: "Legal entity", text: ({ legal_entity }) => legal_entity,
    cell: ({ legal_entity }) => name(legal_entity) },
  { title: "Suspended", text: ({ suspended }) => yes(suspended) },
];
