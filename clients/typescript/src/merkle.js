// Merkle trees: docs/wire-format.md section 4.

import { require } from "./bytes.js";
import { sha256 } from "./crypto.js";

/** The most siblings of a proof. */
export const PROOF_HASHES_MAX = 32;

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** The hash of a leaf. @param {Uint8Array} data */
export function leaf(data) {
  return sha256(LEAF, data);
}

/**
 * The hash of an inner node.
 *
 * @param {Uint8Array} left
 * @param {Uint8Array} right
 */
export function node(left, right) {
  return sha256(NODE, left, right);
}

/**
 * The root over leaf hashes, level by level; an odd last hash rises unchanged.
 *
 * @param {Uint8Array[]} leaves
 * @returns {Uint8Array}
 */
export function merkleRoot(leaves) {
  if (leaves.length === 0) return sha256();
  let level = leaves;
  while (level.length > 1) {
    const next = [];
    for (let at = 0; at + 1 < level.length; at += 2) next.push(node(level[at], level[at + 1]));
    if (level.length % 2 === 1) next.push(level[level.length - 1]);
    level = next;
  }
  return level[0];
}

/**
 * The root that a proof leads to; refuses a proof of the wrong length.
 *
 * @param {Uint8Array} leafHash
 * @param {number} index
 * @param {number} count
 * @param {Uint8Array[]} proof
 */
export function rootFromProof(leafHash, index, count, proof) {
  require(index < count && proof.length <= PROOF_HASHES_MAX, "proof: no such leaf");
  let [hash, at, last] = [leafHash, index, count - 1];
  for (const sibling of proof) {
    require(last !== 0, "proof: too long");
    if (at % 2 === 1 || at === last) {
      hash = node(sibling, hash);
      while (at % 2 === 0 && at !== 0) {
        at = at >>> 1;
        last = last >>> 1;
      }
    } else {
      hash = node(hash, sibling);
    }
    at = at >>> 1;
    last = last >>> 1;
  }
  require(last === 0, "proof: too short");
  return hash;
}
