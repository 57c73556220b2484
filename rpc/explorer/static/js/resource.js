// One answer of the node that a page shows: the last one that came, since when it stands, and why
// there is no newer one.

import { Latest } from "./latest.js";

/** @template T */
export class Resource {
  #latest = new Latest();
  #load;
  #changed;
  #heightOf;
  #abort = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {(signal: AbortSignal) => Promise<T>} load
   * @param {() => void} changed Called whenever there is something new to show.
   * @param {{everyMs?: number, heightOf?: (value: T) => number | undefined}} [options]
   */
  constructor(load, changed, { everyMs, heightOf } = {}) {
    this.#load = load;
    this.#changed = changed;
    this.#heightOf = heightOf ?? (() => undefined);
    this.everyMs = everyMs;
    /** @type {T | undefined} */
    this.value = undefined;
    /** @type {Error | undefined} Why the last question had no answer. */
    this.failure = undefined;
    /** When the value came, by this browser's clock. */
    this.sinceMs = 0;
    this.refresh();
  }

  get isLoading() {
    return this.#latest.isWaiting();
  }

  async refresh() {
    if (this.#abort.signal.aborted) return;
    const ticket = this.#latest.begin();
    let waitMs = this.everyMs;
    try {
      const value = await this.#load(this.#abort.signal);
      if (this.#latest.record(ticket, this.#heightOf(value))) {
        [this.value, this.failure, this.sinceMs] = [value, undefined, Date.now()];
      }
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      if (this.#latest.record(ticket)) this.failure = /** @type {Error} */ (error);
      const asked = /** @type {{retryAfterMs?: number}} */ (error).retryAfterMs;
      if (waitMs !== undefined && asked !== undefined) waitMs = Math.max(waitMs, asked);
    }
    this.#changed();
    this.#again(waitMs);
  }

  /** @param {number | undefined} waitMs */
  #again(waitMs) {
    clearTimeout(this.#timer);
    if (waitMs === undefined || this.#abort.signal.aborted) return;
    // A page that nobody sees asks a tenth as often.
    const slower = globalThis.document?.hidden ? 10 : 1;
    this.#timer = setTimeout(() => this.refresh(), waitMs * slower);
  }

  close() {
    this.#abort.abort();
    clearTimeout(this.#timer);
  }
}
