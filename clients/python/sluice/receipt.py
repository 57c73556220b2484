"""Receipts of Sluice verified in another language, written from docs/wire-format.md alone.

Keys, inclusions and receipts, against a genesis file. Nothing here talks to a node.
"""

from __future__ import annotations

import dataclasses
import struct
import tomllib
import uuid
from typing import Any, Self

from .lineage import (
    PROOF_BYTES_MAX,
    Block,
    Certificate,
    Handover,
    Reader,
    Trust,
    Validator,
    trust,
    validators_hash,
)
from .wire import (
    APPROVE,
    COLLECTED,
    KINDS,
    Invalid,
    batch_id,
    leaf,
    merkle_root,
    require,
    root_from_proof,
    sha256,
    signature_holds,
    tagged,
)

OUTCOMES_PER_LEAF = 32

HELD = 2  # the outcome of an order that waits for a risk desk
CASHBACK_TIERS = {10: 1, 11: 2, 12: 3, 13: 4}
APPLIED = {0, 20, 21, *CASHBACK_TIERS}  # outcomes of items that changed the books

# The chain's parameters in their order, and those that are u32; all others are u64.
PARAMETERS = (
    "order_skew_ms", "order_validity_ms", "window_ms", "deadline_domestic_ms",
    "deadline_cross_border_ms", "deadline_collect_ms", "block_interval_ms", "heartbeat_ms",
    "clock_drift_ms", "consensus_timeout_ms", "consensus_timeout_step_ms",
    "consensus_timeout_max_ms", "proposer_penalty_heights", "block_batches_max", "block_items_max",
    "block_returns_max", "order_amount_max", "return_period_ms", "day_offset_min", "rate_fresh_ms",
    "rates_min", "quote_valid_max_ms", "transfer_validity_ms", "proposal_validity_ms",
    "governance_approvals", "governance_notice_heights", "rounding_loss_max_per_mille",
    "reference_step_per_mille", "reference_confirm_ms", "quote_hold_ms", "return_rate_ms",
    "payment_least_ms", "step_in_ms", "bounce_period_ms", "failures_max", "reservation_ms",
    "reversal_grace_ms",
)
NARROW_PARAMETERS = {
    "block_batches_max", "block_items_max", "block_returns_max", "day_offset_min", "rates_min",
    "governance_approvals", "rounding_loss_max_per_mille", "reference_step_per_mille",
    "failures_max",
}


# --- Sections 8 and 10.


