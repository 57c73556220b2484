// Orders that wait for a risk desk, and the limits that desks have set.

import { html } from "lit-html";

import { moneyColumns } from "../columns.js";
import { listBody } from "../list.js";
import { decimal } from "../money.js";
import { utc } from "../time.js";
import { figure, moment, note, order, section } from "../view.js";

const EVERY_MS = 5_000;
const optional = (title, of, absent = "no bound") => ({
  title, isNumber: true, text: (row) => (of(row) ? decimal(of(row)) : ""),
  cell: (row) => (of(row) ? figure(of(row)) : absent),
});

/** @param {import("../scope.js").Scope} scope @param {string} _ @param {URLSearchParams} query */
export function risk(scope, _, query) {
  const { app } = scope;
  const held = listBody(scope, {
    title: "Held orders", page: "risk", method: "risk_held_orders", file: "held-orders.csv",
    everyMs: EVERY_MS, empty: "No order waits for a risk desk.",
    columns: [
      { title: "Order", text: ({ order_id }) => order_id, cell: ({ order_id }) => order(order_id) },
      ...moneyColumns("Amount", (row) => row.order.amount),
      { title: "Currency", text: (row) => row.order.amount.currency },
      { title: "Merchant", text: (row) => row.order.merchant,
        cell: (row) => app.merchant(row.order.merchant) },
      { title: "Submitted by", text: (row) => row.order.submitter,
        cell: (row) => app.party(row.order.submitter) },
      { title: "Held since", text: ({ held_ms }) => utc(held_ms),
        cell: ({ held_ms }) => moment(held_ms) },
      { title: "To be decided until", text: ({ decide_until_ms }) => utc(decide_until_ms),
        cell: ({ decide_until_ms }) => moment(decide_until_ms) },
    ],
  }, query);
  const subject = ({ scope: kind, subject: id }) => {
    if (kind === "gateway") return app.party(Number(id));
    return kind === "merchant" ? app.merchant(id) : "the whole scheme";
  };
  const policies = listBody(scope, {
    title: "Limits", page: "risk", method: "risk_policies", file: "risk-limits.csv",
    empty: "No desk has set a limit.",
    columns: [
      { title: "Of", text: (row) => `${row.scope} ${row.subject}`, cell: subject },
      { title: "Currency", text: ({ currency }) => currency },
      optional("Hold above", ({ hold_above }) => hold_above),
      optional("One order", ({ order_max }) => order_max),
      optional("A day", ({ day_max }) => day_max),
      optional("Used today", ({ day_used }) => day_used, ""),
      optional("A user's day", ({ user_day_max }) => user_day_max),
      { title: "Set by", text: ({ desk }) => desk, cell: ({ desk }) => app.party(desk) },
      { title: "Since", text: ({ since_ms }) => utc(since_ms),
        cell: ({ since_ms }) => moment(since_ms) },
    ],
  }, new URLSearchParams());
  return {
    title: "Risk",
    body: () => html`${section("Held orders", held())}${section("Limits", policies())}
      ${note("Who knows a limit can stay below it: show this page to those who may see it.")}`,
  };
}

