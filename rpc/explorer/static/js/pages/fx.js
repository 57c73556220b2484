// Reference rates, each provider's rate, and how far it lies from the reference.

import { html } from "lit-html";

import { isBeyond, perMille } from "../money.js";
import { call } from "../rpc.js";
import { duration } from "../time.js";
import { facts, moment, note, section, shown, state, table, yes } from "../view.js";

const EVERY_MS = 3_000;
const PAIRS_MAX = 400;
const AT_ONCE = 16;

/** The pairs of which a provider has ever published a rate. */
async function pairs(signal) {
  const { currencies } = await call("governance_registry", {}, signal);
  const all = currencies.flatMap((one) => currencies.filter((two) => two !== one)
    .map((two) => ({ currency: one, payout_currency: two })));
  const asked = all.slice(0, PAIRS_MAX);
  const found = [];
  for (let at = 0; at < asked.length; at += AT_ONCE) {
    const some = asked.slice(at, at + AT_ONCE).map((pair) => call("fx_reference", pair, signal));
    found.push(...await Promise.all(some));
  }
  return {
    rows: found.filter(({ provider_count }) => provider_count > 0), left: all.length - asked.length,
  };
}

/** @param {import("../scope.js").Scope} scope @param {string} _ @param {URLSearchParams} query */
export function fx(scope, _, query) {
  const known = scope.load(pairs, { everyMs: 60_000 });
  const parameters = scope.ask("chain_parameters", {}, { everyMs: 60_000 });
  const [currency, payout] = (query.get("pair") ?? "").split("/");
  const pair = { currency, payout_currency: payout };
  const reference = payout && scope.ask("fx_reference", pair, {
    everyMs: EVERY_MS, heightOf: ({ height }) => height,
  });
  const rates = payout && scope.ask("fx_rates", { ...pair, limit: 100 }, { everyMs: EVERY_MS });
  const pairLink = (row) => html`<a href=${`#/fx?pair=${row.currency}/${row.payout_currency}`}>
    ${row.currency} to ${row.payout_currency}</a>`;
  return {
    title: payout ? `FX rates: ${currency} to ${payout}` : "FX rates",
    body: () => html`
      ${payout ? shown(parameters, (rules) => onePair(scope.app, reference, rates, rules)) : ""}
      ${section("Pairs", shown(known, ({ rows, left }) => html`${table("Pairs with a provider", [
        { title: "Pair", text: () => "", cell: pairLink },
        { title: "Reference", text: ({ rate }) => rate ?? "none", isNumber: true },
        { title: "Fresh rates", text: ({ fresh_count, rates_min }) =>
          `${fresh_count} of at least ${rates_min}`, isNumber: true },
        { title: "Providers", text: ({ provider_count }) => provider_count, isNumber: true },
        { title: "If there is none, why", text: ({ missing }) => missing?.cause ?? "" },
      ], rows, "No provider has published a rate yet.")}
      ${left > 0 ? note(`${left} more pairs were not asked for.`) : ""}`))}`,
  };
}

function onePair(app, reference, rates, rules) {
  return shown(reference, (value) => html`
    ${facts([
      ["Reference", value.rate ?? "none"],
      ["Why there is none", value.missing?.cause],
      ["Confirmed level", value.confirmed],
      ["Waits for confirmation", value.waiting && html`${value.waiting} until
        ${moment(value.waiting_until_ms)}`],
      ["Fresh rates", `${value.fresh_count}, at least ${value.rates_min} are needed`],
      ["Guard band", html`${rules.reference_step_per_mille} ‰ on both sides of the confirmed level:
        a step further waits ${duration(rules.reference_confirm_ms)} for confirmation`],
      ["As of", moment(value.time_ms)],
    ])}
    ${section("Rates of providers", shown(rates, ({ items }) => table("Rates of providers", [
      { title: "Provider", text: ({ provider }) => provider,
        cell: ({ provider }) => app.party(provider) },
      { title: "Rate", text: ({ rate }) => rate, isNumber: true },
      { title: "From the confirmed level", isNumber: true, text: ({ rate }) =>
        (value.confirmed ? perMille(rate, value.confirmed) : "no level yet") },
      { title: "Guard band", text: ({ rate }) => rate, cell: ({ rate }) => (!value.confirmed ? ""
        : state(isBeyond(rate, value.confirmed, rules.reference_step_per_mille) ? "outside"
          : "within")) },
      { title: "Fresh", text: ({ is_fresh }) => yes(is_fresh) },
      { title: "Observed", text: ({ observed_ms }) => observed_ms,
        cell: ({ observed_ms }) => moment(observed_ms) },
      { title: "Published", text: ({ published_ms }) => published_ms,
        cell: ({ published_ms }) => moment(published_ms) },
    ], items)))}`);
}
