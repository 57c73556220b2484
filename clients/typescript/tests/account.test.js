import assert from "node:assert/strict";
import { test } from "node:test";

import { concat, i128, u128, u16, u32, u64, u8 } from "../src/bytes.js";
import { voteDigest } from "../src/certificate.js";
import { tagged } from "../src/crypto.js";
import { node } from "../src/merkle.js";
import { sign } from "../src/sign.js";
import { verify } from "../src/verify.js";
import { flipped, GENESIS, OTHER_GENESIS, V } from "./vectors.js";

const STATE_DIGEST_AT = 206;
const NOTHING = u64(0);
const WRITES = new Uint8Array(32).fill(7);

/** The vectors' validators decide a header: node i's vote key has the seed 1 + i, 32 times. */
function decided(header, height, round) {
  const hash = tagged("sluice:block:1", header);
  const digest = voteDigest(GENESIS.chainId, height, round, true, hash);
  const signatures = [0, 1, 2, 3].map((id) =>
    concat(u32(id), sign(new Uint8Array(32).fill(1 + id), digest)));
  return concat(u64(height), u32(round), hash, u64(4), ...signatures);
}

/** A proof of the account at a place among many, and what else the tree holds. */
function proofAt(place, { writes = WRITES, siblingCount = 32 } = {}) {
  const account = concat(u8(1), u64(201), u16(156));
  const counters = concat(u128(5n), u128(1n << 90n), u128(0n), u128(700n), u64(1_000), i128(-12n));
  const siblings = Array.from({ length: siblingCount }, (_, at) => new Uint8Array(32).fill(at));
  const root = siblings.reduce(
    (below, sibling, level) => (Math.floor(place / 2 ** level) % 2 === 1
      ? node(sibling, below) : node(below, sibling)),
    tagged("sluice:account:1", account, counters));
  const header = V.block_header.slice();
  header.set(tagged("sluice:state:1", root, WRITES), STATE_DIGEST_AT);
  return concat(new TextEncoder().encode("SLUICEA3"), account, counters, u32(place),
    u64(siblingCount), ...siblings, writes, header, decided(header, 5n, 0), NOTHING);
}

test("an account proof proves the counters", () => {
  for (const place of [0, 6, 0xffff_ffff]) {
    const { isValid, proven } = verify(proofAt(place), GENESIS);
    assert.ok(isValid);
    assert.deepEqual(
      [proven.kind, proven.accountKind, proven.owner, proven.currency, proven.height],
      ["account", "gateway-liquidity", 201n, 156, 5n]);
    assert.deepEqual(
      [proven.debitsPosted, proven.settled, proven.balance], [1n << 90n, -12n, 700n - (1n << 90n)]);
  }
});

test("any changed byte of an account proof is refused", () => {
  const proof = proofAt(6);
  for (let at = 0; at < proof.length; at += 1) {
    assert.ok(!verify(flipped(proof, at), GENESIS).isValid, `byte ${at}`);
  }
  for (let length = 0; length < proof.length; length += 1) {
    assert.ok(!verify(proof.slice(0, length), GENESIS).isValid, `${length} bytes`);
  }
});

test("an account proof of another chain, state or depth is refused", () => {
  assert.ok(!verify(proofAt(6), OTHER_GENESIS).isValid);
  assert.ok(!verify(proofAt(6, { writes: new Uint8Array(32) }), GENESIS).isValid);
  for (const siblingCount of [0, 31, 33]) {
    assert.ok(!verify(proofAt(6, { siblingCount }), GENESIS).isValid);
  }
});
