// One order: how far it has come, whose signature each step bears, and its receipt, verified here.

import { html, nothing } from "lit-html";

import { proofPanel } from "../prove.js";
import { clean, words } from "../text.js";
import { duration } from "../time.js";
import {
  batch, block, facts, link, moment, money, note, section, shown, state, table, whole,
} from "../view.js";

const UNDER_WAY_MS = 1_000;
const ENDED_MS = 15_000;
const ENDED = new Set(["rejected", "voided", "expired", "refused", "arrived", "returned"]);

/** @param {import("../scope.js").Scope} scope @param {string} id */
export function oneOrder(scope, id) {
  const report = scope.ask("recharge_order", { order_id: id }, {
    everyMs: UNDER_WAY_MS, heightOf: ({ searched }) => searched?.to_height,
  });
  const receipt = proofPanel(scope, {
    subject: "receipt", method: "recharge_receipt", params: { order_id: id },
    bytesOf: ({ receipt_base64 }) => receipt_base64, file: `receipt-${id}.bin`,
    expected: (proven) => {
      if (proven.kind !== "receipt") return "These bytes are no receipt of an order.";
      if (proven.orderId !== id) return `The receipt is about another order, ${proven.orderId}.`;
      return differs(proven, report.value?.order);
    },
  });
  let said = "";
  const tell = (/** @type {string} */ status) => {
    if (said && said !== status) scope.app.say(`The order is now ${words(status).toLowerCase()}.`);
    said = status;
  };
  return {
    title: "Order",
    body: () => html`<p>${whole(id)}</p>${shown(report, (value) => {
      report.everyMs = ENDED.has(value.status) ? ENDED_MS : UNDER_WAY_MS;
      if (said !== value.status) queueMicrotask(() => tell(value.status));
      return value.status === "not-found" ? missing(value) : found(scope, value, receipt);
    })}`,
  };
}

/** What the receipt and the node say differently about the order, or nothing. */
function differs(proven, order) {
  if (!order) return "";
  const rows = [
    ["amount", proven.amountMinor.toString(), order.amount.minor],
    ["merchant", proven.merchant.toString(), order.merchant],
    ["collecting gateway", String(proven.gateway), String(order.collecting_gateway)],
    ["user", proven.user, order.user],
  ];
  const wrong = rows.find(([, one, two]) => one !== two);
  if (!wrong) return "";
  const [what, one, two] = wrong;
  return `The receipt proves the ${what} ${one}, and the node shows ${clean(two)}.`;
}

function missing({ searched }) {
  return html`<p>${state("not-found")} The node searched the blocks
    ${block(searched.from_height)} to ${block(searched.to_height)}.</p>
    ${facts([["The order may commit until", moment(searched.may_commit_until_ms)]])}
    <p>${searched.may_still_commit ? "It may still come: this page asks again every second."
      : "It is in no block, and never will be."}</p>`;
}

