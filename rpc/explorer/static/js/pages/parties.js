// Gateways and their health, all other parties, and merchants.

import { html, nothing } from "lit-html";

import { accountColumns, instructionColumns, merchantColumns } from "../columns.js";
import { listBody, listPage } from "../list.js";
import { all, call } from "../rpc.js";
import { grouped, words } from "../text.js";
import { duration } from "../time.js";
import {
  block, facts, figure, name, note, section, shown, table, whole, yes,
} from "../view.js";
import { distribution } from "./overview.js";

const EVERY_MS = 10_000;
const MERCHANT_CURRENCIES_MAX = 32;

/** Everything that a gateway's deadlines say: arrivals, late ones, and breaches by stage. */
function healthOf(report) {
  const arrived = report?.corridors.reduce((sum, { order_count }) => sum + order_count, 0) ?? 0;
  const late = report?.corridors.reduce((sum, { late_count }) => sum + late_count, 0) ?? 0;
  return { arrived, late, breaches: report?.breaches ?? [] };
}

const breachText = (breaches) => breaches.map(({ stage, count }) =>
  `${words(stage)} ${grouped(count)}`).join(", ") || "none";

/** @param {import("../scope.js").Scope} scope */
export function gateways(scope) {
  const { app } = scope;
  const sla = scope.load((signal) => all("settlement_sla", signal), { everyMs: EVERY_MS });
  const columns = [
    { title: "Gateway", text: (row) => row.name, cell: ({ participant }) =>
      app.party(participant) },
    { title: "Suspended", text: ({ suspended }) => yes(suspended) },
    { title: "Orders arrived", text: ({ arrived }) => grouped(arrived), isNumber: true },
    { title: "Of them late", text: ({ late }) => grouped(late), isNumber: true },
    { title: "Missed deadlines by stage", text: ({ breaches }) => breachText(breaches) },
    { title: "Legal entity", text: ({ legal_entity }) => legal_entity,
      cell: ({ legal_entity }) => name(legal_entity) },
  ];
  return {
    title: "Gateways",
    body: () => html`${shown(app.registry, ({ participants: known }) => shown(sla, ({ items }) => {
      const rows = known.filter(({ roles }) => roles.includes("gateway")).map((each) => {
        const report = items.find(({ participant }) => participant === each.participant);
        return { ...each, ...healthOf(report) };
      });
      return table("Health of gateways", columns, rows);
    }))}
    ${note("Counted since block zero, from what the chain records: whether a gateway's own systems "
      + "are up, a node cannot know.")}`,
  };
}

/**
 * @param {import("../scope.js").Scope} scope
 * @param {string} part
 * @param {URLSearchParams} query
 */
export function oneGateway(scope, part, query) {
  const { app } = scope;
  const id = Number(part);
  const sla = scope.load((signal) => all("settlement_sla", signal), { everyMs: EVERY_MS });
  const parameters = scope.ask("chain_parameters");
  const instructions = listBody(scope, {
    title: "Instructions to this gateway", page: "gateway", part, method: "settlement_instructions",
    params: { filter: { gateway: id } }, columns: instructionColumns(app),
    file: `gateway-${part}-instructions.csv`, remark: "Ascending by id: the oldest first.",
    empty: "It has no instruction.",
  }, query);
  const lines = scope.load((signal) => liquidity(id, signal), { everyMs: EVERY_MS });
  return {
    title: `Participant ${part}`,
    body: () => html`${shown(app.registry, ({ participants: known }) => {
      const found = known.find(({ participant }) => participant === id);
      if (!found) return html`<p>No participant has this id.</p>`;
      const isGateway = found.roles.includes("gateway");
      return html`
        ${facts([
          ["Name", name(found.name)],
          ["Roles", found.roles.map(words).join(", ")],
          ["Suspended", yes(found.suspended)],
          ["Legal entity", found.legal_entity ? name(found.legal_entity) : undefined],
          ["Key of its batches", whole(found.public_key)],
          ["Key before, still accepted", found.previous_key && html`
            ${whole(found.previous_key.public_key)} until block
            ${block(found.previous_key.until_height)}`],
        ])}
        ${isGateway ? html`
          ${section("Deadlines", shown(sla, ({ items }) => shown(parameters, (known) =>
            kept(items.find(({ participant }) => participant === id), known))))}
          ${section("Liquidity", shown(lines, liquidityTable))}
          ${section("Instructions", instructions())}` : nothing}`;
    })}`,
  };
}

