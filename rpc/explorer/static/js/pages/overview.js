// The first page: is the chain well, how fast is it, and does the money arrive in time.

import { html, nothing } from "lit-html";

import { charted } from "../chart.js";
import { amount, sums } from "../money.js";
import { all } from "../rpc.js";
import { grouped, words } from "../text.js";
import { clockTime, duration, utc } from "../time.js";
import { block, figure, link, moment, note, section, shown, table } from "../view.js";

const EVERY_MS = 5_000;
/** Pages of a list cost the node more than one answer: they are asked for less often. */
const LIST_EVERY_MS = 15_000;
const WINDOWS = 20;
const BLOCKS_SHOWN = 60;

/** @param {import("../scope.js").Scope} scope */
export function overview(scope) {
  const { app } = scope;
  const windows = scope.ask("settlement_windows", { limit: WINDOWS }, { everyMs: LIST_EVERY_MS });
  const sla = scope.load((signal) => all("settlement_sla", signal), { everyMs: LIST_EVERY_MS });
  const parameters = scope.ask("chain_parameters", {}, { everyMs: 60_000 });
  const status = scope.ask("node_status", {}, {
    everyMs: EVERY_MS, heightOf: ({ height }) => height,
  });
  return {
    title: "Overview",
    body: () => html`
      ${now(app, status)}
      <div class="columns">
        ${section("Throughput", html`${throughput(windows)}`)}
        ${section("Finality", finality(app))}
      </div>
      ${section("Time to arrival", shown(sla, ({ items }) => shown(parameters, (known) =>
        arrival(items, known))))}
      <div class="columns">
        ${section("Volume by currency", shown(windows, ({ items }) => volume(items)))}
        ${section("Missed deadlines", shown(sla, ({ items }) => breaches(app, items)))}
      </div>`,
  };
}

function now(app, status) {
  const { head, isLive, sinceMs } = app.heads;
  if (!head) return html`<p class="quiet" aria-busy="true">Asking the node…</p>`;
  const count = (title, value, more) => html`<div class="tile"><dt>${title}</dt>
    <dd><span class="big">${value}</span><span class="quiet">${more}</span></dd></div>`;
  const node = status.value;
  return html`<dl class="tiles">
    ${count("Height", block(head.height), html`${moment(head.time_ms)}`)}
    ${count("Last block seen", duration(Math.max(0, Date.now() - sinceMs)), isLive
      ? "ago, live" : "ago, asked every 3 s")}
    ${node ? count("This node", node.is_ready ? "ready" : "not ready",
      node.reason ?? `behind by ${grouped(node.highest_known_height - node.height)}`) : nothing}
    ${node ? count("Waiting", grouped(node.pool_item_count),
      `items in ${grouped(node.pool_batch_count)} batches`) : nothing}
    ${count("Open window", link("window", head.window, grouped(head.window)), "of settlement")}
  </dl>`;
}

/** Orders a second of each window: its orders over the time for which it was open. */
function throughput(windows) {
  return shown(windows, ({ items }) => {
    const rows = items.filter(({ closed_ms }) => closed_ms !== undefined).reverse();
    const rate = ({ order_count, opened_ms, closed_ms }) =>
      order_count / Math.max(0.001, (closed_ms - opened_ms) / 1_000);
    const open = items.find(({ closed_ms }) => closed_ms === undefined);
    return html`
      ${open ? html`<p>The open window ${link("window", open.window, grouped(open.window))} has
        collected <strong class="money">${grouped(open.order_count)}</strong> orders since
        ${clockTime(open.opened_ms)} UTC.</p>` : nothing}
      ${charted({
        title: "Orders collected a second, by window",
        labels: rows.map(({ window }) => `${window}`), values: rows.map(rate),
        axis: (value) => value.toFixed(value < 10 ? 1 : 0),
      }, [
        { title: "Window", text: ({ window }) => window,
          cell: ({ window }) => link("window", window, window), isNumber: true },
        { title: "Closed", text: ({ closed_ms }) => utc(closed_ms) },
        { title: "Orders", text: ({ order_count }) => grouped(order_count), isNumber: true },
        { title: "Open for", text: ({ closed_ms, opened_ms }) => duration(closed_ms - opened_ms),
          isNumber: true },
        { title: "Orders a second", text: (row) => rate(row).toFixed(1), isNumber: true },
      ], rows)}`;
  });
}

