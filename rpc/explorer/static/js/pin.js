// What the user trusts: a genesis file, or its hash, which they gave themselves. It stays in this
// browser's storage, and no node can change it.

import { parseGenesis, requirePinned } from "../client/genesis.js";

import { fromBase64, toBase64 } from "./text.js";

const KEY = "sluice.pinned";

/**
 * @typedef {object} Pin
 * @property {string} chainId The file's SHA-256, 64 hexadecimal digits.
 * @property {number} sinceMs
 * @property {any} [genesis] The parsed file, if the file itself was given.
 */

/** The pinned genesis of this browser. */
export class Pinned {
  /** @type {Pin | null} */
  #pin = null;
  /** Why what was stored cannot be used, or why it will not outlast this page. */
  remark = "";

  constructor() {
    try {
      const stored = JSON.parse(localStorage.getItem(KEY) ?? "null");
      if (!stored) return;
      const { chainId, sinceMs, fileBase64 } = stored;
      const genesis = fileBase64 ? parseGenesis(fromBase64(fileBase64)) : undefined;
      if (genesis) requirePinned(genesis, chainId);
      this.#pin = { chainId, sinceMs, genesis };
    } catch (error) {
      this.remark = `What was pinned cannot be read any more: ${error.message}`;
    }
  }

  get pin() {
    return this.#pin;
  }

  /** Pins a file; throws if it is no genesis file, or not the one whose hash is pinned. */
  pinFile(/** @type {Uint8Array} */ bytes) {
    const genesis = parseGenesis(bytes);
    if (this.#pin) requirePinned(genesis, this.#pin.chainId);
    this.#pin = { chainId: genesis.chainIdText, sinceMs: Date.now(), genesis };
    this.#store(toBase64(bytes));
  }

  /** Pins a hash alone; throws if it is none. */
  pinHash(/** @type {string} */ text) {
    const chainId = text.trim().toLowerCase();
    if (!/^[0-9a-f]{64}$/.test(chainId)) {
      throw new Error("A hash has 64 hexadecimal digits, as `sha256sum genesis.toml` prints them.");
    }
    this.#pin = { chainId, sinceMs: Date.now() };
    this.#store();
  }

  forget() {
    this.#pin = null;
    this.remark = "";
    localStorage.removeItem(KEY);
  }

  #store(/** @type {string | undefined} */ fileBase64 = undefined) {
    const { chainId, sinceMs } = /** @type {Pin} */ (this.#pin);
    this.remark = "";
    try {
      localStorage.setItem(KEY, JSON.stringify({ chainId, sinceMs, fileBase64 }));
    } catch {
      this.remark = "The file is too large for this browser's storage: it counts until the page is "
        + "closed, and its hash stays pinned.";
      localStorage.setItem(KEY, JSON.stringify({ chainId, sinceMs }));
    }
  }
}
