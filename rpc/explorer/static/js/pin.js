// What the user trusts: a genesis file, or its hash, which they gave themselves. It stays in this
// browser's storage, and no node can change it.

import { fromBase64, toBase64 } from "./text.js";

const KEY = "sluice.pinned";

/**
 * @typedef {object} Pin
 * @property {string} chainId The file's SHA-256, 64 hexadecimal digits.
 * @property {number} sinceMs
 * @property {Uint8Array} [file] The file itself, if it was given.
 */

/** What verifies is loaded when there is something to verify: the first page does without it. */
export const verifier = () => import("./proofs.js");

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
      this.#pin = { chainId, sinceMs, file: fileBase64 ? fromBase64(fileBase64) : undefined };
    } catch {
      this.remark = "What was pinned in this browser cannot be read any more: pin it again.";
    }
  }

  get pin() {
    return this.#pin;
  }

  /** Pins a file; throws if it is no genesis file, or not the one whose hash is pinned. */
  async pinFile(/** @type {Uint8Array} */ file) {
    const { chainIdOf } = await verifier();
    const chainId = chainIdOf(file);
    if (this.#pin && this.#pin.chainId !== chainId) {
      throw new Error(
        `This file's hash is ${chainId}, and another one is pinned: forget that first.`);
    }
    this.#pin = { chainId, sinceMs: Date.now(), file };
    this.#store(toBase64(file));
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
