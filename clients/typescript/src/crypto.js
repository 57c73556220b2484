// Hashes and signatures: docs/wire-format.md sections 2 and 3. The one module that names a
// dependency for verification; @noble/ed25519 gives the curve, and both of our rules stand here,
// over the bytes as they came.

import { Point } from "@noble/ed25519";
import { sha256 as hash256, sha512 } from "@noble/hashes/sha2";

import { concat, isEqual, toHex } from "./bytes.js";

/** Ed25519's group order: S of a signature is below it. */
const GROUP_ORDER = 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn;
/** How many signatures that held are remembered: receipts of one block share theirs. */
const REMEMBERED_MAX = 1_024;

/** SHA-256 of the parts, one after the other. @param {...Uint8Array} parts */
export function sha256(...parts) {
  return hash256(concat(...parts));
}

/**
 * SHA-256 under a domain tag, which is filled up with zeros to 16 bytes.
 *
 * @param {string} tag
 * @param {...Uint8Array} parts
 */
export function tagged(tag, ...parts) {
  const domain = new Uint8Array(16);
  domain.set(new TextEncoder().encode(tag));
  return sha256(domain, ...parts);
}

/** @param {Uint8Array} bytes little-endian */
function number(bytes) {
  return BigInt(`0x${toHex(bytes.slice().reverse())}`);
}

/**
 * Decodes a point; null if the bytes are none. ZIP-215 has several forms of some points, the strict
 * rule one of each.
 *
 * @param {Uint8Array} bytes
 * @param {boolean} isZip215
 */
function decoded(bytes, isZip215) {
  try {
    return Point.fromBytes(bytes, isZip215);
  } catch {
    return null;
  }
}

/**
 * The sides of the equation that both rules share: R as it came, S, and `[S]B - [k]A`; null if a
 * part is out of its bounds or the key is a point of small order.
 *
 * @param {Uint8Array} key
 * @param {Uint8Array} digest
 * @param {Uint8Array} signature
 * @param {boolean} isZip215
 */
function workedOut(key, digest, signature, isZip215) {
  if (key.length !== 32 || digest.length !== 32 || signature.length !== 64) return null;
  const commitment = signature.slice(0, 32);
  const response = number(signature.slice(32));
  const owner = decoded(key, isZip215);
  if (response >= GROUP_ORDER || owner === null || owner.isSmallOrder()) return null;
  const challenge = number(sha512(concat(commitment, key, digest))) % GROUP_ORDER;
  const answer = Point.BASE.multiply(response, false).add(
    owner.multiply(challenge, false).negate());
  return { commitment, answer };
}

/**
 * The strict rule: R is written as `[S]B - [k]A` is, and of full order.
 *
 * @param {Uint8Array} key
 * @param {Uint8Array} digest
 * @param {Uint8Array} signature
 */
function holdsStrictly(key, digest, signature) {
  const found = workedOut(key, digest, signature, false);
  if (found === null || found.answer.isSmallOrder()) return false;
  return isEqual(found.answer.toBytes(), found.commitment);
}

/**
 * ZIP-215: `[8][S]B = [8]R + [8][k]A`.
 *
 * @param {Uint8Array} key
 * @param {Uint8Array} digest
 * @param {Uint8Array} signature
 */
function holdsByZip215(key, digest, signature) {
  const found = workedOut(key, digest, signature, true);
  const commitment = found && decoded(found.commitment, true);
  if (!found || !commitment) return false;
  return commitment.add(found.answer.negate()).isSmallOrder();
}

/** @type {Set<string>} */
const remembered = new Set();

/**
 * @param {string} rule
 * @param {(key: Uint8Array, digest: Uint8Array, signature: Uint8Array) => boolean} holds
 */
function remembering(rule, holds) {
  /**
   * @param {Uint8Array} key
   * @param {Uint8Array} digest
   * @param {Uint8Array} signature
   */
  return (key, digest, signature) => {
    // Each part has one length, so that no two triples are written alike.
    if (key.length !== 32 || digest.length !== 32 || signature.length !== 64) return false;
    const name = rule + toHex(concat(key, digest, signature));
    if (remembered.has(name)) return true;
    if (!holds(key, digest, signature)) return false;
    if (remembered.size >= REMEMBERED_MAX) {
      const [oldest] = remembered;
      remembered.delete(/** @type {string} */ (oldest));
    }
    remembered.add(name);
    return true;
  };
}

/** Returns true if the signature is the key's over a digest, by the rule of votes and outlooks. */
export const signatureHoldsStrictly = remembering("strict", holdsStrictly);
/** Returns true if the signature is the key's over a digest, by the rule of batches. */
export const signatureHoldsByZip215 = remembering("zip215", holdsByZip215);