/** A block is final once it is decided: the time between blocks is what a submitter waits for. */
function finality(app) {
  const known = app.heads.blocks.slice(-BLOCKS_SHOWN - 1);
  const rows = known.slice(1).map((each, at) => ({
    height: each.height, time_ms: each.time_ms, batch_count: each.batch_count,
    round: each.round, interval_ms: each.time_ms - known[at].time_ms,
  }));
  const sorted = rows.map(({ interval_ms }) => interval_ms).sort((one, two) => one - two);
  const middle = sorted[Math.floor(sorted.length / 2)];
  const first = rows.filter(({ round }) => round === 0).length;
  return html`
    ${rows.length === 0 ? nothing : html`<p>Of the last ${rows.length} blocks, half came within
      <strong class="money">${duration(middle)}</strong> of the one before, and ${first} were
      decided in the first round. A block that is decided is final.</p>`}
    ${charted({
      title: "Time between blocks", labels: rows.map(({ height }) => `${height}`),
      values: rows.map(({ interval_ms }) => interval_ms), axis: (value) => duration(value),
    }, [
      { title: "Height", text: ({ height }) => height, cell: ({ height }) => block(height),
        isNumber: true },
      { title: "Time", text: ({ time_ms }) => utc(time_ms) },
      { title: "After", text: ({ interval_ms }) => duration(interval_ms), isNumber: true },
      { title: "Batches", text: ({ batch_count }) => batch_count, isNumber: true },
      { title: "Round", text: ({ round }) => round, isNumber: true },
    ], [...rows].reverse())}
    ${note("A block's summary counts batches, not orders. How long a submitter waited for its "
      + "batch is known to the submitter alone.")}`;
}

/** Orders of all paying gateways by the time from acceptance to arrival. */
export function distribution(items, isCrossBorder) {
  const corridors = items.flatMap(({ corridors: each }) => each)
    .filter(({ is_cross_border }) => is_cross_border === isCrossBorder);
  /** @type {Map<number, number>} */
  const steps = new Map();
  for (const { distribution: buckets } of corridors) {
    for (const { up_to_ms = Infinity, order_count } of buckets) {
      steps.set(up_to_ms, (steps.get(up_to_ms) ?? 0) + order_count);
    }
  }
  const sorted = [...steps].sort(([one], [two]) => one - two);
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  const late = corridors.reduce((sum, { late_count }) => sum + late_count, 0);
  return { steps: sorted, total, late };
}

function arrival(items, parameters) {
  const kinds = [
    ["Within a currency", false, parameters.deadline_domestic_ms],
    ["Across currencies", true, parameters.deadline_cross_border_ms],
  ];
  return html`<div class="columns">${kinds.map(([title, isCrossBorder, deadline_ms]) => {
    const { steps, total, late } = distribution(items, isCrossBorder);
    if (total === 0) {
      return html`<div><h3>${title}</h3><p class="quiet">Nothing has arrived yet. Promised are
        ${duration(deadline_ms)}.</p></div>`;
    }
    const label = (up_to_ms) => (up_to_ms === Infinity ? "longer" : duration(up_to_ms));
    const mark = steps.findIndex(([up_to_ms]) => up_to_ms > deadline_ms);
    const share = (count) => `${((count / total) * 100).toFixed(1)} %`;
    return html`<div><h3>${title}</h3>
      <p><strong class="money">${grouped(total)}</strong> orders arrived,
        <strong class="money">${grouped(late)}</strong> of them after the promised
        ${duration(deadline_ms)}, since block zero.</p>
      ${charted({
        title: `Orders by time to arrival, ${title.toLowerCase()}`,
        labels: steps.map(([up_to_ms]) => label(up_to_ms)), values: steps.map(([, count]) => count),
        axis: (value) => grouped(Math.round(value)), mark: mark < 0 ? undefined : mark,
      }, [
        { title: "Arrived within", text: ([up_to_ms]) => label(up_to_ms) },
        { title: "Orders", text: ([, count]) => grouped(count), isNumber: true },
        { title: "Share", text: ([, count]) => share(count), isNumber: true },
        { title: "Promise", text: ([up_to_ms]) => (up_to_ms <= deadline_ms ? "kept" : "missed") },
      ], steps)}
      <p class="quiet">The dashed line is the promise. Each order counts from the first acceptance
        of its instruction.</p></div>`;
  })}</div>`;
}

function volume(items) {
  const gross = items.flatMap(({ positions }) => positions)
    .filter(({ kind }) => kind === "gateway-liquidity")
    .map(({ gross_debits }) => gross_debits);
  const rows = sums(gross).filter(({ minor }) => minor !== "0");
  return html`${table("Volume by currency", [
    { title: "Currency", text: ({ currency }) => currency },
    { title: "Gross debits of gateways", text: amount, cell: figure, isNumber: true },
  ], rows, "No gateway owes anything in these windows.")}
  ${note(`What gateways owe for orders of the newest ${items.length} windows, the open one among `
    + "them. Amounts of different currencies are not added up.")}`;
}

function breaches(app, items) {
  const rows = items.flatMap(({ participant, breaches: each }) =>
    each.map(({ stage, count }) => ({ participant, stage, count })));
  return html`${table("Missed deadlines", [
    { title: "Whose", text: ({ participant }) => participant ?? "",
      cell: ({ participant }) => app.party(participant) },
    { title: "Stage", text: ({ stage }) => stage, cell: ({ stage }) => words(stage) },
    { title: "Count", text: ({ count }) => grouped(count), isNumber: true },
  ], rows, "No deadline was missed since block zero.")}
  <p>${html`<a href="#/breaches">All missed deadlines</a>`}</p>`;
}

