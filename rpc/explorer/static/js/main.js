// Starts the explorer: the bar, the page that the address names, and what a screen reader hears.

import { html, nothing, render } from "lit-html";

import { Heads } from "./live.js";
import { PAGES } from "./pages/all.js";
import { Pinned } from "./pin.js";
import { href, parse } from "./route.js";
import { App, Scope } from "./scope.js";
import { grouped } from "./text.js";
import { clockTime, duration } from "./time.js";

const MENU = [
  ["", "Overview"], ["blocks", "Blocks"], ["windows", "Windows"], ["gateways", "Gateways"],
  ["merchants", "Merchants"], ["accounts", "Accounts"], ["transfers", "Transfers"],
  ["fx", "FX rates"], ["risk", "Risk"], ["breaches", "Missed deadlines"],
  ["validators", "Validators"], ["governance", "Governance"], ["node", "This node"],
  ["verify", "Verify"],
];
const STALE_MS = 15_000;
const TELL_EVERY_MS = 60_000;

const element = (/** @type {string} */ id) => /** @type {HTMLElement} */ (
  document.getElementById(id));

let isDrawing = false;
/** @type {{scope: Scope, page: import("./pages/all.js").Page, name: string} | null} */
let open = null;

function draw() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    render(menu(), element("menu"));
    render(headLine(), element("head"));
    render(app.said, element("said"));
    render(body(), element("page"));
  });
}

const heads = new Heads(draw);
const app = new App(draw, heads, new Pinned());

function menu() {
  return html`<ul>${MENU.map(([name, title]) => html`<li><a href=${href(name)}
    aria-current=${open?.name === name ? "page" : nothing}>${title}</a></li>`)}</ul>`;
}

/** The head in the bar: how high, and since when nothing has come. */
function headLine() {
  const { head, isLive, sinceMs } = heads;
  if (!head) return html`<span class="quiet">no answer from the node yet</span>`;
  const ageMs = Date.now() - sinceMs;
  if (ageMs > STALE_MS) {
    return html`<span class="warn">height ${grouped(head.height)} as of ${clockTime(sinceMs)} UTC,
      nothing since for ${duration(ageMs)}</span>`;
  }
  return html`<span>height <strong>${grouped(head.height)}</strong></span>
    <span class="quiet">${isLive ? "live" : "asked every 3 s"}</span>`;
}

function body() {
  if (!open) return html`<h1 tabindex="-1">There is no such page</h1>
    <p><a href=${href("")}>To the overview</a></p>`;
  return html`<h1 tabindex="-1">${open.page.title}</h1>${open.page.body()}`;
}

function go() {
  open?.scope.close();
  open = null;
  app.said = "";
  const route = parse(location.hash);
  if (route) {
    const scope = new Scope(app);
    // Parts of a page that looks alike must not be left from the page before.
    render(nothing, element("page"));
    open = { scope, name: route.name, page: PAGES[route.name](scope, route.part, route.query) };
  }
  document.title = `${open?.page.title ?? "No such page"} · Sluice explorer`;
  draw();
}

function focusPage() {
  requestAnimationFrame(() => {
    element("page").querySelector("h1")?.focus({ preventScroll: true });
    scrollTo(0, 0);
  });
}

function start() {
  const field = /** @type {HTMLInputElement} */ (element("search"));
  element("search-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (text) location.hash = href("search", undefined, { q: text });
  });
  element("skip").addEventListener("click", (event) => {
    event.preventDefault();
    element("page").querySelector("h1")?.focus();
  });
  addEventListener("hashchange", () => {
    go();
    focusPage();
  });
  // Ages grow by themselves.
  setInterval(draw, 1_000);
  setInterval(() => {
    if (heads.head) app.say(`Height ${grouped(heads.head.height)}.`);
  }, TELL_EVERY_MS);
  go();
  heads.start();
}

start();
