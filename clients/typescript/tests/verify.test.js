import assert from "node:assert/strict";
import { test } from "node:test";

import { concat, Invalid, Reader, u32, u64 } from "../src/bytes.js";
import { readCertificate, requireQuorum, validatorsHash, voteDigest } from "../src/certificate.js";
import { tagged } from "../src/crypto.js";
import { parseGenesis, requirePinned } from "../src/genesis.js";
import {
  LINEAGE_MAGIC, PROOF_BYTES_MAX, readHandover, readLineage, trust,
} from "../src/lineage.js";
import { leaf, merkleRoot, rootFromProof } from "../src/merkle.js";
import { readWindow, reportDigest, verifyWindow } from "../src/proof.js";
import { encodePartyKeys, readPartyKeys, verifyReceipt } from "../src/receipt.js";
import { verify, verifyBlock } from "../src/verify.js";
import { flipped, GENESIS, GENESIS_BYTES, GENESIS_TIME_MS, OTHER_GENESIS, V } from "./vectors.js";

const NOTHING = u64(0);

test("hashes, trees, votes, validators and keys are those of the vectors", () => {
  assert.deepEqual(GENESIS.chainId, V.chain_id);
  for (const [name, tag] of [["batch", "batch"], ["block", "block"], ["proposal", "propose"],
    ["validators", "validat"], ["histories", "history"]]) {
    assert.deepEqual(tagged(`sluice:${tag}:1`), V[`hash_of_nothing_${name}`]);
  }
  for (const count of [0, 1, 2, 3, 5, 8]) {
    const leaves = Array.from({ length: count }, (_, at) => leaf(Uint8Array.of(at)));
    assert.deepEqual(merkleRoot(leaves), V[`merkle_root_${count}`]);
  }
  assert.deepEqual(validatorsHash(GENESIS.validators), V.validators_hash);
  assert.deepEqual(
    voteDigest(GENESIS.chainId, 5n, 0, false, null), V.vote_prevote_nothing_digest);
  assert.deepEqual(
    voteDigest(GENESIS.chainId, 5n, 1, true, V.block_hash), V.vote_precommit_digest);
  for (const name of ["party_keys", "party_keys_rotated"]) {
    const keys = readPartyKeys(new Reader(V[name]));
    assert.deepEqual(encodePartyKeys(keys), V[name]);
    assert.deepEqual(leaf(V[name]), V[`${name}_leaf`]);
  }
});

test("a proof of a tree holds at its place alone", () => {
  const leaves = Array.from({ length: 13 }, (_, at) => leaf(Uint8Array.of(at)));
  const root = merkleRoot(leaves);
  const path = (from, to, at) => {
    if (to - from === 1) return [];
    const split = from + 2 ** Math.floor(Math.log2(to - from - 1));
    return at < split
      ? [...path(from, split, at), merkleRoot(leaves.slice(split, to))]
      : [...path(split, to, at), merkleRoot(leaves.slice(from, split))];
  };
  for (let at = 0; at < 13; at += 1) {
    const proof = path(0, 13, at);
    assert.deepEqual(rootFromProof(leaves[at], at, 13, proof), root);
    assert.throws(() => rootFromProof(leaves[at], at, 13, proof.slice(1)), Invalid);
    assert.throws(() => rootFromProof(leaves[at], at, 13, [...proof, root]), Invalid);
    assert.throws(() => rootFromProof(leaves[at], 13, 13, proof), Invalid);
    for (let other = 0; other < 13; other += 1) {
      if (other === at) continue;
      let found;
      try {
        found = rootFromProof(leaves[at], other, 13, proof);
      } catch (error) {
        assert.ok(error instanceof Invalid);
      }
      assert.notDeepEqual(found, root);
    }
  }
});

test("a certificate needs a quorum whose every signature is good", () => {
  const certificate = readCertificate(new Reader(V.certificate));
  requireQuorum(certificate, GENESIS.chainId, GENESIS.validators);
  const { signatures } = certificate;
  const refused = (changed) => assert.throws(
    () => requireQuorum({ ...certificate, ...changed }, GENESIS.chainId, GENESIS.validators),
    Invalid);
  refused({ signatures: signatures.slice(0, 2) });
  refused({ signatures: [signatures[0], signatures[0], signatures[0], signatures[0]] });
  refused({ signatures: [...signatures].reverse() });
  refused({ round: certificate.round + 1 });
  refused({ height: certificate.height + 1n });
  const forged = { validator: 3, signature: flipped(signatures[3].signature, 3) };
  refused({ signatures: [...signatures.slice(0, 3), forged] });
  requireQuorum({ ...certificate, signatures: signatures.slice(1) }, GENESIS.chainId,
    GENESIS.validators);
});

