import assert from "node:assert/strict";
import { test } from "node:test";

import { concat, fromBase64, fromHex, fromUuid, Invalid, toBase64, toHex, toUuid, u16, u32, u64, u8,
  unsigned } from "../src/bytes.js";
import { APPROVE, KINDS } from "../src/kinds.js";
import { batchHeader, batchId, parseKeyFile, publicKeyOf, sign, signedBatch } from "../src/sign.js";
import * as wire from "../src/wire.js";
import { GENESIS, GENESIS_TIME_MS, V } from "./vectors.js";

const bytes = (byte, count = 32) => new Uint8Array(count).fill(byte);
const key = (tag) => publicKeyOf(bytes(tag));
const text = (words) => concat(u64(words.length), new TextEncoder().encode(words));

function uuidV7(timeMs, entropy) {
  const id = concat(unsigned(6, timeMs).reverse(), entropy);
  id[6] = (id[6] & 0x0f) | 0x70;
  id[8] = (id[8] & 0x3f) | 0x80;
  return id;
}

/** The order id at a place of the vectors. */
function order(index) {
  const entropy = concat(Uint8Array.of(0x10, 0x21), u32(index).reverse(),
    Uint8Array.of(0x65, 0x76, 0x87, 0x98));
  return uuidV7(GENESIS_TIME_MS + 1_000n + BigInt(index), entropy);
}

const TRANSFER = uuidV7(GENESIS_TIME_MS + 2_000n, bytes(0x20, 10));
const PROPOSAL = uuidV7(GENESIS_TIME_MS + 3_000n, bytes(0x30, 10));

/** Changes of the vectors, encoded as section 6 says. */
function changes() {
  const merchant = concat(u32(3), u64(1003n), text("merchant-1003"), u32(202), bytes(0x5b), u8(0),
    text(""));
  return {
    merchant,
    node: concat(u32(6), text("validator-5"), u32(1), key(15), key(5), u64(1)),
    list: wire.listChange([wire.listedChangeItem(merchant)]),
    registrar: concat(u32(14), u32(601), u32(202), u32(5_000), u32(200)),
    parameter: concat(u32(5), u16(2), u64(20_000)),
  };
}

function recharge(index) {
  return wire.rechargeItem({
    id: order(index), merchant: 1001n, gateway: 201, amountMinor: 1_000n + BigInt(index),
    currency: 156, user: bytes(0xa0, 16), device: 0x0102030405060708n,
    network: 0x1112131415161718n, reference: bytes(0xb1),
  });
}

/** The item of each kind of the vectors: its submitter and its bytes. */
function items() {
  const paid = { window: 2n, merchant: 1001n, currency: 156 };
  const proposal = wire.proposalItem(PROPOSAL, 51n, changes().node);
  return {
    recharge: [101, recharge(37)],
    collect: [201, wire.collectItem(order(37), bytes(0xc2))],
    void: [101, wire.voidItem(order(37), 2, bytes(0xd3))],
    arrival: [202, wire.arrivalItem(wire.instructionOf("2-1001-156"), 40_780n, bytes(0xe4))],
    failure: [202, wire.failureItem(paid, 2, bytes(0xf5))],
    return: [202, wire.returnItem({
      order: order(37), amountMinor: 500n, reason: 1, sequence: 1, restedMinorMax: 300n,
      reference: bytes(0x16),
    })],
    reinstruct: [401, wire.reinstructItem(paid, bytes(0x17))],
    "settle-window": [401, wire.settleWindowItem(2n, V.report_digest, bytes(0x18))],
    "settlement-decision": [402, wire.settlementDecisionItem(
      2n, APPROVE, V.report_digest, bytes(0x18))],
    transfer: [401, wire.transferItem({
      id: TRANSFER, action: 1, accountKind: 1, owner: 201n, currency: 156,
      amountMinor: 5_000_000n, reference: bytes(0x19),
    })],
    "transfer-decision": [402, wire.transferDecisionItem(
      TRANSFER, APPROVE, 1, 5_000_000n, bytes(0x1a))],
    rate: [301, wire.rateItem({
      currency: 156, payoutCurrency: 392, mantissa: 20_512n, scale: 3,
      observedMs: GENESIS_TIME_MS + 1_500n,
    })],
    quote: [301, wire.quoteItem({
      id: wire.quoteId(301, 7), currency: 156, payoutCurrency: 392, mantissa: 20_500n, scale: 3,
      ceilingMinor: 100_000_000n, validUntilMs: GENESIS_TIME_MS + 300_000n,
    })],
    "hold-decision": [501, wire.holdDecisionItem(order(37), APPROVE, 1, bytes(0x1b))],
    policy: [501, wire.policyItem({
      scope: 1, subject: 201n, currency: 156, orderMinorMax: 5_000_000n,
      dayMinorMax: 900_000_000n, holdAboveMinor: 1_000_000n,
    })],
    line: [201, wire.lineItem(1, 101, 156, 2_000_000n)],
    proposal: [1, proposal],
    approval: [2, wire.approvalItem(PROPOSAL, APPROVE, wire.proposalDigest(proposal))],
    "change-list": [1, wire.listedChangeItem(changes().merchant)],
    merchant: [202, wire.merchantItem(changes().merchant.slice(4))],
    bounce: [202, wire.bounceItem({ ...paid, attempt: 2 }, 5, bytes(0x1a))],
    recall: [401, wire.recallItem({ ...paid, attempt: 3 }, bytes(0x1b))],
    debiting: [201, wire.debitingItem(order(37), bytes(0x1d))],
    consent: [101, wire.consentItem(order(37), 700n, bytes(0x1e))],
    "step-in": [401, wire.stepInItem({ ...paid, attempt: 4 }, 4, bytes(0x1c))],
  };
}

