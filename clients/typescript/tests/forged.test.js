// Receipts whose every signature and hash is good, and that prove nothing all the same: made with
// the keys of the vectors' validators and participants, a block with one batch of one item a step.

import assert from "node:assert/strict";
import { test } from "node:test";

import { concat, u16, u32, u64, u8 } from "../src/bytes.js";
import { voteDigest } from "../src/certificate.js";
import { tagged } from "../src/crypto.js";
import { APPROVE, COLLECTED, KINDS, REFUSE } from "../src/kinds.js";
import { leaf } from "../src/merkle.js";
import { encodePartyKeys, verifyReceipt } from "../src/receipt.js";
import { batchId, publicKeyOf, sign, signedBatch } from "../src/sign.js";
import { arrivalItem, collectItem, holdDecisionItem, rechargeItem, returnItem } from "../src/wire.js";
import { GENESIS, OTHER_GENESIS, V } from "./vectors.js";

const ORDER = V.order_id_37;
const seed = (byte) => new Uint8Array(32).fill(byte);
const list = (items) => concat(u64(items.length), ...items);
const at = (base, offset, bytes) => {
  const changed = base.slice();
  changed.set(bytes, offset);
  return changed;
};

/** The vectors' validators decide a header. */
function decided(header, height) {
  const hash = tagged("sluice:block:1", header);
  const digest = voteDigest(GENESIS.chainId, height, 0, true, hash);
  const signatures = [0, 1, 2, 3].map((id) => concat(u32(id), sign(seed(1 + id), digest)));
  return concat(u64(height), u32(0), hash, list(signatures));
}

/** One item in one batch in one block, proven. */
function included(kind, item, how = {}) {
  const {
    submitter = 101, signer = 101, outcome = 0, height = 5n, window = 1n, previous = null,
    chainId = GENESIS.chainId, blockChainId = GENESIS.chainId, codes = [outcome], owner = submitter,
    number = KINDS[kind].number,
  } = how;
  const made = signedBatch(kind, chainId, { id: submitter, seed: seed(signer) }, [item], 9n);
  const batch = at(made.slice(0, 84), 2, u16(number));
  const signature = sign(seed(signer), batchId(batch));
  const current = publicKeyOf(seed(previous ? 77 : signer));
  const keys = encodePartyKeys({ participant: owner, current, previous });
  const outcomes = concat(...codes.map((code) => u16(code)));
  const fields = [
    [2, blockChainId], [34, u64(height)], [62, u64(window)], [102, u32(1)],
    [106, leaf(batchId(batch))], [174, leaf(leaf(outcomes))], [334, u32(1)], [338, leaf(keys)],
  ];
  const header = fields.reduce((base, [place, bytes]) => at(base, place, bytes), V.block_header);
  const none = list([]);
  return concat(batch, signature, u64(item.length), item, u32(0), none, u64(codes.length),
    outcomes, none, u32(0), none, none, header, decided(header, height), keys, u32(0), none);
}

function receipt({ order, collection, release, arrival, returns = [] }) {
  const option = (part) => (part ? concat(u8(1), part) : u8(0));
  return concat(new TextEncoder().encode("SLUICER2"), order, option(collection), option(release),
    option(arrival), list(returns), u64(0));
}

const recharge = (more = {}) => rechargeItem({
  id: ORDER, merchant: 1001n, gateway: 201, amountMinor: 1_000n, currency: 156, ...more,
});
const submitted = (how, more) => included("recharge", recharge(more), how);
const collected = (how = {}, order = ORDER) =>
  included("collect", collectItem(order), { submitter: 201, signer: 201, height: 6n, ...how });
const released = (decision, how) => included("hold-decision",
  holdDecisionItem(ORDER, decision, 1), { submitter: 501, signer: 51, height: 6n, ...how });
const arrived = (instruction = {}, how = {}) => included("arrival",
  arrivalItem({ window: 1n, merchant: 1001n, currency: 156, ...instruction }, 1_000n),
  { submitter: 202, signer: 202, height: 8n, ...how });
const returned = (sequence, amountMinor, how) => included("return",
  returnItem({ order: ORDER, amountMinor, reason: 1, sequence }),
  { submitter: 202, signer: 202, height: 9n, ...how });

