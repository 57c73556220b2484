"""The client against the vectors that hold the chain's own bytes still."""

import json
import pathlib
import re
import struct
import unittest
import uuid

import sluice_wire as client

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "chain" / "types" / "tests" / "vectors"
TEXTS = json.loads((VECTORS / "vectors.json").read_text())
V = {name: bytes.fromhex(text) for name, text in TEXTS.items()}
GENESIS = client.Genesis.parse((VECTORS / "genesis.toml").read_bytes())
GENESIS_TIME_MS = 1_767_225_600_000


def order(index):
    """The order id at a place of the vectors."""
    entropy = b"\x10\x21" + index.to_bytes(4, "big") + b"\x65\x76\x87\x98"
    value = int.from_bytes(entropy, "big") | (GENESIS_TIME_MS + 1_000 + index) << 80
    value = value & ~(0xF << 76) | 7 << 76
    return (value & ~(0x3 << 62) | 2 << 62).to_bytes(16, "big")


def recharge(index):
    """The recharge order at a place of the vectors."""
    return client.recharge_item(
        order(index), 1001, 201, 1_000 + index, 156, user=bytes([0xA0] * 16),
        device=0x0102030405060708, network=0x1112131415161718, reference=bytes([0xB1] * 32))


class Words(unittest.TestCase):
    """Ids, hashes, keys and trees."""

    def test_the_chain_id_is_the_files_hash(self):
        self.assertEqual(GENESIS.chain_id, V["chain_id"])

    def test_the_page_shows_the_same_vectors(self):
        page = (VECTORS.parents[3] / "docs" / "wire-format.md").read_text()
        shown = re.findall(r"^(\w+):\n((?:  [0-9a-f]+\n)+)", page, re.MULTILINE)
        self.assertGreater(len(shown), 25)
        for name, text in shown:
            self.assertEqual(bytes.fromhex("".join(text.split())), V[name], name)

    def test_domain_tags(self):
        tags = {
            "batch": "batch", "block": "block", "vote": "vote", "proposal": "propose",
            "state": "state", "writes": "writes", "account": "account",
            "validators": "validat", "parameters": "params"}
        for name, tag in tags.items():
            self.assertEqual(client.tagged(f"sluice:{tag}:1"), V[f"hash_of_nothing_{name}"])

    def test_keys(self):
        seed = V["participant_101_seed"]
        self.assertEqual(client.public_key_of(seed), V["participant_101_public_key"])
        self.assertEqual(GENESIS.participants[101], V["participant_101_public_key"])

    def test_merkle_roots(self):
        for count in (0, 1, 2, 3, 5, 8):
            leaves = [client.leaf(bytes([byte])) for byte in range(count)]
            self.assertEqual(client.merkle_root(leaves), V[f"merkle_root_{count}"])

    def test_order_ids(self):
        self.assertEqual(order(37), V["order_id_37"])
        made = uuid.UUID(bytes=client.order_id(GENESIS_TIME_MS))
        self.assertEqual((made.version, made.variant), (7, uuid.RFC_4122))
        self.assertEqual(made.int >> 80, GENESIS_TIME_MS)

    def test_validators(self):
        self.assertEqual(GENESIS.validators_hash(), V["validators_hash"])


class Batches(unittest.TestCase):
    """Items and batches, byte for byte."""

    def test_items(self):
        arrival = (2, 1001, 40_780, 156, bytes([0xE4] * 32))
        self.assertEqual(recharge(37), V["item_recharge"])
        self.assertEqual(client.leaf(recharge(37)), V["item_recharge_leaf"])
        self.assertEqual(client.collect_item(order(37), bytes([0xC2] * 32)), V["item_collect"])
        self.assertEqual(client.void_item(order(37), 2, bytes([0xD3] * 32)), V["item_void"])
        self.assertEqual(client.arrival_item(*arrival), V["item_arrival"])
        failure = client.failure_item(2, 1001, 156, 2, bytes([0xF5] * 32))
        self.assertEqual(failure, V["item_failure"])

    def test_batches(self):
        until = GENESIS_TIME_MS + 120_000
        rows = [
            ("batch", "recharge", 101, [recharge(0), recharge(37)]),
            ("batch_collect", "collect", 201, [V["item_collect"]]),
            ("batch_void", "void", 101, [V["item_void"]]),
            ("batch_arrival", "arrival", 202, [V["item_arrival"]]),
            ("batch_failure", "failure", 202, [V["item_failure"]]),
        ]
        for name, kind, submitter, items in rows:
            seed = bytes([submitter] * 32)
            batch = client.signed_batch(kind, GENESIS.chain_id, submitter, seed, items, until)
            self.assertEqual(batch, V[name], name)
        self.assertEqual(client.sha256(V["batch"]), V["batch_sha256"])
        self.assertEqual(client.batch_id(V["batch"][:84]), V["batch_id"])

    def test_a_wrong_batch_is_not_made(self):
        for items in ([], [b"short"], [bytes(64)] * 8_193):
            with self.assertRaises(client.Invalid):
                client.batch_header("collect", bytes(32), 1, items, 0)


