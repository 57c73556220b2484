// A chart and the table with the same values. The drawing is for eyes only: whoever cannot see it
// has the table.

import { html } from "lit-html";

import { table } from "./view.js";

/* global uPlot */

const HEIGHT_PX = 180;
const DRAW_EVERY_MS = 1_000;

/**
 * @typedef {object} Chart
 * @property {string} title
 * @property {string[]} labels One a value, for the axis and the table.
 * @property {number[]} values For the eye; the table has the exact ones.
 * @property {(value: number) => string} axis How the axis writes a value.
 * @property {number} [mark] The place before which a line is drawn, such as a deadline's.
 */

const colour = (/** @type {string} */ name) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** An element that draws bars into itself and follows its width and the colours. */
class ChartElement extends HTMLElement {
  #plot;
  /** @type {Chart | undefined} */
  #chart;
  #drawnMs = 0;
  #timer;
  #width = new ResizeObserver(() => this.#soon());
  #scheme = matchMedia("(prefers-color-scheme: dark)");
  #recolour = () => this.#draw();

  set chart(/** @type {Chart} */ chart) {
    const before = this.#chart;
    const isSame = before && before.values.length === chart.values.length
      && before.values.every((value, at) => value === chart.values[at])
      && before.labels.every((label, at) => label === chart.labels[at]);
    this.#chart = chart;
    if (!isSame) this.#soon();
  }

  connectedCallback() {
    this.#width.observe(this);
    this.#scheme.addEventListener("change", this.#recolour);
  }

  disconnectedCallback() {
    this.#width.disconnect();
    this.#scheme.removeEventListener("change", this.#recolour);
    clearTimeout(this.#timer);
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  #soon() {
    clearTimeout(this.#timer);
    const waitMs = Math.max(0, this.#drawnMs + DRAW_EVERY_MS - Date.now());
    this.#timer = setTimeout(() => this.#draw(), waitMs);
  }

  #draw() {
    const chart = this.#chart;
    if (!chart || !this.isConnected || this.clientWidth === 0) return;
    this.#drawnMs = Date.now();
    this.#plot?.destroy();
    const places = chart.values.map((_, at) => at);
    this.#plot = new uPlot(this.#options(chart), [places, chart.values], this);
  }

  /** @param {Chart} chart */
  #options({ labels, values, axis, mark }) {
    const [text, line, accent] = [colour("--quiet"), colour("--line"), colour("--accent")];
    const font = "11px system-ui, sans-serif";
    const shared = { stroke: text, font, ticks: { stroke: line }, grid: { stroke: line } };
    const step = Math.max(1, Math.ceil(labels.length / Math.max(1, this.clientWidth / 80)));
    const isShown = (/** @type {number} */ at) => Number.isInteger(at) && at % step === 0;
    const names = (/** @type {any} */ _, /** @type {number[]} */ splits) =>
      splits.map((at) => (isShown(at) ? labels[at] ?? "" : ""));
    const drawMark = (/** @type {any} */ plot) => {
      if (mark === undefined) return;
      const x = plot.valToPos(mark - 0.5, "x", true);
      plot.ctx.save();
      plot.ctx.strokeStyle = colour("--bad");
      plot.ctx.setLineDash([6, 4]);
      plot.ctx.beginPath();
      plot.ctx.moveTo(x, plot.bbox.top);
      plot.ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
      plot.ctx.stroke();
      plot.ctx.restore();
    };
    return {
      width: this.clientWidth, height: HEIGHT_PX, legend: { show: false },
      cursor: { show: false }, hooks: { draw: [drawMark] },
      scales: {
        x: { time: false, range: [-0.6, labels.length - 0.4] },
        y: { range: [0, Math.max(1e-9, ...values) * 1.1] },
      },
      axes: [
        { ...shared, grid: { show: false }, values: names, space: 30 },
        { ...shared, size: 64, values: (_, splits) => splits.map(axis), space: 36 },
      ],
      series: [{}, {
        stroke: accent, fill: accent, points: { show: false },
        paths: uPlot.paths.bars({ size: [0.7, 40] }),
      }],
    };
  }
}

customElements.define("bar-chart", ChartElement);

/**
 * @param {Chart} chart
 * @param {import("./view.js").Column[]} columns
 * @param {any[]} rows
 */
export function charted(chart, columns, rows) {
  if (rows.length === 0) return html`<p class="quiet">There is nothing to draw yet.</p>`;
  return html`<figure>
    <figcaption>${chart.title}</figcaption>
    <bar-chart role="img" aria-label=${`${chart.title}. The same values are in the table below.`}
      .chart=${chart}></bar-chart>
    <details><summary>${chart.title}: as a table</summary>
      ${table(chart.title, columns, rows)}</details>
  </figure>`;
}
