"""The client against the vectors that hold the chain's own bytes still."""

import json
import pathlib
import re
import struct
import unittest
import uuid

from sluice import evidence, records
from sluice import lineage as lineages
from sluice import receipt as receipts
from sluice import wire as client

VECTORS = pathlib.Path(__file__).resolve().parents[3] / "chain" / "types" / "tests" / "vectors"
TEXTS = json.loads((VECTORS / "vectors.json").read_text())
V = {name: bytes.fromhex(text) for name, text in TEXTS.items()}
GENESIS = receipts.Genesis.parse((VECTORS / "genesis.toml").read_bytes())
GENESIS_TIME_MS = 1_767_225_600_000


def uuid_v7(time_ms, entropy):
    """The UUIDv7 of a time and ten bytes of entropy."""
    value = int.from_bytes(entropy, "big") | time_ms << 80
    value = value & ~(0xF << 76) | 7 << 76
    return (value & ~(0x3 << 62) | 2 << 62).to_bytes(16, "big")


def order(index):
    """The order id at a place of the vectors."""
    entropy = b"\x10\x21" + index.to_bytes(4, "big") + b"\x65\x76\x87\x98"
    return uuid_v7(GENESIS_TIME_MS + 1_000 + index, entropy)


TRANSFER = uuid_v7(GENESIS_TIME_MS + 2_000, bytes([0x20] * 10))
PROPOSAL = uuid_v7(GENESIS_TIME_MS + 3_000, bytes([0x30] * 10))


def public_key(tag):
    """The public key of the seed that is a byte thirty-two times."""
    return client.public_key_of(bytes([tag] * 32))


def text(words):
    """A text in canonical form."""
    return struct.pack("<Q", len(words.encode())) + words.encode()


def changes():
    """The changes of the vectors by name, encoded as section 6 says."""
    tiers = struct.pack("<QHHHH", 2, 5, 800, 10, 1_000)
    keys = public_key(15) + public_key(5)
    bodies = [
        ("participant",
         struct.pack("<I", 302) + text("provider-302") + struct.pack("<H", 8) + public_key(32)
         + b"\0" + text("")),
        ("key", struct.pack("<I32sQ", 202, public_key(203), 11)),
        ("participant_suspended", struct.pack("<I?", 202, True)),
        ("merchant",
         struct.pack("<Q", 1003) + text("merchant-1003")
         + struct.pack("<I32s?", 202, bytes([0x5B] * 32), False) + text("")),
        ("merchant_suspended", struct.pack("<Q?", 1002, False)),
        ("parameter", struct.pack("<HQ", receipts.PARAMETERS.index("window_ms"), 20_000)),
        ("node", text("validator-5") + struct.pack("<I", 1) + keys + struct.pack("<Q", 1)),
        ("power", struct.pack("<IQ", 3, 0)),
        ("currency", struct.pack("<H", 840)),
        ("programme",
         struct.pack("<QH", 1001, 156) + tiers + struct.pack("<QQh?", 5_000, 20_000, -300, True)
         + struct.pack("<QQII", 13, 2, 201, 202)),
        ("protocol_version", struct.pack("<H", 1)),
        ("node_keys", struct.pack("<I", 4) + public_key(16) + public_key(6)),
        ("node_removed", struct.pack("<I", 4)),
    ]
    found = {name: struct.pack("<I", number) + body
             for number, (name, body) in enumerate(bodies)}
    found["list"] = client.list_change([client.listed_change_item(found["merchant"])])
    found["registrar"] = struct.pack("<IIIII", 14, 601, 202, 5_000, 200)
    return found