const proves = (parts) => verifyReceipt(receipt(parts), GENESIS);
const refused = (parts, reason) => assert.throws(() => proves(parts), reason);

test("what these tests make is valid as long as nothing is wrong", () => {
  const whole = proves({
    order: submitted(), collection: collected(), arrival: arrived(),
    returns: [returned(1, 400n), returned(2, 600n)],
  });
  assert.deepEqual([whole.instruction, whole.returnedMinor], ["1-1001-156", 1_000n]);
  const held = proves({
    order: submitted({ outcome: 2 }), release: released(APPROVE), collection: collected(),
  });
  assert.notEqual(held.collectedMs, null);
  assert.equal(proves({ order: submitted({ outcome: 215 }) }).outcome, 215);
  assert.equal(proves({ order: submitted({ outcome: 215 }) }).collectedMs, null);
});

test("an order in one step is collected where it was submitted, and nowhere else", () => {
  const order = submitted({ outcome: 11 }, { flags: COLLECTED });
  const proven = proves({ order, arrival: arrived() });
  assert.deepEqual([proven.collectedMs, proven.cashbackTier], [proven.acceptedMs, 2]);
  refused({ order, collection: collected() }, /the collection is of another order/);
  refused({ order: submitted({ outcome: 215 }, { flags: COLLECTED }), arrival: arrived() },
    /an arrival without a collection/);
});

test("a step that was not applied proves nothing", () => {
  const order = submitted();
  refused({ order, collection: collected({ outcome: 301 }) }, /the collection is of another/);
  refused({ order: submitted({ outcome: 215 }), collection: collected() }, /the collection/);
  refused({ order: submitted({ outcome: 1 }), collection: collected() }, /the collection/);
  const collection = collected();
  refused({ order, collection, arrival: arrived({}, { outcome: 401 }) }, /another instruction/);
  refused({ order, collection, returns: [returned(1, 1n, { outcome: 501 })] }, /the return is/);
  const held = submitted({ outcome: 2 });
  refused({ order: held, release: released(APPROVE, { outcome: 601 }) }, /was not held/);
  refused({ order: held, release: released(REFUSE) }, /the release is of another order/);
  refused({ order, release: released(APPROVE), collection }, /was not held/);
});

test("a step of something else proves nothing", () => {
  const [order, collection] = [submitted(), collected()];
  const other = at(ORDER, 15, Uint8Array.of(1));
  refused({ order, collection: collected({}, other) }, /the collection is of another order/);
  for (const instruction of [{ window: 2n }, { merchant: 1002n }, { currency: 392 }]) {
    refused({ order, collection, arrival: arrived(instruction) }, /another instruction/);
  }
  refused({ order, collection: collected({ window: 3n }), arrival: arrived() }, /another instruc/);
  const yen = submitted({}, { payoutCurrency: 392, fxQuote: 1n });
  refused({ order: yen, collection, arrival: arrived() }, /another instruction/);
  refused({ order, collection, returns: [returned(2, 1n)] }, /the return is of another order/);
  refused({ order, collection, returns: [returned(1, 1_001n)] }, /more was returned/);
  refused({ order, collection, returns: [returned(1, 400n), returned(2, 601n)] }, /more was/);
});

test("a batch of another chain, kind or submitter proves nothing", () => {
  refused({ order: submitted({ chainId: OTHER_GENESIS.chainId }) }, /of another chain/);
  refused({ order: submitted({ blockChainId: OTHER_GENESIS.chainId }) }, /of another chain/);
  refused({ order: submitted({ number: 2 }) }, /not a recharge/);
  refused({ order: submitted({ owner: 102 }) }, /another participant's/);
  refused({ order: submitted({ codes: [] }) }, /no outcome of the item/);
  assert.throws(() => verifyReceipt(receipt({ order: submitted() }), OTHER_GENESIS), /chain/);
});

test("the key before is accepted up to its last height and not beyond", () => {
  const key = publicKeyOf(seed(101));
  assert.ok(proves({ order: submitted({ previous: { key, lastHeight: 5n } }) }));
  refused({ order: submitted({ previous: { key, lastHeight: 4n } }) }, /batch signature/);
});
