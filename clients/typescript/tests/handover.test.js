// Handovers that are well signed and lead nowhere: made with the keys of the vectors' validators.

import assert from "node:assert/strict";
import { test } from "node:test";

import { concat, u32, u64, u8 } from "../src/bytes.js";
import { validatorsHash, voteDigest } from "../src/certificate.js";
import { tagged } from "../src/crypto.js";
import { lineageApart } from "../src/lineage.js";
import { publicKeyOf, sign } from "../src/sign.js";
import { verifyBlock } from "../src/verify.js";
import { GENESIS, V } from "./vectors.js";

const seed = (byte) => new Uint8Array(32).fill(byte);
const list = (items) => concat(u64(items.length), ...items);

/** Validators by id and seed, each of power 1 unless said otherwise. */
const validators = (seeds, power = 1n) => Object.entries(seeds).map(
  ([id, byte]) => ({ id: Number(id), key: publicKeyOf(seed(byte)), power }));
const FIRST = { 0: 1, 1: 2, 2: 3, 3: 4 };

/** A header that these seeds decide, by whom it names. */
function block(height, deciders, next, signers = deciders) {
  const header = V.block_header.slice();
  header.set(u64(height), 34);
  header.set(validatorsHash(validators(deciders)), 238);
  header.set(validatorsHash(next), 270);
  const hash = tagged("sluice:block:1", header);
  const digest = voteDigest(GENESIS.chainId, height, 0, true, hash);
  const signatures = Object.entries(signers).map(
    ([id, byte]) => concat(u32(Number(id)), sign(seed(byte), digest)));
  return { header, certificate: concat(u64(height), u32(0), hash, list(signatures)) };
}

/** How one validator becomes another, or goes. */
const change = (id, byte, power = 1n) => concat(u32(id),
  byte === null ? u8(0) : concat(u8(1), publicKeyOf(seed(byte)), u64(power)));

function handover({ header, certificate }, deciders, next) {
  return concat(header, certificate, list(deciders), list(next));
}

/** Verifies block 9, decided by these, after handovers. */
function leads(handovers, deciders) {
  const { header, certificate } = block(9n, deciders, validators(deciders));
  return verifyBlock(header, certificate, GENESIS, lineageApart(handovers)).height;
}

const SECOND = { 0: 1, 1: 2, 2: 3, 3: 4, 4: 5 };
const good = handover(block(5n, FIRST, validators(SECOND)), [], [change(4, 5)]);

test("a handover leads to those who come", () => {
  assert.equal(leads([good], SECOND), 9n);
  assert.throws(() => leads([], SECOND), /other validators/);
  assert.throws(() => leads([good], FIRST), /other validators/);
});

test("a change has one form", () => {
  const of = block(5n, FIRST, validators(SECOND));
  for (const next of [
    [change(0, 1), change(4, 5)], [change(4, 5), change(4, 5)], [change(4, 5), change(7, null)],
  ]) {
    assert.throws(() => leads([handover(of, [], next)], SECOND), /changes nothing|do not ascend/);
  }
  assert.throws(() => leads([handover(of, [change(0, 1)], [change(4, 5)])], SECOND),
    /changes nothing/);
  const both = validators({ ...SECOND, 5: 6 });
  const backwards = [change(5, 6), change(4, 5)];
  assert.throws(() => leads([handover(block(5n, FIRST, both), [], backwards)], { ...SECOND, 5: 6 }),
    /do not ascend/);
});

test("a handover that hands over to the same, or to others than the header names, is none", () => {
  const same = handover(block(5n, FIRST, validators(FIRST)), [], []);
  assert.throws(() => leads([same], FIRST), /to the same validators/);
  const others = handover(block(5n, FIRST, validators(FIRST)), [], [change(4, 5)]);
  assert.throws(() => leads([others], SECOND), /others than the header names/);
  assert.throws(() => leads([good, good], SECOND), /does not ascend|other validators/);
});

test("more validators than a chain has are refused", () => {
  const crowd = Array.from({ length: 125 }, (_, at) => 4 + at);
  const next = crowd.map((id) => change(id, 5));
  const named = [...validators(FIRST), ...crowd.map((id) => validators({ [id]: 5 })[0])];
  assert.throws(() => leads([handover(block(5n, FIRST, named), [], next)], SECOND), /too many/);
});

test("strangers who decide among themselves are not vouched for", () => {
  const strangers = { 0: 91, 1: 92, 2: 93, 3: 94 };
  const changes = Object.entries(strangers).map(([id, byte]) => change(Number(id), byte));
  const usurped = { ...strangers, 4: 95 };
  const step = handover(block(5n, strangers, validators(usurped)), changes, [change(4, 95)]);
  assert.throws(() => leads([step], usurped), /too few of those trusted/);
  // Half of those trusted beside as many strangers are a quorum of the deciders, and not of trust.
  const mixed = { 0: 1, 1: 2, 2: 93, 3: 94 };
  const half = [change(2, 93), change(3, 94)];
  const beside = handover(block(5n, mixed, validators({ ...mixed, 4: 5 })), half, [change(4, 5)]);
  assert.throws(() => leads([beside], { ...mixed, 4: 5 }), /too few of those trusted/);
  // Three of four are.
  const three = { 0: 1, 1: 2, 2: 3, 3: 94 };
  const step3 = handover(block(5n, three, validators({ ...three, 4: 5 })), [change(3, 94)],
    [change(4, 5)]);
  assert.equal(leads([step3], { ...three, 4: 5 }), 9n);
});