class Blocks(unittest.TestCase):
    """Headers, votes and certificates."""

    def test_the_header(self):
        block = client.Block.read(client.Reader(V["block_header"]))
        self.assertEqual(block.hash(), V["block_hash"])
        self.assertEqual((block.height, block.window, block.batch_count), (5, 1, 3))
        self.assertEqual(block.batches_root, V["batches_root"])
        self.assertEqual(block.results_root, V["results_root"])

    def test_outcomes(self):
        codes = [215 if place % 7 == 3 else 0 for place in range(40)]
        packed = struct.pack("<40H", *codes)
        self.assertEqual(packed, V["outcomes_of_40"])
        leaves = [client.leaf(packed[:64]), client.leaf(packed[64:])]
        self.assertEqual(client.merkle_root(leaves), V["outcomes_root_of_40"])

    def test_votes(self):
        nothing = client.vote_digest(GENESIS.chain_id, 5, 0, False, None)
        self.assertEqual(nothing, V["vote_prevote_nothing_digest"])
        digest = client.vote_digest(GENESIS.chain_id, 5, 1, True, V["block_hash"])
        self.assertEqual(digest, V["vote_precommit_digest"])
        self.assertEqual(client.sign(bytes([1] * 32), digest), V["vote_precommit_signature"])

    def test_certificates(self):
        reader = client.Reader(V["certificate"])
        certificate = client.Certificate.read(reader)
        reader.end()
        certificate.verify(GENESIS.chain_id, GENESIS.validators)
        certificate.signatures = certificate.signatures[:2]
        with self.assertRaises(client.Invalid):
            certificate.verify(GENESIS.chain_id, GENESIS.validators)


class Receipts(unittest.TestCase):
    """A receipt holds as it is, and in no other form."""

    def test_it_proves_the_order(self):
        proven = client.verify_receipt(V["receipt"], GENESIS)
        self.assertEqual(proven["order_id"], str(uuid.UUID(bytes=order(37))))
        self.assertEqual((proven["outcome"], proven["amount_minor"]), (0, 1_037))
        self.assertEqual(proven["accepted_ms"], GENESIS_TIME_MS + 1_500 + 5 * 250)
        self.assertEqual(proven["collected_ms"], GENESIS_TIME_MS + 1_500 + 9 * 250)
        self.assertEqual(proven["arrived_ms"], GENESIS_TIME_MS + 1_500 + 40 * 250)
        self.assertEqual(proven["instruction"], "2-1001-156")

    def test_any_changed_byte_is_refused(self):
        for at in range(len(V["receipt"])):
            changed = bytearray(V["receipt"])
            changed[at] ^= 1 << at % 8
            with self.assertRaises(client.Invalid, msg=f"byte {at}"):
                client.verify_receipt(bytes(changed), GENESIS)

    def test_any_shorter_or_longer_form_is_refused(self):
        for length in range(len(V["receipt"])):
            with self.assertRaises(client.Invalid, msg=f"{length} bytes"):
                client.verify_receipt(V["receipt"][:length], GENESIS)
        with self.assertRaises(client.Invalid):
            client.verify_receipt(V["receipt"] + b"\0", GENESIS)

    def test_another_chain_is_refused(self):
        other = client.Genesis(bytes(32), GENESIS.participants, GENESIS.validators, {})
        with self.assertRaises(client.Invalid):
            client.verify_receipt(V["receipt"], other)


if __name__ == "__main__":
    unittest.main()