@dataclasses.dataclass
class PartyKeys:
    """The keys that a participant's batches may be signed with."""

    participant: int
    current: bytes
    previous: tuple[bytes, int] | None

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Reads id, key, and the key before it with the last height that accepts that one."""
        participant, current = reader.unpack("I32s")
        return cls(participant, current, reader.option(lambda inner: inner.unpack("32sQ")))

    def encode(self) -> bytes:
        """A leaf of the parties tree."""
        head = struct.pack("<I32s", self.participant, self.current)
        return head + (b"\1" + struct.pack("<32sQ", *self.previous) if self.previous else b"\0")

    def accepted(self, height: int) -> list[bytes]:
        """The keys that the block of a height accepts."""
        key, last = self.previous or (None, 0)
        return [self.current, key] if key and height <= last else [self.current]


@dataclasses.dataclass
class Inclusion:
    """Proof that one item is in a decided block with one outcome."""

    batch: bytes
    batch_signature: bytes
    item: bytes
    item_index: int
    item_proof: list[bytes]
    outcomes: list[bytes]
    outcome_proof: list[bytes]
    batch_index: int
    batch_proof: list[bytes]
    result_proof: list[bytes]
    block: Block
    certificate: Certificate
    keys: PartyKeys
    keys_index: int
    keys_proof: list[bytes]

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Reads the fields in the order of section 10."""
        return cls(
            reader.take(84), reader.take(64), b"".join(reader.vector(1)), reader.unpack("I"),
            reader.vector(32), reader.vector(2), reader.vector(32), reader.unpack("I"),
            reader.vector(32), reader.vector(32), Block.read(reader), Certificate.read(reader),
            PartyKeys.read(reader), reader.unpack("I"), reader.vector(32),
        )

    def verify(self, part: str, kind: str, genesis: Genesis, trusted: Trust) -> int:
        """Checks the seven points of section 10 and gives the item's outcome code."""
        _, number, chain_id, submitter, count, _, items_root = struct.unpack(
            "<HH32sIIQ32s", self.batch)
        block = self.block
        require(chain_id == block.chain_id == genesis.chain_id, f"{part}: another chain")
        require((number, len(self.item)) == KINDS[kind][:2], f"{part}: not a {kind}")
        require(self.keys.participant == submitter, f"{part}: another's keys")
        root = root_from_proof(
            leaf(self.keys.encode()), self.keys_index, block.party_count, self.keys_proof)
        require(root == block.parties_root, f"{part}: keys proof")
        identity = batch_id(self.batch)
        require(
            any(signature_holds(key, identity, self.batch_signature)
                for key in self.keys.accepted(block.height)),
            f"{part}: batch signature")
        root = root_from_proof(leaf(self.item), self.item_index, count, self.item_proof)
        require(root == items_root, f"{part}: item proof")
        root = root_from_proof(
            leaf(identity), self.batch_index, block.batch_count, self.batch_proof)
        require(root == block.batches_root, f"{part}: batch proof")
        leaf_index, place = divmod(self.item_index, OUTCOMES_PER_LEAF)
        leaf_count = -(-count // OUTCOMES_PER_LEAF)
        outcomes_root = root_from_proof(
            leaf(b"".join(self.outcomes)), leaf_index, leaf_count, self.outcome_proof)
        root = root_from_proof(
            leaf(outcomes_root), self.batch_index, block.batch_count, self.result_proof)
        require(root == block.results_root, f"{part}: result proof")
        require(place < len(self.outcomes), f"{part}: no outcome")
        trusted.require(block, self.certificate)
        return int.from_bytes(self.outcomes[place], "little")


@dataclasses.dataclass
class Receipt:
    """An order's outcome with its proofs."""

    order: Inclusion
    collection: Inclusion | None
    release: Inclusion | None
    arrival: Inclusion | None
    returns: list[Inclusion]
    lineage: list[Handover]

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Reads a receipt's bytes, all of them."""
        require(len(data) <= PROOF_BYTES_MAX, "more bytes than any receipt")
        reader = Reader(data)
        require(reader.take(8) == b"SLUICER2", "not a receipt")
        receipt = cls(
            Inclusion.read(reader), reader.option(Inclusion.read), reader.option(Inclusion.read),
            reader.option(Inclusion.read), reader.sequence(Inclusion.read),
            reader.sequence(Handover.read))
        reader.end()
        return receipt

    def parts(self) -> list[Inclusion]:
        """The inclusions that are there."""
        parts = [self.order, self.collection, self.release, self.arrival, *self.returns]
        return [part for part in parts if part]

    def collecting(
        self, outcome: int, identity: bytes, in_one_step: bool, genesis: Genesis, trusted: Trust,
    ) -> tuple[Block, int] | None:
        """The block that collected the order and its outcome there; None when none did."""
        entered, entry = self.order.block, outcome
        if self.release:
            entry = self.release.verify("release", "hold-decision", genesis, trusted)
            word, decision = struct.unpack("<16sH", self.release.item[:18])
            require(outcome == HELD and entry in APPLIED, "a release of an order not held")
            require((word, decision) == (identity, APPROVE), "the release is of another order")
            entered = self.release.block
        if not self.collection:
            return (entered, entry) if entry in APPLIED and in_one_step else None
        collected = self.collection.verify("collection", "collect", genesis, trusted)
        belongs = self.collection.item[:16] == identity and not in_one_step
        require(entry in APPLIED and collected in APPLIED and belongs,
                "the collection is of another order")
        return self.collection.block, collected

    def returned(self, identity: bytes, amount: int, genesis: Genesis, trusted: Trust) -> int:
        """What was sent back of the order."""
        total = 0
        for sequence, part in enumerate(self.returns, 1):
            outcome = part.verify("return", "return", genesis, trusted)
            order, back, _, _, number = struct.unpack("<16sQQHH", part.item[:36])
            require(outcome in APPLIED and (order, number) == (identity, sequence),
                    "the return is of another order")
            total += back
        require(total <= amount, "more was returned than was paid")
        return total


def verify_receipt(data: bytes, genesis: Genesis, lineage: bytes | None = None) -> dict[str, Any]:
    """What a receipt proves, as a dictionary; raises `Invalid` if it does not hold. A receipt
    without a lineage may be held against the bytes of one that stands apart."""
    receipt = Receipt.decode(data)
    heights = {part.block.height for part in receipt.parts()}
    trusted = trust(receipt.lineage, genesis, heights, lineage)
    order = receipt.order
    outcome = order.verify("order", "recharge", genesis, trusted)
    (identity, _, merchant, gateway, amount, currency, payout_currency, flags) = struct.unpack(
        "<16s16sQIQHHH", order.item[:58])
    collecting = receipt.collecting(
        outcome, identity, bool(flags & COLLECTED), genesis, trusted)
    block, collected = collecting or (None, -1)
    proven: dict[str, Any] = {
        "order_id": str(uuid.UUID(bytes=identity)), "outcome": outcome, "merchant": merchant,
        "gateway": gateway, "amount_minor": amount, "currency": currency,
        "accepted_ms": order.block.time_ms, "collected_ms": block.time_ms if block else None,
        "cashback_tier": CASHBACK_TIERS.get(collected), "arrived_ms": None, "instruction": None,
    }
    if receipt.arrival:
        if block is None:
            raise Invalid("an arrival without a collection")
        arrived = receipt.arrival.verify("arrival", "arrival", genesis, trusted)
        paid = struct.unpack("<QQQH", receipt.arrival.item[:26])
        expected = (block.window, merchant, payout_currency)
        require(arrived in APPLIED and (paid[0], paid[1], paid[3]) == expected,
                "the arrival is of another instruction")
        proven["arrived_ms"] = receipt.arrival.block.time_ms
        proven["instruction"] = f"{paid[0]}-{paid[1]}-{paid[3]}"
    require(block is not None or not receipt.returns, "a return without a collection")
    return {**proven, "returned_minor": receipt.returned(identity, amount, genesis, trusted)}


@dataclasses.dataclass
class Genesis:
    """What a genesis file says, as far as a client needs it."""

    chain_id: bytes
    participants: dict[int, bytes]
    validators: list[Validator]
    parameters: dict[str, int]
    merchants: list[int] = dataclasses.field(default_factory=list)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Reads a genesis file's bytes; the chain id is their SHA-256."""
        content = tomllib.loads(data.decode("utf-8"))
        participants = {
            entry["id"]: bytes.fromhex(entry["public_key"]) for entry in content["participants"]}
        validators = [
            (index, bytes.fromhex(entry["validator_key"]), entry["power"])
            for index, entry in enumerate(content["nodes"]) if entry.get("power", 0) > 0]
        merchants = [entry["id"] for entry in content.get("merchants", [])]
        return cls(sha256(data), participants, validators, content.get("parameters", {}), merchants)

    def validators_hash(self) -> bytes:
        """The digest of the validators from block one on."""
        return validators_hash(self.validators)

    def encoded_parameters(self) -> bytes:
        """The parameters in canonical form."""
        return b"".join(
            struct.pack("<I" if name in NARROW_PARAMETERS else "<Q", self.parameters[name])
            for name in PARAMETERS)

    def parties_root(self) -> bytes:
        """The root of the parties tree at block one, where each has the key of the file."""
        return merkle_root([
            leaf(PartyKeys(number, key, None).encode())
            for number, key in sorted(self.participants.items())])
