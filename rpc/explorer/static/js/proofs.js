// Verifies receipts and proofs in this browser, against the pinned genesis file and nothing else.

import { parseGenesis, requirePinned } from "../client/genesis.js";
import { CURRENCIES } from "../client/kinds.js";
import { verify } from "../client/verify.js";

/**
 * @typedef {object} Judgement
 * @property {"holds" | "refused" | "unpinned"} verdict
 * @property {string} against The chain id of the pinned genesis file, or nothing.
 * @property {string} reason Why it was refused, or what is missing.
 * @property {any} [proven] What was proven, with the currency's code as `code`.
 */

/** The hash of a genesis file; throws if the bytes are none. @param {Uint8Array} file */
export const chainIdOf = (file) => parseGenesis(file).chainIdText;

/** @type {{file: Uint8Array, genesis: any} | undefined} */
let parsed;

/** The genesis of a pin's file, parsed once and held against the pinned hash. */
function genesisOf(/** @type {import("./pin.js").Pin} */ { file, chainId }) {
  if (parsed?.file !== file) parsed = { file, genesis: parseGenesis(file) };
  requirePinned(parsed.genesis, chainId);
  return parsed.genesis;
}

/**
 * Judges bytes. `expected` says what they have to be about: a proof of something else is genuine
 * and yet not an answer.
 *
 * @param {Uint8Array} bytes
 * @param {import("./pin.js").Pin | null} pin
 * @param {(proven: any) => string} [expected] Gives what differs, or nothing.
 * @returns {Judgement}
 */
export function judge(bytes, pin, expected = () => "") {
  if (!pin) {
    return { verdict: "unpinned", against: "", reason: "No genesis file is pinned." };
  }
  if (!pin.file) {
    return {
      verdict: "unpinned", against: pin.chainId,
      reason: "Only the hash is pinned. Give the genesis file too; it must have this hash.",
    };
  }
  const found = verify(bytes, genesisOf(pin));
  if (!found.isValid) return { verdict: "refused", against: found.chainId, reason: found.reason };
  const difference = expected(found.proven);
  if (difference) return { verdict: "refused", against: found.chainId, reason: difference };
  const proven = { ...found.proven, code: currencyCode(found.proven.currency) };
  return { verdict: "holds", against: found.chainId, reason: "", proven };
}

const CODES = new Map(Object.entries(CURRENCIES).map(([code, number]) => [number, code]));

/** The code of a currency's number; the number for one that is not listed. */
const currencyCode = (/** @type {number} */ number) =>
  CODES.get(number) ?? String(number).padStart(3, "0");