test("a block is the chain's by its certificate and the user's genesis file", () => {
  assert.equal(verifyBlock(V.block_header, V.certificate, GENESIS).height, 5n);
  assert.throws(() => verifyBlock(V.block_header, V.certificate, OTHER_GENESIS), Invalid);
  assert.throws(() => verifyBlock(flipped(V.block_header, 60), V.certificate, GENESIS), Invalid);
  const block = [V.lineage_skipping_header, V.lineage_skipping_certificate];
  assert.throws(() => verifyBlock(...block, GENESIS), Invalid);
  assert.equal(verifyBlock(...block, GENESIS, V.lineage_apart).height, 10n);
});

test("a receipt proves the order", () => {
  const proven = verifyReceipt(V.receipt, GENESIS);
  assert.equal(proven.orderId, "019b76da-ac0d-7021-8000-002565768798");
  assert.deepEqual([proven.outcome, proven.amountMinor, proven.merchant], [0, 1_037n, 1001n]);
  assert.equal(proven.acceptedMs, GENESIS_TIME_MS + 1_500n + 5n * 250n);
  assert.equal(proven.collectedMs, GENESIS_TIME_MS + 1_500n + 9n * 250n);
  assert.equal(proven.arrivedMs, GENESIS_TIME_MS + 1_500n + 40n * 250n);
  assert.equal(proven.instruction, "2-1001-156");
  const signers = proven.signers.map(({ step, participant }) => [step, participant]);
  assert.deepEqual(signers, [["order", 101], ["collection", 201], ["arrival", 202]]);
});

test("a receipt proves every step there is", () => {
  const proven = verifyReceipt(V.receipt_long, GENESIS);
  assert.deepEqual([proven.outcome, proven.cashbackTier, proven.returnedMinor], [2, 1, 500n]);
  assert.deepEqual(proven.signers.map(({ step }) => step),
    ["order", "release", "collection", "arrival", "return", "return"]);
  const [first, second] = proven.signers.slice(-2);
  assert.equal(first.participant, second.participant);
  assert.notEqual(first.publicKey, second.publicKey);
});

for (const name of ["receipt", "receipt_long", "record_proof"]) {
  test(`any changed byte of ${name} is refused`, () => {
    assert.ok(verify(V[name], GENESIS).isValid);
    for (let at = 0; at < V[name].length; at += 1) {
      const verdict = verify(flipped(V[name], at), GENESIS);
      assert.ok(!verdict.isValid, `byte ${at}`);
    }
  });

  test(`any shorter or longer form of ${name} is refused`, () => {
    for (let length = 0; length < V[name].length; length += 1) {
      assert.ok(!verify(V[name].slice(0, length), GENESIS).isValid, `${length} bytes`);
    }
    assert.ok(!verify(concat(V[name], Uint8Array.of(0)), GENESIS).isValid);
  });

  test(`${name} of another genesis file is refused`, () => {
    const verdict = verify(V[name], OTHER_GENESIS);
    assert.deepEqual([verdict.isValid, verdict.chainId], [false, OTHER_GENESIS.chainIdText]);
    const stranger = V.participant_101_public_key;
    const others = GENESIS.validators.map((each) => ({ ...each, key: stranger }));
    assert.ok(!verify(V[name], { ...GENESIS, validators: others }).isValid);
  });
}

test("a lineage is needed, no more than that, and may stand apart", () => {
  const { lineage } = V;
  const bare = concat(V.receipt_long.slice(0, -lineage.length), NOTHING);
  const needless = concat(V.receipt.slice(0, -8), lineage);
  assert.match(verify(bare, GENESIS).reason, /other validators/);
  assert.match(verify(needless, GENESIS).reason, /nothing rests on/);
  const apart = concat(LINEAGE_MAGIC, lineage.slice(8));
  assert.deepEqual(verify(bare, GENESIS, apart), verify(V.receipt_long, GENESIS));
  for (const wrong of [apart.slice(0, -1), apart.slice(1), concat(apart, apart.slice(8)),
    V.lineage_apart, flipped(apart, 500)]) {
    assert.ok(!verify(bare, GENESIS, wrong).isValid);
  }
});

/** Whether the lineage of these bytes leads to the last block of nine changes of validators. */
function leads(bytes) {
  const header = V.lineage_skipping_header;
  const proof = { header: header, certificate: V.lineage_skipping_certificate };
  try {
    const reader = new Reader(bytes);
    const handovers = readLineage(reader);
    reader.end();
    return isLed(handovers, proof);
  } catch (error) {
    assert.ok(error instanceof Invalid, error);
    return false;
  }
}