def items():
    """The item of each kind of the vectors: its submitter and its bytes."""
    time_ms = GENESIS_TIME_MS
    reference = {tag: bytes([tag] * 32) for tag in range(0x16, 0x1C)}
    proposal = client.proposal_item(PROPOSAL, 51, changes()["node"])
    return {
        "recharge": (101, recharge(37)),
        "collect": (201, client.collect_item(order(37), bytes([0xC2] * 32))),
        "void": (101, client.void_item(order(37), 2, bytes([0xD3] * 32))),
        "arrival": (202, client.arrival_item(2, 1001, 40_780, 156, bytes([0xE4] * 32))),
        "failure": (202, client.failure_item(2, 1001, 156, 2, bytes([0xF5] * 32))),
        "return": (202, client.return_item(
            order(37), 500, 1, 1, reference[0x16], rested_max=300)),
        "reinstruct": (401, client.reinstruct_item(2, 1001, 156, reference[0x17])),
        "settle-window": (
            401, client.settle_window_item(2, V["report_digest"], reference[0x18])),
        "settlement-decision": (402, client.settlement_decision_item(
            2, client.APPROVE, V["report_digest"], reference[0x18])),
        "transfer": (
            401, client.transfer_item(TRANSFER, 1, 1, 201, 156, 5_000_000, reference[0x19])),
        "transfer-decision": (402, client.transfer_decision_item(
            TRANSFER, client.APPROVE, 1, 5_000_000, reference[0x1A])),
        "rate": (301, client.rate_item(156, 392, 20_512, 3, time_ms + 1_500)),
        "quote": (301, client.quote_item(
            client.quote_id(301, 7), 156, 392, 20_500, 3, 100_000_000, time_ms + 300_000)),
        "hold-decision": (
            501, client.hold_decision_item(order(37), client.APPROVE, 1, reference[0x1B])),
        "policy": (501, client.policy_item(
            1, 201, 156, order_max=5_000_000, day_max=900_000_000, hold_above=1_000_000)),
        "line": (201, client.line_item(1, 101, 156, 2_000_000)),
        "proposal": (1, proposal),
        "approval": (
            2, client.approval_item(PROPOSAL, client.APPROVE, client.proposal_digest(proposal))),
        "change-list": (1, client.listed_change_item(changes()["merchant"])),
        "merchant": (202, client.merchant_item(changes()["merchant"][4:])),
        "bounce": (202, client.bounce_item(2, 1001, 156, 5, bytes([0x1A] * 32), 2)),
        "recall": (401, client.recall_item(2, 1001, 156, bytes([0x1B] * 32), 3)),
        "debiting": (201, client.debiting_item(order(37), bytes([0x1D] * 32))),
        "consent": (101, client.consent_item(order(37), 700, bytes([0x1E] * 32))),
        "step-in": (401, client.step_in_item(2, 1001, 156, 4, bytes([0x1C] * 32), 4)),
    }