function kept(report, parameters) {
  if (!report) return html`<p class="quiet">Nothing has arrived by it yet, and it missed none.</p>`;
  const rows = report.corridors.map((corridor) => ({
    ...corridor,
    promised_ms: corridor.is_cross_border ? parameters.deadline_cross_border_ms
      : parameters.deadline_domestic_ms,
  }));
  const within = (corridor) => {
    const { steps, total } = distribution([{ corridors: [corridor] }], corridor.is_cross_border);
    let count = 0;
    const step = steps.find(([, orders]) => {
      count += orders;
      return count * 100 >= total * 99;
    });
    return !step || step[0] === Infinity ? "longer than all steps" : duration(step[0]);
  };
  return html`${table("Corridors", [
    { title: "Paid in", text: ({ payout_currency }) => payout_currency },
    { title: "Kind", text: ({ is_cross_border }) => (is_cross_border ? "across currencies"
      : "within the currency") },
    { title: "Orders arrived", text: ({ order_count }) => grouped(order_count), isNumber: true },
    { title: "Instructions", text: ({ instruction_count }) => grouped(instruction_count),
      isNumber: true },
    { title: "99 of 100 within", text: within, isNumber: true },
    { title: "Promised", text: ({ promised_ms }) => duration(promised_ms), isNumber: true },
    { title: "Late", text: ({ late_count }) => grouped(late_count), isNumber: true },
  ], rows, "Nothing has arrived by it yet.")}
  ${facts([["Missed deadlines", breachText(report.breaches)]])}`;
}

async function liquidity(id, signal) {

  const { currencies } = await call("governance_registry", {}, signal);
  const asked = currencies.slice(0, MERCHANT_CURRENCIES_MAX).map(async (currency) => {
    try {
      return await call("ledger_account", { account: `gateway-liquidity:${id}:${currency}` },
        signal);
    } catch {
      return null;
    }
  });
  return (await Promise.all(asked)).filter((found) => found !== null);
}

const liquidityTable = (rows) => table("Liquidity", accountColumns(), rows,
  "It has no liquidity account that is in use.");

/** @param {import("../scope.js").Scope} scope */
export function participants(scope) {
  const { app } = scope;
  return {
    title: "Participants",
    body: () => shown(app.registry, ({ participants: rows }) => table("Participants", [
      { title: "Participant", text: (row) => row.name, cell: ({ participant }) =>
        app.party(participant) },
      { title: "Roles", text: ({ roles }) => roles.map(words).join(", ") },
      { title: "Suspended", text: ({ suspended }) => yes(suspended) },
      { title: "Legal entity", text: ({ legal_entity }) => legal_entity,
        cell: ({ legal_entity }) => name(legal_entity) },
    ], rows)),
  };
}

/** @param {import("../scope.js").Scope} scope @param {string} _ @param {URLSearchParams} query */
export function merchants(scope, _, query) {
  return listPage(scope, {
    title: "Merchants", page: "merchants", method: "governance_merchants",
    columns: merchantColumns(scope.app), file: "merchants.csv",
  }, query);
}

/** @param {import("../scope.js").Scope} scope @param {string} id */
export function oneMerchant(scope, id) {
  const { app } = scope;
  const report = scope.ask("governance_merchant", { merchant: id });
  const accounts = scope.load((signal) => merchantMoney(id, signal), { everyMs: EVERY_MS });
  return {
    title: `Merchant ${id}`,
    body: () => html`${shown(report, (value) => html`
      ${facts([
        ["Name", name(value.name)],
        ["Paid by", app.party(value.payout_gateway)],
        ["Suspended", yes(value.suspended)],
        ["Legal entity", value.legal_entity ? name(value.legal_entity) : undefined],
        ["Last change", value.changed_height === undefined ? "as in the genesis file"
          : html`block ${block(value.changed_height)}`],
        ["Hash of its account", value.payout_account && whole(value.payout_account)],
      ])}
      ${section("Accounts", shown(accounts, ({ payable }) => table("Accounts of the merchant",
        accountColumns(), payable, "It has no account that is in use.")))}
      ${section("Cashback programmes", shown(accounts, ({ programmes }) => programmeTable(
        programmes)))}`)}
    ${note("This node's interface does not list a merchant's orders or instructions. Those of a "
      + "window or of a gateway it does.")}`,
  };
}

async function merchantMoney(id, signal) {

  const { currencies } = await call("governance_registry", {}, signal);
  const known = currencies.slice(0, MERCHANT_CURRENCIES_MAX);
  const none = () => null;
  const [payable, programmes] = await Promise.all([
    Promise.all(known.map((currency) => call("ledger_account",
      { account: `merchant-payable:${id}:${currency}` }, signal).catch(none))),
    Promise.all(known.map((currency) => call("cashback_programme",
      { merchant: id, currency }, signal).catch(none))),
  ]);
  const isThere = (found) => found !== null;
  return { payable: payable.filter(isThere), programmes: programmes.filter(isThere) };
}

function programmeTable(rows) {
  const tiers = ({ versions }) => (versions.at(-1)?.tiers ?? []).map(({ above, basis_points }) =>
    `above ${above}: ${(basis_points / 100).toFixed(2)} %`).join("; ");
  return table("Cashback programmes", [
    { title: "Currency", text: ({ currency }) => currency },
    { title: "Active", text: ({ is_active }) => yes(is_active) },
    { title: "Budget left", text: () => "", cell: ({ budget }) => figure(budget.available),
      isNumber: true },
    { title: "Granted and withdrawn", text: () => "", cell: ({ budget }) => figure(budget.debited),
      isNumber: true },
    { title: "Tiers", text: tiers },
    { title: "Since block", text: () => "", cell: ({ versions }) =>
      block(versions.at(-1)?.since_height ?? 0), isNumber: true },
  ], rows, "It has no programme.");
}

