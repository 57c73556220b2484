// The two rules for signatures where they differ: parts of small order, forms not canonical.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Point } from "@noble/ed25519";
import { sha512 } from "@noble/hashes/sha2";

import { concat, toHex } from "../src/bytes.js";
import { sha256, signatureHoldsByZip215, signatureHoldsStrictly } from "../src/crypto.js";
import { publicKeyOf, sign } from "../src/sign.js";

const ORDER = 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn;
const DIGEST = sha256(Uint8Array.of(1));

const little = (number) => Uint8Array.from(
  { length: 32 }, (_, at) => Number((number >> BigInt(8 * at)) & 255n));
const number = (bytes) => BigInt(`0x${toHex(bytes.slice().reverse())}`);

/** The eight points of small order: multiples of one of order eight. */
const EIGHT = Point.fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");
const SMALL = Array.from({ length: 8 }, (_, at) =>
  Array.from({ length: at }).reduce((sum) => sum.add(EIGHT), Point.ZERO));

/** Bytes of a point; the library does not write the one that adds nothing. */
function written(point) {
  return point.is0() ? little(1n) : point.toBytes();
}

/** A signature by a secret number whose key and R have parts of small order. */
function solved(secret, nonce, keyPart, noncePart) {
  const multiple = (factor) => Point.BASE.multiply(factor, false);
  const key = written(multiple(secret).add(keyPart));
  const commitment = written(multiple(nonce).add(noncePart));
  const challenge = number(sha512(concat(commitment, key, DIGEST))) % ORDER;
  return { key, signature: concat(commitment, little((nonce + challenge * secret) % ORDER)) };
}

test("an ordinary signature holds by both rules, and over its digest alone", () => {
  const seed = new Uint8Array(32).fill(9);
  const [key, signature] = [publicKeyOf(seed), sign(seed, DIGEST)];
  for (const holds of [signatureHoldsStrictly, signatureHoldsByZip215]) {
    assert.ok(holds(key, DIGEST, signature));
    assert.ok(holds(key, DIGEST, signature), "remembered");
    assert.ok(!holds(key, sha256(DIGEST), signature));
    assert.ok(!holds(key, DIGEST, signature.slice(1)));
    assert.ok(!holds(publicKeyOf(DIGEST), DIGEST, signature));
    for (let bit = 0; bit < 512; bit += 3) {
      const changed = signature.slice();
      changed[bit >> 3] ^= 1 << bit % 8;
      assert.ok(!holds(key, DIGEST, changed), `bit ${bit}`);
    }
  }
});

test("parts of small order pass by ZIP-215 always, and strictly only when they cancel", () => {
  let [strict, cofactored] = [0, 0];
  for (const keyPart of SMALL) {
    for (const noncePart of SMALL) {
      const { key, signature } = solved(77n, 1_234_567n, keyPart, noncePart);
      assert.ok(signatureHoldsByZip215(key, DIGEST, signature));
      const challenge = number(sha512(concat(signature.slice(0, 32), key, DIGEST))) % ORDER;
      const rest = keyPart.multiply(challenge, false).add(noncePart);
      assert.equal(signatureHoldsStrictly(key, DIGEST, signature), rest.is0());
      strict += rest.is0() ? 1 : 0;
      cofactored += 1;
    }
  }
  assert.ok(strict > 1 && strict < cofactored);
});

test("an R of small order is refused strictly, and a key of small order by both rules", () => {
  for (const small of SMALL) {
    const { key, signature } = solved(77n, 0n, Point.ZERO, small);
    assert.ok(!signatureHoldsStrictly(key, DIGEST, signature));
    assert.ok(signatureHoldsByZip215(key, DIGEST, signature));
    const nobody = solved(0n, 5n, small, Point.ZERO);
    assert.ok(!signatureHoldsStrictly(nobody.key, DIGEST, nobody.signature));
    assert.ok(!signatureHoldsByZip215(nobody.key, DIGEST, nobody.signature));
  }
});

test("S at or above the group order is refused by both rules", () => {
  const seed = new Uint8Array(32).fill(9);
  const [key, signature] = [publicKeyOf(seed), sign(seed, DIGEST)];
  const large = concat(signature.slice(0, 32), little(number(signature.slice(32)) + ORDER));
  assert.ok(!signatureHoldsStrictly(key, DIGEST, large));
  assert.ok(!signatureHoldsByZip215(key, DIGEST, large));
});

test("an R that is not canonical is hashed as it came, by ZIP-215 alone", () => {
  // y = 2^255 - 18 is 1 in another form: the point that adds nothing.
  const commitment = little((1n << 255n) - 18n);
  const key = Point.BASE.multiply(77n, false).toBytes();
  const challenge = number(sha512(concat(commitment, key, DIGEST))) % ORDER;
  const signature = concat(commitment, little(challenge * 77n % ORDER));
  assert.ok(signatureHoldsByZip215(key, DIGEST, signature));
  assert.ok(!signatureHoldsStrictly(key, DIGEST, signature));
});
