// The vectors that hold the chain's own bytes still, and the keys of their chain.

import { readFileSync } from "node:fs";

import { fromHex } from "../src/bytes.js";
import { parseGenesis } from "../src/genesis.js";

const FOLDER = new URL("../../../chain/types/tests/vectors/", import.meta.url);

/** Every vector's bytes, by name. */
export const V = Object.fromEntries(
  Object.entries(JSON.parse(readFileSync(new URL("vectors.json", FOLDER), "utf8")))
    .map(([name, text]) => [name, fromHex(text)]));
export const GENESIS_BYTES = new Uint8Array(readFileSync(new URL("genesis.toml", FOLDER)));
export const GENESIS = parseGenesis(GENESIS_BYTES);
export const GENESIS_TIME_MS = 1_767_225_600_000n;

/** The genesis file of another network: the same but for its name. */
export const OTHER_GENESIS = parseGenesis(new TextEncoder().encode(
  new TextDecoder().decode(GENESIS_BYTES).replace('name = "vectors"', 'name = "other"')));

/** The bytes with one bit of the byte at `at` changed. */
export function flipped(bytes, at) {
  const changed = bytes.slice();
  changed[at] ^= 1 << at % 8;
  return changed;
}