/** The seed of a participant's key, as the vectors' genesis file says. */
function seed(participant) {
  if (participant <= 4) return bytes(20 + participant);
  if (participant > 300) return bytes(Math.floor(participant / 100) * 10 + participant % 10);
  return bytes(participant);
}

test("keys and signatures are those of the vectors", () => {
  for (const { id, publicKey } of GENESIS.participants.values()) {
    assert.deepEqual(publicKeyOf(seed(id)), publicKey);
  }
  assert.deepEqual(sign(bytes(1), V.vote_precommit_digest), V.vote_precommit_signature);
  assert.deepEqual(parseKeyFile(`${"65".repeat(32)}\n`), V.participant_101_seed);
  assert.throws(() => parseKeyFile("65"), Invalid);
});

test("an item of each kind is that of the vectors", () => {
  assert.deepEqual(Object.keys(items()).sort(), Object.keys(KINDS).sort());
  for (const [kind, [, item]] of Object.entries(items())) {
    assert.deepEqual(item, V[`item_${kind.replaceAll("-", "_")}`], kind);
  }
  for (const [name, change] of Object.entries(changes())) {
    assert.deepEqual(change, V[`change_${name}`], name);
  }
});

test("a batch of each kind is that of the vectors", () => {
  const until = GENESIS_TIME_MS + 120_000n;
  const made = (kind, id, contents) =>
    signedBatch(kind, GENESIS.chainId, { id, seed: seed(id) }, contents, until);
  assert.deepEqual(made("recharge", 101, [recharge(0), recharge(37)]), V.batch);
  assert.deepEqual(batchId(V.batch.slice(0, 84)), V.batch_id);
  for (const [kind, [submitter, item]] of Object.entries(items())) {
    if (kind === "recharge") continue;
    assert.deepEqual(made(kind, submitter, [item]), V[`batch_${kind.replaceAll("-", "_")}`], kind);
  }
});

test("a wrong batch is not made", () => {
  for (const [kind, contents] of [
    ["collect", []], ["collect", [bytes(0, 5)]], ["rate", Array(1_025).fill(bytes(0, 64))],
    ["proposal", Array(65).fill(bytes(0, 512))], ["nothing", [bytes(0, 64)]],
    ["constructor", [bytes(0, 64)]],
  ]) {
    assert.throws(() => batchHeader(kind, bytes(0), 1, contents, 0n), Invalid, kind);
  }
  assert.throws(() => wire.proposalItem(PROPOSAL, 51n, bytes(0, 481)), Invalid);
});

test("no amount passes through a float", () => {
  const order37 = { id: order(37), merchant: 1001n, gateway: 201, currency: 156 };
  for (const amountMinor of [10.5, Number.NaN, 2 ** 53, -1n, 1n << 64n, "12", null]) {
    assert.throws(() => wire.rechargeItem({ ...order37, amountMinor }), `${amountMinor}`);
  }
  const most = wire.rechargeItem({ ...order37, amountMinor: (1n << 64n) - 1n });
  assert.equal(toHex(most.slice(44, 52)), "ff".repeat(8));
});

test("an order's id is a UUIDv7 that ends in its owner", () => {
  assert.deepEqual(order(37), V.order_id_37);
  const [one, other] = [wire.orderId(101, GENESIS_TIME_MS), wire.orderId(101, GENESIS_TIME_MS)];
  const form = /^019b76da-a800-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{4}00000065$/;
  assert.match(toUuid(one), form);
  assert.notDeepEqual(one, other);
  assert.deepEqual(fromUuid(toUuid(one)), one);
});

test("texts have one form", () => {
  for (let length = 0; length < 40; length += 1) {
    const some = Uint8Array.from({ length }, (_, at) => (at * 89 + length * 7) % 256);
    assert.equal(toBase64(some), Buffer.from(some).toString("base64"));
    assert.deepEqual(fromBase64(toBase64(some)), some);
  }
  const large = new Uint8Array(100_000).fill(7);
  assert.deepEqual(fromBase64(toBase64(large)), large);
  for (const wrong of ["A", "AAA", "AA=A", "AB==", "AAB=", "AAA\n", "AA-_", "====", 7, null]) {
    assert.throws(() => fromBase64(wrong), Invalid, `${wrong}`);
  }
  for (const wrong of ["0", "0g", "AA", 7]) assert.throws(() => fromHex(wrong), Invalid);
  assert.throws(() => fromUuid("019B76DA-AC0D-7021-8000-002565768798"), Invalid);
});
