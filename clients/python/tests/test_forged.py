"""Receipts whose every signature and hash is good, and that prove nothing all the same: made with
the keys of the vectors' validators and participants, a block with one batch of one item a step."""

import struct
import unittest

from sluice import Genesis, Invalid, verify_receipt, wire
from sluice.receipt import PartyKeys
from sluice.wire import APPROVE, COLLECTED, KINDS, REFUSE

from .test_account import decided
from .test_vectors import GENESIS, VECTORS, V

ORDER = V["order_id_37"]
OTHER = Genesis.parse((VECTORS / "genesis.toml").read_bytes().replace(b'"vectors"', b'"other"'))


def vector(items):
    """A Vec of encoded elements."""
    return struct.pack("<Q", len(items)) + b"".join(items)


def put(base, places):
    """Bytes with others put at places."""
    changed = bytearray(base)
    for at, data in places.items():
        changed[at:at + len(data)] = data
    return bytes(changed)


def included(
    kind, item, submitter=101, signer=101, outcome=0, height=5, window=1, previous=None,
    chain_id=GENESIS.chain_id, block_chain_id=GENESIS.chain_id, codes=None, owner=None,
    number=None,
):
    """One item in one batch in one block, proven."""
    seed = bytes([signer] * 32)
    batch = put(wire.batch_header(kind, chain_id, submitter, [item], 9),
                {2: struct.pack("<H", number or KINDS[kind][0])})
    current = wire.public_key_of(bytes([77] * 32) if previous else seed)
    keys = PartyKeys(owner or submitter, current, previous).encode()
    codes = [outcome] if codes is None else codes
    outcomes = b"".join(struct.pack("<H", code) for code in codes)
    identity = wire.batch_id(batch)
    header = put(V["block_header"], {
        2: block_chain_id, 34: struct.pack("<Q", height), 62: struct.pack("<Q", window),
        102: struct.pack("<I", 1), 106: wire.leaf(identity),
        174: wire.leaf(wire.leaf(outcomes)), 334: struct.pack("<I", 1), 338: wire.leaf(keys)})
    place, none = struct.pack("<I", 0), vector([])
    return b"".join([
        batch, wire.sign(seed, identity), struct.pack("<Q", len(item)), item, place, none,
        struct.pack("<Q", len(codes)), outcomes, none, place, none, none, header,
        decided(header, height, 0), keys, place, none])


def submitted(how=None, **more):
    """The order's submission."""
    item = wire.recharge_item(ORDER, 1001, 201, 1_000, 156, **more)
    return included("recharge", item, **(how or {}))


def collected(order=ORDER, **how):
    """Its collection."""
    how = {"submitter": 201, "signer": 201, "height": 6, **how}
    return included("collect", wire.collect_item(order), **how)


def released(decision, **how):
    """Its release by a risk desk."""
    how = {"submitter": 501, "signer": 51, "height": 6, **how}
    return included("hold-decision", wire.hold_decision_item(ORDER, decision, 1), **how)


def arrived(window=1, merchant=1001, currency=156, **how):
    """The arrival of its instruction."""
    how = {"submitter": 202, "signer": 202, "height": 8, **how}
    return included("arrival", wire.arrival_item(window, merchant, 1_000, currency), **how)


def returned(sequence, amount, **how):
    """A return of it."""
    how = {"submitter": 202, "signer": 202, "height": 9, **how}
    return included("return", wire.return_item(ORDER, amount, 1, sequence), **how)


def receipt(order, collection=None, release=None, arrival=None, returns=()):
    """A receipt of these steps."""
    options = b"".join(b"\1" + part if part else b"\0" for part in (collection, release, arrival))
    return b"SLUICER2" + order + options + vector(returns) + vector([])


class Forged(unittest.TestCase):
    """Each step counts for its own order, and once it was applied."""

    def refused(self, reason, *parts, **more):
        with self.assertRaisesRegex(Invalid, reason):
            verify_receipt(receipt(*parts, **more), GENESIS)

    def test_what_these_tests_make_is_valid_as_long_as_nothing_is_wrong(self):
        whole = verify_receipt(receipt(
            submitted(), collected(), arrival=arrived(),
            returns=[returned(1, 400), returned(2, 600)]), GENESIS)
        self.assertEqual((whole["instruction"], whole["returned_minor"]), ("1-1001-156", 1_000))
        held = receipt(submitted({"outcome": 2}), collected(), released(APPROVE))
        self.assertIsNotNone(verify_receipt(held, GENESIS)["collected_ms"])
        rejected = verify_receipt(receipt(submitted({"outcome": 215})), GENESIS)
        self.assertEqual((rejected["outcome"], rejected["collected_ms"]), (215, None))

    def test_an_order_in_one_step_is_collected_where_it_was_submitted(self):
        order = submitted({"outcome": 11}, flags=COLLECTED)
        proven = verify_receipt(receipt(order, arrival=arrived()), GENESIS)
        self.assertEqual(proven["collected_ms"], proven["accepted_ms"])
        self.assertEqual(proven["cashback_tier"], 2)
        self.refused("the collection is of another", order, collected())
        order = submitted({"outcome": 215}, flags=COLLECTED)
        self.refused("an arrival without a collection", order, arrival=arrived())

    def test_a_step_that_was_not_applied_proves_nothing(self):
        order, collection, held = submitted(), collected(), submitted({"outcome": 2})
        self.refused("the collection is of another", order, collected(outcome=301))
        for outcome in (1, 215):
            self.refused("the collection is", submitted({"outcome": outcome}), collection)
        self.refused("another instruction", order, collection, arrival=arrived(outcome=401))
        self.refused("the return is", order, collection, returns=[returned(1, 1, outcome=501)])
        self.refused("not held", held, release=released(APPROVE, outcome=601))
        self.refused("the release is of another", held, release=released(REFUSE))
        self.refused("not held", order, collection, released(APPROVE))

    def test_a_step_of_something_else_proves_nothing(self):
        order, collection = submitted(), collected()
        other = ORDER[:15] + b"\1"
        self.refused("the collection is of another", order, collected(other))
        for arrival in (arrived(window=2), arrived(merchant=1002), arrived(currency=392)):
            self.refused("another instruction", order, collection, arrival=arrival)
        self.refused("another instruction", order, collected(window=3), arrival=arrived())
        yen = submitted(payout_currency=392, fx_quote=1)
        self.refused("another instruction", yen, collection, arrival=arrived())
        self.refused("the return is of another", order, collection, returns=[returned(2, 1)])
        for returns in ([returned(1, 1_001)], [returned(1, 400), returned(2, 601)]):
            self.refused("more was returned", order, collection, returns=returns)

    def test_a_batch_of_another_chain_kind_or_submitter_proves_nothing(self):
        self.refused("another chain", submitted({"chain_id": OTHER.chain_id}))
        self.refused("another chain", submitted({"block_chain_id": OTHER.chain_id}))
        self.refused("not a recharge", submitted({"number": 2}))
        self.refused("another's keys", submitted({"owner": 102}))
        self.refused("no outcome", submitted({"codes": []}))
        with self.assertRaisesRegex(Invalid, "chain"):
            verify_receipt(receipt(submitted()), OTHER)

    def test_the_key_before_is_accepted_up_to_its_last_height(self):
        key = wire.public_key_of(bytes([101] * 32))
        self.assertTrue(verify_receipt(receipt(submitted({"previous": (key, 5)})), GENESIS))
        self.refused("batch signature", submitted({"previous": (key, 4)}))


if __name__ == "__main__":
    unittest.main()
