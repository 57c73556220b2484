// The chain's head as it moves: a subscription over WebSocket, and a question every few seconds
// while there is none.

import { call } from "./rpc.js";
import { subProtocols } from "./token.js";

const KEPT = 240;
const AGAIN_MS_MAX = 30_000;
const POLL_MS = 3_000;

/** The newest blocks that this page knows, without a gap and never backwards. */
export class Heads {
  /** @type {any[]} Ascending by height. */
  blocks = [];
  isLive = false;
  /** When the last block came, by this browser's clock. */
  sinceMs = 0;
  #changed;
  #failures = 0;
  /** @type {WebSocket | undefined} */
  #socket;

  /** @param {() => void} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  get head() {
    return this.blocks.at(-1);
  }

  async start() {
    await this.#poll();
    this.#connect();
    setInterval(() => {
      if (!this.isLive) this.#poll();
    }, POLL_MS);
  }

  /** Begins anew, as whom the token now names. */
  again() {
    this.#failures = 0;
    this.#socket?.close();
    this.#poll();
  }

  /** @param {any} block */
  #take(block) {
    const head = this.head;
    if (!Number.isSafeInteger(block?.height) || (head && block.height <= head.height)) return false;
    // After a gap only what is new is kept: a chart must not draw over what was not seen.
    if (head && block.height !== head.height + 1) this.blocks = [];
    this.blocks.push(block);
    if (this.blocks.length > KEPT) this.blocks.splice(0, this.blocks.length - KEPT);
    this.sinceMs = Date.now();
    return true;
  }

  async #poll() {
    try {
      const { items } = await call("chain_blocks", { limit: 100 });
      let isNew = false;
      for (const block of items.reverse()) isNew = this.#take(block) || isNew;
      if (isNew) this.#changed();
    } catch {
      this.#changed();
    }
  }

  #connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/`, subProtocols());
    this.#socket = socket;
    socket.onopen = () => {
      const params = this.head ? { from_height: this.head.height + 1 } : {};
      socket.send(JSON.stringify({
        jsonrpc: "2.0", id: 1, method: "chain_subscribe_blocks", params,
      }));
    };
    socket.onmessage = ({ data }) => this.#message(JSON.parse(data));
    socket.onclose = () => this.#closed();
  }

  /** @param {any} message */
  #message(message) {
    if (message.error || message.params?.error) {
      this.#socket?.close();
      return;
    }
    if (message.id === 1) {
      [this.isLive, this.#failures] = [true, 0];
      this.#changed();
      return;
    }
    if (message.method === "chain_block_event" && this.#take(message.params.result)) {
      this.#changed();
    }
  }

  #closed() {
    this.isLive = false;
    this.#failures += 1;
    this.#changed();
    const waitMs = Math.min(1_000 * 2 ** Math.min(this.#failures - 1, 5), AGAIN_MS_MAX);
    setTimeout(() => this.#connect(), waitMs);
  }
}