function isLed(handovers, proof) {
  const handover = readHandover(new Reader(
    concat(proof.header, proof.certificate, NOTHING, NOTHING)));
  const { header, certificate } = handover;
  try {
    trust(handovers, GENESIS, [header.height]).require(header, certificate);
    return true;
  } catch (error) {
    assert.ok(error instanceof Invalid, error);
    return false;
  }
}

test("a lineage that skips changes leads to its block", () => {
  assert.ok(leads(V.lineage_skipping));
  const handovers = readLineage(new Reader(V.lineage_skipping));
  assert.ok(handovers.length < 9 && handovers.some(({ deciders }) => deciders.length > 0));
});

test("any changed byte of a lineage is refused", () => {
  for (let at = 0; at < V.lineage_skipping.length; at += 1) {
    assert.ok(!leads(flipped(V.lineage_skipping, at)), `byte ${at}`);
  }
});

test("each step of a lineage is needed once", () => {
  const proof = { header: V.lineage_skipping_header, certificate: V.lineage_skipping_certificate };
  const steps = readLineage(new Reader(V.lineage_skipping));
  assert.ok(isLed(steps, proof));
  steps.forEach((step, at) => {
    assert.ok(!isLed([...steps.slice(0, at), ...steps.slice(at + 1)], proof));
    assert.ok(!isLed([...steps.slice(0, at), step, step, ...steps.slice(at + 1)], proof));
  });
});

test("a window's proof proves what parties owe and that it is settled", () => {
  const proven = verifyWindow(V.record_proof, GENESIS);
  assert.deepEqual([proven.window, proven.orders, proven.instructions], [2n, 43n, 3n]);
  assert.deepEqual(
    proven.positions.map(({ owner, currency, net }) => [owner, currency, net]),
    [[201n, 156, -39_280n], [201n, 392, 9_000n], [202n, 156, 39_280n], [202n, 392, -9_000n]]);
  assert.deepEqual(
    [proven.settled.agent, proven.settled.checker, proven.settled.height], [401, 402, 60n]);
  assert.deepEqual(reportDigest(V.record_window), V.report_digest);
});

test("a report that does not net is refused", () => {
  assert.throws(() => readWindow(flipped(V.record_window, V.record_window.length - 16)), /not net/);
  assert.throws(() => readWindow(V.record_window_settlement), /not a window/);
});

test("more bytes than any proof has are not read", () => {
  for (const magic of ["SLUICER2", "SLUICEA3", "SLUICEP2"]) {
    const bytes = new Uint8Array(PROOF_BYTES_MAX + 1);
    bytes.set(new TextEncoder().encode(magic));
    assert.match(verify(bytes, GENESIS).reason, /more bytes than any/);
    assert.doesNotMatch(verify(bytes.slice(1), GENESIS).reason, /more bytes/);
  }
});

test("a length that lies does not make a list", () => {
  const lying = concat(u64((1n << 64n) - 1n), u32(0));
  assert.throws(() => new Reader(lying).list((reader) => reader.u8()), Invalid);
  assert.throws(() => new Reader(lying).bytes(), Invalid);
});

test("the genesis file says who is who, and only the pinned one will do", () => {
  requirePinned(GENESIS, `${GENESIS.chainIdText}\n`);
  assert.throws(() => requirePinned(OTHER_GENESIS, GENESIS.chainIdText), Invalid);
  assert.deepEqual(GENESIS.participants.get(101).publicKey, V.participant_101_public_key);
  assert.deepEqual(GENESIS.participants.get(401).roles, ["settlement-agent"]);
  assert.equal(GENESIS.merchants.get(1001n).payoutGateway, 202);
  assert.deepEqual([GENESIS.name, GENESIS.timeMs], ["vectors", GENESIS_TIME_MS]);
  assert.equal(GENESIS.parameters.get("window_ms"), 30_000n);
  const text = new TextDecoder().decode(GENESIS_BYTES);
  for (const [from, to] of [
    ["power = 1", "power = -1"], ["power = 1", "power = 1.0"], ["id = 101", "id = 1"],
    ["id = 101", "id = 4294967296"], ["id = 101", "id = 0101"], ["validator_key", "other_key"],
    ["8a88e3dd7409", "8A88E3DD7409"], ["[parameters]", "[parameters]\n[parameters]"],
    ["time_ms = ", "time_ms = 1\ntime_ms = "], ["currencies = [", "currencies = "],
  ]) {
    const other = text.replace(from, to);
    assert.notEqual(other, text);
    assert.throws(() => parseGenesis(new TextEncoder().encode(other)), Invalid, `${from}: ${to}`);
  }
});
