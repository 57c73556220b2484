// Keys and signatures of a party: docs/wire-format.md sections 3 and 5. A seed is RFC 8032's
// private key; it never leaves this machine.

import { etc, getPublicKey, sign as signBytes } from "@noble/ed25519";
import { sha512 } from "@noble/hashes/sha2";

import { concat, exactly, fromHex, require, u16, u32, u64 } from "./bytes.js";
import { tagged } from "./crypto.js";
import { KINDS } from "./kinds.js";
import { leaf, merkleRoot } from "./merkle.js";

etc.sha512Sync = (...messages) => sha512(concat(...messages));

/** @typedef {{id: number, seed: Uint8Array}} Signatory A participant and its key's seed. */

/** The public key, 32 bytes, of a seed. @param {Uint8Array} seed */
export function publicKeyOf(seed) {
  return getPublicKey(exactly(32, seed));
}

/**
 * The signature, 64 bytes, over a digest.
 *
 * @param {Uint8Array} seed
 * @param {Uint8Array} digest
 */
export function sign(seed, digest) {
  return signBytes(exactly(32, digest), exactly(32, seed));
}

/** Reads a secret key file: the seed as 64 hexadecimal digits. @param {string} text */
export function parseKeyFile(text) {
  return fromHex(text.trim(), 32);
}

/**
 * The 84 bytes that name a batch of items, each of the kind's size.
 *
 * @param {string} kind
 * @param {Uint8Array} chainId
 * @param {number} submitter
 * @param {Uint8Array[]} items
 * @param {bigint} validUntilMs
 */
export function batchHeader(kind, chainId, submitter, items, validUntilMs) {
  const form = KINDS[kind];
  require(form, `there is no kind ${kind}`);
  const { number, bytes, itemsMax } = form;
  const isCounted = items.length >= 1 && items.length <= itemsMax;
  require(isCounted, `a ${kind} batch holds 1 to ${itemsMax} items`);
  for (const item of items) require(item.length === bytes, `a ${kind} item has ${bytes} bytes`);
  return concat(u16(1), u16(number), exactly(32, chainId), u32(submitter), u32(items.length),
    u64(validUntilMs), merkleRoot(items.map(leaf)));
}

/** The batch id: what the submitter signs. @param {Uint8Array} header */
export function batchId(header) {
  return tagged("sluice:batch:1", header);
}

/**
 * A whole batch: header, signature, items.
 *
 * @param {string} kind
 * @param {Uint8Array} chainId
 * @param {Signatory} signatory
 * @param {Uint8Array[]} items
 * @param {bigint} validUntilMs The last block time at which it may commit.
 */
export function signedBatch(kind, chainId, { id, seed }, items, validUntilMs) {
  const header = batchHeader(kind, chainId, id, items, validUntilMs);
  return concat(header, sign(seed, batchId(header)), ...items);
}
