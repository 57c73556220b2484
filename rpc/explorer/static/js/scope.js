// What a page uses: answers that end with it, names of parties, and ways to say and to save.

import { html } from "lit-html";

import { document as csvDocument } from "./csv.js";
import { Resource } from "./resource.js";
import { call } from "./rpc.js";
import { link, name } from "./view.js";

const REGISTRY_EVERY_MS = 60_000;
const EXPORT_PAGE = 500;

/** A name and, in its shadow, the id. */
const named = (/** @type {string} */ text, /** @type {any} */ id) =>
  html`${name(text)}<span class="quiet id">\u00a0${id}</span>`;

/** What all pages share as long as the explorer is open. */
export class App {
  /**
   * @param {() => void} draw
   * @param {import("./live.js").Heads} heads
   * @param {import("./pin.js").Pinned} pinned
   */
  constructor(draw, heads, pinned) {
    this.draw = draw;
    this.heads = heads;
    this.pinned = pinned;
    this.registry = new Resource((signal) => call("governance_registry", {}, signal), draw,
      { everyMs: REGISTRY_EVERY_MS, heightOf: ({ height }) => height });
    /** @type {Map<string, string>} */
    this.merchants = new Map();
    /** The last word for a screen reader. */
    this.said = "";
  }

  say(/** @type {string} */ text) {
    this.said = text;
    this.draw();
  }

  /** @param {number | undefined} id */
  partyName(id) {
    return this.registry.value?.participants.find(({ participant }) => participant === id)?.name;
  }

  /** A party by its name, with a link; by its id while the registry is not known. */
  party(/** @type {number | undefined} */ id) {
    if (id === undefined) return html`<span class="quiet">nobody in particular</span>`;
    const found = this.partyName(id);
    return link("gateway", id, named(found ?? "participant", id));
  }

  node(/** @type {number | undefined} */ id) {
    const found = this.registry.value?.nodes.find(({ node }) => node === id)?.name;
    return named(found ?? "node", id);
  }

  /** A merchant by its name, asked for once. */
  merchant(/** @type {string} */ id) {
    const found = this.merchants.get(id);
    if (found === undefined) {
      this.merchants.set(id, "");
      call("governance_merchant", { merchant: id }).then((merchant) => {
        this.merchants.set(id, merchant.name);
        this.draw();
      }).catch(() => {});
    }
    return link("merchant", id, named(found || "merchant", id));
  }
}

/** What one page uses as long as it is open. */
export class Scope {
  /** @type {Resource<any>[]} */
  #resources = [];
  #ended = new AbortController();

  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.draw = app.draw;
  }

  get isOpen() {
    return !this.#ended.signal.aborted;
  }

  /**
   * Asks now, and again every so often.
   *
   * @param {string} method
   * @param {object} [params]
   * @param {{everyMs?: number, heightOf?: (value: any) => number | undefined}} [options]
   */
  ask(method, params = {}, options = {}) {
    return this.load((signal) => call(method, params, signal), options);
  }

  /**
   * @param {(signal: AbortSignal) => Promise<any>} load
   * @param {{everyMs?: number, heightOf?: (value: any) => number | undefined}} [options]
   */
  load(load, options = {}) {
    const resource = new Resource(load, this.draw, options);
    this.#resources.push(resource);
    return resource;
  }

  /** Asks everything anew, such as when a token now opens it. */
  refresh() {
    this.app.registry.refresh();
    this.#resources.forEach((resource) => resource.refresh());
  }

  /** Saves bytes as a file. */
  save(/** @type {BlobPart | Blob} */ content, /** @type {string} */ file,
    /** @type {string} */ type) {
    const address = URL.createObjectURL(new Blob([content], { type }));
    const anchor = document.createElement("a");
    [anchor.href, anchor.download] = [address, file];
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }

  /**
   * Saves a whole list as CSV. Its pages become parts of one blob, which the browser may keep on
   * disk: memory does not grow with the list.
   *
   * @param {string} method
   * @param {object} params
   * @param {import("./view.js").Column[]} columns
   * @param {string} file
   */
  async saveList(method, params, columns, file) {
    const page = (/** @type {string | undefined} */ cursor) =>
      call(method, { ...params, limit: EXPORT_PAGE, ...(cursor ? { cursor } : {}) },
        this.#ended.signal);
    let blob = new Blob([]);
    let count = 0;
    try {
      for await (const part of csvDocument(page, columns)) {
        blob = new Blob([blob, part.text]);
        count = part.count;
        this.app.say(`${count} rows of ${file}.`);
      }
    } catch (error) {
      if (!this.isOpen) return;
      this.app.say(`${file} was not saved after ${count} rows: ${error.message}`);
      return;
    }
    this.save(blob, file, "text/csv;charset=utf-8");
    this.app.say(`${file} has ${count} rows.`);
  }

  close() {
    this.#ended.abort();
    this.#resources.forEach((resource) => resource.close());
  }
}