function found(scope, value, receipt) {
  const { app } = scope;
  const { order, stages } = value;
  return html`
    <p class="lead">${state(value.status)}
      ${stages.arrived_ms && value.status === "arrived" ? html`The money arrived
        <strong>${duration(stages.arrived_ms - stages.accepted_ms)}</strong> after the order was
        accepted; promised were ${duration(stages.deadline_ms - stages.accepted_ms)}.`
        : nothing}</p>
    ${value.rejection ? html`<div class="failure"><p>${clean(value.rejection.cause)}
      <span class="quiet">(${value.rejection.name}, ${value.rejection.code})</span></p>
      <p>${clean(value.rejection.remedy)}</p></div>` : nothing}
    ${order ? facts([
      ["Amount", money(order.amount)],
      ["Paid out", value.conversion ? html`${money(value.conversion.payout)} at
        ${value.conversion.rate} by ${app.party(value.conversion.provider)}` : undefined],
      ["Merchant", app.merchant(order.merchant)],
      ["Submitted by", app.party(order.submitter)],
      ["Collected by", app.party(order.collecting_gateway)],
      ["Paid by", order.paying_gateway === undefined ? "unknown" : app.party(order.paying_gateway)],
      ["Instruction", value.instruction_id
        && link("instruction", value.instruction_id, value.instruction_id)],
      ["Cashback", cashback(value.cashback)],
      ["User", whole(order.user)],
      ["Reference of the service", whole(order.external_reference)],
    ]) : nothing}
    ${section("Steps", html`${table("Steps of the order", [
      { title: "Step", text: ({ step }) => step },
      { title: "When", text: ({ ms }) => ms, cell: ({ ms }) => moment(ms) },
      { title: "After acceptance", text: ({ ms }) => ms, isNumber: true,
        cell: ({ ms }) => (ms === undefined ? "" : duration(ms - stages.accepted_ms)) },
      { title: "Whose signature it bears", text: ({ whose }) => whose },
      { title: "Where", text: ({ where }) => where ?? "" },
    ], steps(app, value))}
    ${note("Every block bears the signatures of a quorum of validators besides. So says the node; "
      + "the receipt below proves it.")}`)}
    ${section("Receipt", receipt())}`;
}

function cashback(granted) {
  if (!granted) return undefined;
  if (granted.refused) return `refused: ${words(granted.refused).toLowerCase()}`;
  return html`${money(granted.amount)}, tier ${granted.tier}`;
}

const where = (location) => location && html`block ${block(location.height)}, batch
  ${batch(location.batch_id)}, item ${location.item_index}`;

/** The steps that happened and the one that is waited for, in their order. */
function steps(app, { order, stages, status, location, status_location: last, returned }) {
  if (!order) return [];
  const isOneStep = order.collected_in_one_step;
  const byRule = "no party's: the rules of the block's time";
  const rows = [{
    step: status === "rejected" ? "Refused" : "Accepted", ms: stages.accepted_ms,
    whose: app.party(order.submitter), where: where(location),
  }];
  const at = (/** @type {string[]} */ ...states) => (states.includes(status) ? where(last)
    : undefined);
  if (status === "held") {
    rows.push({ step: "Held", ms: stages.accepted_ms, whose: "waits for a risk desk" });
  }
  if (stages.debiting_ms !== undefined) {
    rows.push({ step: "Debiting", ms: stages.debiting_ms,
      whose: app.party(order.collecting_gateway), where: at("debiting") });
  }
  if (stages.collected_ms !== undefined) {
    rows.push({ step: "Collected", ms: stages.collected_ms,
      whose: isOneStep ? html`the same as of the acceptance` : app.party(order.collecting_gateway),
      where: isOneStep ? where(location) : at("collected", "instructed") });
  }
  if (stages.instructed_ms !== undefined) {
    rows.push({ step: "Instructed", ms: stages.instructed_ms,
      whose: "no party's: the close of its window" });
  }
  if (stages.arrived_ms !== undefined) {
    const isFailed = status === "failed";
    rows.push({ step: isFailed ? "Failed" : "Arrived", ms: stages.arrived_ms,
      whose: isFailed ? "see the instruction" : app.party(order.paying_gateway),
      where: at("arrived", "failed") });
  }
  if (stages.ended_ms !== undefined) {
    const whose = { expired: byRule, refused: "a risk desk's, or the rules' if none decided" };
    rows.push({ step: words(status), ms: stages.ended_ms,
      whose: whose[status] ?? "the submitter's or the collecting gateway's", where: where(last) });
  }
  for (const each of returned?.returns ?? []) {
    rows.push({ step: `Return ${each.sequence}: ${words(each.iso_code)}`, ms: each.returned_ms,
      whose: app.party(each.gateway), where: html`block ${block(each.height)},
        ${money(each.amount)}` });
  }
  if (["collected", "instructed"].includes(status)) {
    rows.push({ step: "Arrival", ms: undefined, where: html`due ${moment(stages.deadline_ms)}`,
      whose: html`${app.party(order.paying_gateway)}, once the bank has credited it` });
  }
  return rows;
}