def seed(participant):
    """The seed of a participant's key, as the vectors' genesis file says."""
    if participant <= 4:
        return bytes([20 + participant] * 32)
    if participant > 300:
        return bytes([participant // 100 * 10 + participant % 10] * 32)
    return bytes([participant] * 32)


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
            "validators": "validat", "parameters": "params", "change": "change",
            "outlook": "outlook", "model": "model", "verdict": "verdict",
            "private": "private", "histories": "history"}
        for name, tag in tags.items():
            self.assertEqual(client.tagged(f"sluice:{tag}:1"), V[f"hash_of_nothing_{name}"])

    def test_keys(self):
        first = V["participant_101_seed"]
        self.assertEqual(client.public_key_of(first), V["participant_101_public_key"])
        self.assertEqual(GENESIS.participants[101], V["participant_101_public_key"])
        for participant, key in GENESIS.participants.items():
            self.assertEqual(client.public_key_of(seed(participant)), key)

    def test_merkle_roots(self):
        for count in (0, 1, 2, 3, 5, 8):
            leaves = [client.leaf(bytes([byte])) for byte in range(count)]
            self.assertEqual(client.merkle_root(leaves), V[f"merkle_root_{count}"])

    def test_order_ids(self):
        self.assertEqual(order(37), V["order_id_37"])
        made = uuid.UUID(bytes=client.order_id(101, GENESIS_TIME_MS))
        self.assertEqual((made.version, made.variant), (7, uuid.RFC_4122))
        self.assertEqual(made.int >> 80, GENESIS_TIME_MS)
        self.assertEqual(made.int & 0xFFFF_FFFF, 101)

    def test_validators(self):
        self.assertEqual(GENESIS.validators_hash(), V["validators_hash"])

    def test_parameters(self):
        encoded = GENESIS.encoded_parameters()
        self.assertEqual(encoded, V["parameters"])
        self.assertEqual(client.tagged("sluice:params:1", encoded), V["parameters_hash"])
        self.assertEqual(set(GENESIS.parameters), set(receipts.PARAMETERS))

    def test_keys_of_participants(self):
        self.assertEqual(GENESIS.parties_root(), V["party_keys_root"])
        for name in ("party_keys", "party_keys_rotated"):
            reader = lineages.Reader(V[name])
            keys = receipts.PartyKeys.read(reader)
            reader.end()
            self.assertEqual(keys.encode(), V[name])
            self.assertEqual(client.leaf(keys.encode()), V[f"{name}_leaf"])
        first, second = public_key(202), public_key(203)
        self.assertEqual((keys.participant, keys.current), (202, second))
        self.assertEqual(keys.accepted(65), [second, first])
        self.assertEqual(keys.accepted(66), [second])


class Batches(unittest.TestCase):
    """Items and batches, byte for byte."""

    def test_items(self):
        self.assertEqual(set(items()), set(client.KINDS))
        for kind, (_, item) in items().items():
            self.assertEqual(item, V[f"item_{kind.replace('-', '_')}"], kind)
        self.assertEqual(client.leaf(recharge(37)), V["item_recharge_leaf"])

    def test_changes(self):
        for name, change in changes().items():
            self.assertEqual(change, V[f"change_{name}"], name)
        self.assertEqual(client.proposal_digest(V["item_proposal"]), V["proposal_digest"])
        self.assertEqual(sum(name.startswith("change_") for name in V), len(changes()))

    def test_batches(self):
        until = GENESIS_TIME_MS + 120_000
        rows = [("batch", "recharge", 101, [recharge(0), recharge(37)])]
        for kind, (submitter, item) in items().items():
            if kind != "recharge":
                rows.append((f"batch_{kind.replace('-', '_')}", kind, submitter, [item]))
        for name, kind, submitter, contents in rows:
            batch = client.signed_batch(
                kind, GENESIS.chain_id, submitter, seed(submitter), contents, until)
            self.assertEqual(batch, V[name], name)
        self.assertEqual(client.sha256(V["batch"]), V["batch_sha256"])
        self.assertEqual(client.batch_id(V["batch"][:84]), V["batch_id"])

    def test_a_wrong_batch_is_not_made(self):
        for kind, contents in (
                ("collect", []), ("collect", [b"short"]), ("collect", [bytes(64)] * 8_193),
                ("rate", [bytes(64)] * 1_025), ("proposal", [bytes(512)] * 65)):
            with self.assertRaises(client.Invalid):
                client.batch_header(kind, bytes(32), 1, contents, 0)
        with self.assertRaises(client.Invalid):
            client.proposal_item(PROPOSAL, 51, bytes(481))


class Blocks(unittest.TestCase):
    """Headers, votes and certificates."""

    def test_the_header(self):
        block = lineages.Block.read(lineages.Reader(V["block_header"]))
        self.assertEqual(block.hash(), V["block_hash"])
        self.assertEqual((block.height, block.window, block.batch_count), (5, 1, 3))
        self.assertEqual((block.round, block.parent_round), (0, 1))
        self.assertEqual((block.evidence_count, block.evidence_root), (0, client.merkle_root([])))
        self.assertEqual(block.batches_root, V["batches_root"])
        self.assertEqual(block.results_root, V["results_root"])
        self.assertEqual(block.next_validators_hash, V["validators_hash"])
        self.assertEqual(
            (block.party_count, block.parties_root),
            (len(GENESIS.participants), V["party_keys_root"]))

    def test_outcomes(self):
        codes = [215 if place % 7 == 3 else 0 for place in range(40)]
        packed = struct.pack("<40H", *codes)
        self.assertEqual(packed, V["outcomes_of_40"])
        leaves = [client.leaf(packed[:64]), client.leaf(packed[64:])]
        self.assertEqual(client.merkle_root(leaves), V["outcomes_root_of_40"])

    def test_votes(self):
        nothing = lineages.vote_digest(GENESIS.chain_id, 5, 0, False, None)
        self.assertEqual(nothing, V["vote_prevote_nothing_digest"])
        digest = lineages.vote_digest(GENESIS.chain_id, 5, 1, True, V["block_hash"])
        self.assertEqual(digest, V["vote_precommit_digest"])
        self.assertEqual(client.sign(bytes([1] * 32), digest), V["vote_precommit_signature"])

    def test_certificates(self):
        reader = lineages.Reader(V["certificate"])
        certificate = lineages.Certificate.read(reader)
        reader.end()
        certificate.verify(GENESIS.chain_id, GENESIS.validators)
        certificate.signatures = certificate.signatures[:2]
        with self.assertRaises(client.Invalid):
            certificate.verify(GENESIS.chain_id, GENESIS.validators)


class Evidence(unittest.TestCase):
    """Two signed values of one validator, and nothing else, are evidence."""

    NAMES = ("evidence_votes", "evidence_proposals")

    def verified(self, data):
        return evidence.Evidence.verified(data, GENESIS.chain_id, GENESIS.validators)

    def test_it_names_who_signed_what(self):
        votes, proposals = (self.verified(V[name]) for name in self.NAMES)
        self.assertEqual((votes.validator, votes.height, votes.round), (1, 5, 0))
        self.assertEqual((votes.what, votes.first), (evidence.PRECOMMITS, None))
        self.assertEqual((proposals.validator, proposals.height, proposals.round), (2, 7, 2))
        self.assertEqual(proposals.what, evidence.PROPOSALS)
        self.assertIn(V["signed_vote"], V["evidence_votes"])
        self.assertIn(V["signed_proposal"], V["evidence_proposals"])

    def test_the_root(self):
        self.assertEqual(evidence.evidence_root([V[name] for name in self.NAMES]),
                         V["evidence_root"])

    def test_any_changed_bit_is_refused(self):
        for name in self.NAMES:
            for at in range(len(V[name]) * 8):
                changed = bytearray(V[name])
                changed[at // 8] ^= 1 << at % 8
                with self.assertRaises(client.Invalid, msg=f"bit {at} of {name}"):
                    self.verified(bytes(changed))

    def test_any_shorter_or_longer_form_is_refused(self):
        for name in self.NAMES:
            for length in range(len(V[name])):
                with self.assertRaises(client.Invalid, msg=f"{length} bytes of {name}"):
                    self.verified(V[name][:length])
            with self.assertRaises(client.Invalid):
                self.verified(V[name] + b"\0")

    def test_the_other_order_and_the_same_twice_are_refused(self):
        for name, first in zip(self.NAMES, ("signed_vote", "signed_proposal")):
            tag, lower, higher = V[name][:4], V[first], V[name][4 + len(V[first]) :]
            self.assertEqual(tag + lower + higher, V[name])
            for pair in (higher + lower, lower + lower):
                with self.assertRaisesRegex(client.Invalid, "lower one first"):
                    self.verified(tag + pair)

    def test_its_record(self):
        record = evidence.read_evidence_record(V["record_evidence"])
        votes = self.verified(V["evidence_votes"])
        for name in ("validator", "what", "height", "round", "first", "second"):
            self.assertEqual(record[name], getattr(votes, name), name)
        self.assertEqual((record["block_height"], record["sequence"]), (6, 0))
        self.assertEqual(record["time_ms"], GENESIS_TIME_MS + 1_500 + 6 * 250)


class Receipts(unittest.TestCase):
    """A receipt holds as it is, and in no other form."""

    def test_it_proves_the_order(self):
        proven = receipts.verify_receipt(V["receipt"], GENESIS)
        self.assertEqual(proven["order_id"], str(uuid.UUID(bytes=order(37))))
        self.assertEqual((proven["outcome"], proven["amount_minor"]), (0, 1_037))
        self.assertEqual(proven["accepted_ms"], GENESIS_TIME_MS + 1_500 + 5 * 250)
        self.assertEqual(proven["collected_ms"], GENESIS_TIME_MS + 1_500 + 9 * 250)
        self.assertEqual(proven["arrived_ms"], GENESIS_TIME_MS + 1_500 + 40 * 250)
        self.assertEqual(proven["instruction"], "2-1001-156")

    def test_it_proves_every_step_there_is(self):
        proven = receipts.verify_receipt(V["receipt_long"], GENESIS)
        self.assertEqual(proven["order_id"], str(uuid.UUID(bytes=order(71))))
        self.assertEqual((proven["outcome"], proven["cashback_tier"]), (receipts.HELD, 1))
        self.assertEqual(proven["accepted_ms"], GENESIS_TIME_MS + 1_500 + 6 * 250)
        self.assertEqual(proven["collected_ms"], GENESIS_TIME_MS + 1_500 + 12 * 250)
        self.assertEqual(proven["arrived_ms"], GENESIS_TIME_MS + 1_500 + 40 * 250)
        self.assertEqual(proven["returned_minor"], 500)
        self.assertEqual(V["receipt_long"][-len(V["lineage"]):], V["lineage"])

    def test_any_changed_byte_is_refused(self):
        for name in ("receipt", "receipt_long"):
            for at in range(len(V[name])):
                changed = bytearray(V[name])
                changed[at] ^= 1 << at % 8
                with self.assertRaises(client.Invalid, msg=f"byte {at} of {name}"):
                    receipts.verify_receipt(bytes(changed), GENESIS)

    def test_any_shorter_or_longer_form_is_refused(self):
        for name in ("receipt", "receipt_long"):
            for length in range(len(V[name])):
                with self.assertRaises(client.Invalid, msg=f"{length} bytes of {name}"):
                    receipts.verify_receipt(V[name][:length], GENESIS)
            with self.assertRaises(client.Invalid):
                receipts.verify_receipt(V[name] + b"\0", GENESIS)

    def test_a_lineage_is_needed_and_no_more_than_that(self):
        nothing, lineage = struct.pack("<Q", 0), V["lineage"]
        without = V["receipt_long"][: -len(lineage)] + nothing
        needless = V["receipt"][: -len(nothing)] + lineage
        for data, reason in ((without, "other validators"), (needless, "nothing rests on")):
            with self.assertRaisesRegex(client.Invalid, reason):
                receipts.verify_receipt(data, GENESIS)

    def test_another_chain_is_refused(self):
        other = receipts.Genesis(bytes(32), GENESIS.participants, GENESIS.validators, {})
        with self.assertRaises(client.Invalid):
            receipts.verify_receipt(V["receipt"], other)


class Lineages(unittest.TestCase):
    """Who was to decide the last block of a chain of nine changes of validators."""

    def setUp(self):
        self.block = lineages.Block.read(lineages.Reader(V["lineage_skipping_header"]))
        self.certificate = lineages.Certificate.read(
            lineages.Reader(V["lineage_skipping_certificate"]))

    def holds(self, data):
        """Whether the lineage of these bytes leads to the block."""
        try:
            reader = lineages.Reader(data)
            steps = reader.sequence(lineages.Handover.read)
            reader.end()
            trusted = lineages.trust(steps, GENESIS, {self.block.height})
            trusted.require(self.block, self.certificate)
            return True
        except client.Invalid:
            return False

    def test_it_holds_and_skips(self):
        data = V["lineage_skipping"]
        self.assertTrue(self.holds(data))
        steps = lineages.Reader(data).sequence(lineages.Handover.read)
        self.assertLess(len(steps), 9)
        self.assertTrue(any(step.deciders for step in steps))
        trusted = lineages.trust([], GENESIS, {self.block.height}, V["lineage_apart"])
        trusted.require(self.block, self.certificate)

    def test_any_changed_byte_is_refused(self):
        data = V["lineage_skipping"]
        for at in range(len(data)):
            changed = bytearray(data)
            changed[at] ^= 1 << at % 8
            self.assertFalse(self.holds(bytes(changed)), f"byte {at}")

    def test_each_step_is_needed_once(self):
        steps = lineages.Reader(V["lineage_skipping"]).sequence(lineages.Handover.read)
        for at in range(len(steps)):
            for others in (steps[:at] + steps[at + 1:], steps[:at] + steps[at:at + 1] * 2):
                with self.assertRaises(client.Invalid):
                    trusted = lineages.trust(others, GENESIS, {self.block.height})
                    trusted.require(self.block, self.certificate)

    def test_a_receipt_without_a_lineage_holds_by_one_apart(self):
        nothing, lineage = struct.pack("<Q", 0), V["lineage"]
        bare = V["receipt_long"][: -len(lineage)] + nothing
        apart = lineages.LINEAGE_MAGIC + lineage[len(nothing):]
        proven = receipts.verify_receipt(V["receipt_long"], GENESIS)
        self.assertEqual(receipts.verify_receipt(bare, GENESIS, apart), proven)
        for wrong in (apart[:-1], apart[1:], apart + apart[8:], V["lineage_apart"]):
            with self.assertRaises(client.Invalid):
                receipts.verify_receipt(bare, GENESIS, wrong)


class Records(unittest.TestCase):
    """The report of a closed window, from its bytes to what it proves."""

    def test_it_proves_what_parties_owe_and_that_it_is_settled(self):
        proven = records.verify_window(V["record_proof"], GENESIS)
        self.assertEqual((proven["window"], proven["orders"], proven["instructions"]), (2, 43, 3))
        self.assertEqual(proven["closed_ms"], GENESIS_TIME_MS + 6_750)
        nets = [(each["owner"], each["currency"], each["net"]) for each in proven["positions"]]
        self.assertEqual(nets, [(201, 156, -39_280), (201, 392, 9_000), (202, 156, 39_280),
                                (202, 392, -9_000)])
        settled = proven["settled"]
        self.assertEqual((settled["agent"], settled["checker"], settled["height"]), (401, 402, 60))
        self.assertEqual(settled["digest"], V["report_digest"].hex())
        self.assertEqual(settled["reference"], "18" * 32)

    def test_it_holds_the_records_of_the_page(self):
        report, word = records.verified_records(V["record_proof"], GENESIS)
        self.assertEqual(report.record, V["record_window"])
        self.assertEqual(word.record, V["record_window_settlement"])
        self.assertEqual(client.sha256(V["record_proof"]), V["record_proof_sha256"])

    def test_any_changed_byte_is_refused(self):
        proof = V["record_proof"]
        for at in range(len(proof)):
            changed = bytearray(proof)
            changed[at] ^= 1 << at % 8
            with self.assertRaises(client.Invalid, msg=f"byte {at}"):
                records.verify_window(bytes(changed), GENESIS)

    def test_any_shorter_or_longer_form_is_refused(self):
        proof = V["record_proof"]
        for length in range(len(proof)):
            with self.assertRaises(client.Invalid, msg=f"{length} bytes"):
                records.verify_window(proof[:length], GENESIS)
        with self.assertRaises(client.Invalid):
            records.verify_window(proof + b"\0", GENESIS)

    def test_a_report_that_does_not_net_is_refused(self):
        report = bytearray(V["record_window"])
        report[-16] ^= 1
        with self.assertRaisesRegex(client.Invalid, "does not net"):
            records.read_window(bytes(report))
        with self.assertRaisesRegex(client.Invalid, "not a window"):
            records.read_window(V["record_window_settlement"])


if __name__ == "__main__":
    unittest.main()
