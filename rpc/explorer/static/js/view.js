// The pieces that pages are made of. All of them give text to lit-html, which sets it as text.

import { html, nothing } from "lit-html";

import { formatMoney, amount, isNegative } from "./money.js";
import { href } from "./route.js";
import { clean, grouped, shortened, words } from "./text.js";
import { clockTime, utc } from "./time.js";

/** @typedef {import("lit-html").TemplateResult | typeof nothing | string | number} Piece */

/** A text from the chain, set apart so that its direction changes nothing around it. */
export const name = (/** @type {unknown} */ text) => html`<bdi>${clean(text)}</bdi>`;

/** A link to a page. */
export function link(/** @type {string} */ page, /** @type {string | number} */ part,
  /** @type {Piece} */ text) {
  return html`<a href=${href(page, part)}>${text}</a>`;
}

/** A hash, cut for the eye; whole for a screen reader, a hover and a copy of the row. */
export function hash(/** @type {string} */ hex) {
  return html`<code class="hash" title=${clean(hex)}>${shortened(hex)}</code>`;
}

/** A hash in full. */
export const whole = (/** @type {string} */ hex) => html`<code class="whole">${clean(hex)}</code>`;

export const block = (/** @type {number} */ height) => link("block", height, grouped(height));
export const batch = (/** @type {string} */ id) => link("batch", id, hash(id));
export const order = (/** @type {string} */ id) => link("order", id, html`<code>${id}</code>`);
export const account = (/** @type {string} */ id) => link("account", id, html`<code>${id}</code>`);

/** A moment, in UTC. */
export function moment(/** @type {number | undefined} */ ms) {
  if (ms === undefined) return html`<span class="quiet">not yet</span>`;
  return html`<time datetime=${new Date(ms).toISOString()}>${utc(ms)}</time>`;
}

/** An amount with its currency, in figures of one width. */
export function money(/** @type {import("./money.js").Money | undefined} */ value) {
  if (value === undefined) return html`<span class="quiet">none</span>`;
  const kind = isNegative(value) ? "money below" : "money";
  return html`<span class=${kind}>${formatMoney(value)}</span>`;
}

/** An amount alone, for a column that names its currency. */
export const figure = (/** @type {import("./money.js").Money} */ value) =>
  html`<span class=${isNegative(value) ? "money below" : "money"}>${amount(value)}</span>`;

const TONES = new Map(Object.entries({
  arrived: "good", final: "good", effective: "good", settled: "good", approved: "good",
  collected: "even", instructed: "even", reserved: "even", debiting: "even", admitted: "even",
  proposed: "even", scheduled: "even", held: "warn", returned: "warn", expired: "warn",
  voided: "warn", unknown: "warn", rejected: "bad", refused: "bad", failed: "bad",
  "not-found": "bad",
}));

/** A state as a word; its tone only repeats the word. */
export function state(/** @type {string} */ text) {
  return html`<span class="state ${TONES.get(text) ?? "even"}">${words(text)}</span>`;
}

/** Yes or no as words. */
export const yes = (/** @type {boolean} */ is) => (is ? "yes" : "no");

/** A list of facts. Rows whose value is undefined are left out. */
export function facts(/** @type {[string, any][]} */ rows) {
  const known = rows.filter(([, value]) => value !== undefined);
  return html`<dl class="facts">${known.map(([title, value]) =>
    html`<div><dt>${title}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** A table that scrolls within itself on a narrow screen. */
export function table(/** @type {string} */ caption, /** @type {Column[]} */ columns,
  /** @type {any[]} */ rows, empty = "There is none.") {
  if (rows.length === 0) return html`<p class="quiet">${empty}</p>`;
  const kind = (/** @type {Column} */ column) => (column.isNumber ? "number" : nothing);
  return html`<div class="scroll" role="group" aria-label=${caption} tabindex="0"><table>
    <caption class="unseen">${caption}</caption>
    <thead><tr>${columns.map((column) =>
      html`<th scope="col" class=${kind(column)}>${column.title}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr>${columns.map((column) =>
      html`<td class=${kind(column)}>${(column.cell ?? column.text)(row)}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}

/**
 * @typedef {object} Column
 * @property {string} title
 * @property {(row: any) => any} text The cell as text, in CSV and, without `cell`, on the page.
 * @property {(row: any) => any} [cell]
 * @property {boolean} [isNumber]
 */

/** A part of a page with a heading. */
export function section(/** @type {string} */ title, /** @type {any} */ body) {
  const id = `part-${title.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;
  return html`<section aria-labelledby=${id}><h2 id=${id}>${title}</h2>${body}</section>`;
}

/** A remark about what the page, or the node, does not say. */
export const note = (/** @type {any} */ text) => html`<p class="note">${text}</p>`;

/** The refusals that another token would end: docs/access.md. */
const ABOUT_TOKENS = new Set([1030, 1031, 1032, 1033, 1034, 1036]);

/** Why there is no answer. */
export function failure(/** @type {any} */ error) {
  const more = [error.errorName, error.code].filter(Boolean).join(", ");
  return html`<div class="failure"><p>${clean(error.message)}
    ${more ? html`<span class="quiet">(${more})</span>` : nothing}</p>
    ${error.remedy ? html`<p>${error.remedy}</p>` : nothing}
    ${ABOUT_TOKENS.has(error.code) ? html`<p><a href=${href("node")}>Give this page a token</a></p>`
      : nothing}</div>`;
}

/**
 * Shows a resource: its value once there is one, with a word on how old it is when the node stopped
 * answering; else why there is none.
 *
 * @template T
 * @param {import("./resource.js").Resource<T>} resource
 * @param {(value: T) => any} body
 */
export function shown(resource, body) {
  const { value, failure: reason } = resource;
  if (value === undefined) {
    if (!reason) return html`<p class="quiet" aria-busy="true">Asking the node…</p>`;
    return html`${failure(reason)}${retry(resource)}`;
  }
  const stale = reason && html`<div class="stale" role="status">
    <p>As of ${clockTime(resource.sinceMs)} UTC. Since then the node has not answered this:
    ${clean(reason.message)}</p></div>`;
  return html`${stale ?? nothing}${body(value)}`;
}

/** @param {import("./resource.js").Resource<any>} resource */
function retry(resource) {
  return html`<p><button type="button" @click=${() => resource.refresh()}>Ask again</button></p>`;
}

/** Several things, one after the other, with commas. */
export function listed(/** @type {any[]} */ pieces) {
  return pieces.map((piece, at) => html`${at ? ", " : ""}${piece}`);
}
