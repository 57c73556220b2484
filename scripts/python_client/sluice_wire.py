"""The bytes of Sluice in another language, written from docs/wire-format.md alone.

Order ids, items, batches, Merkle proofs, certificates and receipts. Nothing here talks to a node.
Standard library plus `cryptography` for ed25519.
"""

import dataclasses
import hashlib
import os
import struct
import time
import tomllib
import uuid

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

BATCH_ITEMS_MAX = 8_192
RECEIPT_BYTES_MAX = 65_536
PROOF_HASHES_MAX = 32
OUTCOMES_PER_LEAF = 32
COLLECTED = 1  # flag bit 0 of a recharge item

# Each kind of batch: its number and the bytes of an item.
KINDS = {
    "recharge": (1, 128),
    "collect": (2, 64),
    "void": (3, 64),
    "arrival": (4, 64),
    "failure": (5, 64),
}


class Invalid(Exception):
    """Something that was to be verified does not hold; the message says what."""


def require(holds, what):
    """Raises `Invalid` unless `holds`."""
    if not holds:
        raise Invalid(what)


# --- Section 2: hashes. Section 3: signatures.


def sha256(*parts):
    """SHA-256 of the parts, one after the other."""
    return hashlib.sha256(b"".join(parts)).digest()


def tagged(tag, *parts):
    """SHA-256 under a domain tag of 16 bytes."""
    return sha256(tag.encode("ascii").ljust(16, b"\0"), *parts)


def public_key_of(seed):
    """The public key, 32 bytes, of a seed of 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed, digest):
    """The signature, 64 bytes, over a digest."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(digest)


def signature_holds(public_key, digest, signature):
    """Whether a signature is the key's over the digest."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, digest)
        return True
    except (InvalidSignature, ValueError):
        return False


# --- Section 4: Merkle trees.


def leaf(data):
    """The hash of a leaf."""
    return sha256(b"\0", data)


def node(left, right):
    """The hash of an inner node."""
    return sha256(b"\1", left, right)


def merkle_root(leaves):
    """The root over leaf hashes, by RFC 6962's recursive definition."""
    if not leaves:
        return sha256()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node(merkle_root(leaves[:split]), merkle_root(leaves[split:]))


def root_from_proof(leaf_hash, index, count, proof):
    """The root that a proof leads to; refuses a proof of the wrong length."""
    require(index < count and len(proof) <= PROOF_HASHES_MAX, "proof: no such leaf")
    result, at, last = leaf_hash, index, count - 1
    for sibling in proof:
        require(last != 0, "proof: too long")
        if at & 1 or at == last:
            result = node(sibling, result)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            result = node(result, sibling)
        at, last = at >> 1, last >> 1
    require(last == 0, "proof: too short")
    return result


# --- Section 6: items.


def order_id(time_ms=None):
    """A new UUIDv7 of a time, by default now, as 16 bytes."""
    time_ms = time.time_ns() // 1_000_000 if time_ms is None else time_ms
    value = int.from_bytes(os.urandom(10), "big") | time_ms << 80
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return value.to_bytes(16, "big")


def recharge_item(
    order, merchant, gateway, amount, currency, *, user=bytes(16), payout_currency=None, flags=0,
    fx_quote=0, payout_minimum=0, device=0, network=0, reference=bytes(32),
):
    """One recharge order: 128 bytes. Amount in minor units, currency an ISO 4217 number."""
    payout_currency = currency if payout_currency is None else payout_currency
    return struct.pack(
        "<16s16sQIQHHHQQQQ32s6x", order, user, merchant, gateway, amount, currency,
        payout_currency, flags, fx_quote, payout_minimum, device, network, reference,
    )


def collect_item(order, reference=bytes(32)):
    """A collecting gateway's word that the user was debited: 64 bytes."""
    return struct.pack("<16s32s16x", order, reference)


def void_item(order, reason, reference=bytes(32)):
    """The word that a reserved order will not happen: 64 bytes."""
    return struct.pack("<16sH32s14x", order, reason, reference)


def arrival_item(window, merchant, amount, currency, reference=bytes(32)):
    """A paying gateway's word that an instruction's money was credited: 64 bytes."""
    return struct.pack("<QQQH32s6x", window, merchant, amount, currency, reference)


def failure_item(window, merchant, currency, reason, reference=bytes(32)):
    """A paying gateway's word that an instruction could not be paid: 64 bytes."""
    return struct.pack("<QQHH32s12x", window, merchant, currency, reason, reference)


# --- Section 5: batches.


def batch_header(kind, chain_id, submitter, items, valid_until_ms):
    """The 84 bytes that name a batch of items, each of the kind's size."""
    number, size = KINDS[kind]
    require(1 <= len(items) <= BATCH_ITEMS_MAX, "a batch holds 1 to 8,192 items")
    require(all(len(item) == size for item in items), f"a {kind} item has {size} bytes")
    root = merkle_root([leaf(item) for item in items])
    return struct.pack(
        "<HH32sIIQ32s", 1, number, chain_id, submitter, len(items), valid_until_ms, root
    )


def batch_id(header):
    """The batch id: what the submitter signs."""
    return tagged("sluice:batch:1", header)


def signed_batch(kind, chain_id, submitter, seed, items, valid_until_ms):
    """A whole batch: header, signature, items."""
    header = batch_header(kind, chain_id, submitter, items, valid_until_ms)
    return header + sign(seed, batch_id(header)) + b"".join(items)


# --- Sections 1, 8, 9 and 10: decoding.


class Reader:
    """Reads basic forms from bytes, and refuses what is not there."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        """The next bytes."""
        require(size <= len(self.data) - self.at, "the bytes end early")
        self.at += size
        return self.data[self.at - size : self.at]

    def unpack(self, form):
        """The next numbers and byte strings, little-endian."""
        values = struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))
        return values[0] if len(values) == 1 else values

    def vector(self, size):
        """A Vec whose elements take `size` bytes each."""
        count = self.unpack("Q")
        require(count * size <= len(self.data) - self.at, "a length is larger than what follows")
        return [self.take(size) for _ in range(count)]

    def option(self, read):
        """An Option of what `read` reads."""
        tag = self.unpack("B")
        require(tag in (0, 1), "an option's tag is neither 0 nor 1")
        return read(self) if tag else None

    def end(self):
        """Refuses bytes that are left over."""
        require(self.at == len(self.data), "bytes follow the end")


@dataclasses.dataclass
class Block:
    """A block header, with its bytes."""

    raw: bytes
    chain_id: bytes
    height: int
    time_ms: int
    window: int
    batch_count: int
    batches_root: bytes
    results_root: bytes
    validators_hash: bytes

    @classmethod
    def read(cls, reader):
        """Reads the 262 bytes of a header."""
        raw = reader.take(262)
        (_, chain_id, height, _, _, time_ms, window, _, batch_count, batches_root, results_root,
         _, validators_hash, _) = struct.unpack("<H32sQIIQQ32sI32s32s32s32s32s", raw)
        return cls(raw, chain_id, height, time_ms, window, batch_count, batches_root, results_root,
                   validators_hash)

    def hash(self):
        """The block hash."""
        return tagged("sluice:block:1", self.raw)


def vote_digest(chain_id, height, round_, precommit, block):
    """What a validator's vote is a signature over; `block` is None for a vote for nothing."""
    return tagged(
        "sluice:vote:1", chain_id,
        struct.pack("<QIBB", height, round_, precommit, block is not None), block or bytes(32),
    )


@dataclasses.dataclass
class Certificate:
    """A quorum's precommits for a block."""

    height: int
    round: int
    block: bytes
    signatures: list

    @classmethod
    def read(cls, reader):
        """Reads height, round, block hash and signatures."""
        height, round_, block = reader.unpack("QI32s")
        signatures = [struct.unpack("<I64s", entry) for entry in reader.vector(68)]
        return cls(height, round_, block, signatures)

    def verify(self, chain_id, validators):
        """Refuses anything but a quorum of these validators, each signature good."""
        digest = vote_digest(chain_id, self.height, self.round, True, self.block)
        signers = [signer for signer, _ in self.signatures]
        require(signers == sorted(set(signers)), "certificate: signers do not ascend")
        known = {number: (key, power) for number, key, power in validators}
        signed_power = 0
        for signer, signature in self.signatures:
            require(signer in known, f"certificate: {signer} is not a validator")
            key, power = known[signer]
            require(signature_holds(key, digest, signature), f"certificate: signature of {signer}")
            signed_power += power
        total_power = sum(power for _, _, power in validators)
        require(signed_power * 3 > total_power * 2, "certificate: no quorum")


@dataclasses.dataclass
class Inclusion:
    """Proof that one item is in a decided block with one outcome."""

    batch: bytes
    batch_signature: bytes
    item: bytes
    item_index: int
    item_proof: list
    outcomes: list
    outcome_proof: list
    batch_index: int
    batch_proof: list
    result_proof: list
    block: Block
    certificate: Certificate

    @classmethod
    def read(cls, reader):
        """Reads the fields in the order of section 10."""
        return cls(
            reader.take(84), reader.take(64), b"".join(reader.vector(1)), reader.unpack("I"),
            reader.vector(32), reader.vector(2), reader.vector(32), reader.unpack("I"),
            reader.vector(32), reader.vector(32), Block.read(reader), Certificate.read(reader),
        )

    def verify(self, part, kind, genesis):
        """Checks the eight points of section 10 and gives the item's outcome code."""
        _, number, chain_id, submitter, count, _, items_root = struct.unpack(
            "<HH32sIIQ32s", self.batch)
        block = self.block
        require(chain_id == block.chain_id == genesis.chain_id, f"{part}: another chain")
        require((number, len(self.item)) == KINDS[kind], f"{part}: not a {kind}")
        require(submitter in genesis.participants, f"{part}: unknown submitter")
        identity = batch_id(self.batch)
        require(
            signature_holds(genesis.participants[submitter], identity, self.batch_signature),
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
        require(self.certificate.block == block.hash(), f"{part}: certificate of another block")
        require(self.certificate.height == block.height, f"{part}: certificate's height")
        require(block.validators_hash == genesis.validators_hash(), f"{part}: other validators")
        self.certificate.verify(genesis.chain_id, genesis.validators)
        return int.from_bytes(self.outcomes[place], "little")


def verify_receipt(data, genesis):
    """What a receipt proves, as a dictionary; raises `Invalid` if it does not hold."""
    require(len(data) <= RECEIPT_BYTES_MAX, "more bytes than any receipt")
    reader = Reader(data)
    require(reader.take(8) == b"SLUICER1", "not a receipt")
    order = Inclusion.read(reader)
    collection = reader.option(Inclusion.read)
    arrival = reader.option(Inclusion.read)
    reader.end()
    outcome = order.verify("order", "recharge", genesis)
    (identity, _, merchant, gateway, amount, currency, payout_currency, flags) = struct.unpack(
        "<16s16sQIQHHH", order.item[:58])
    in_one_step = bool(flags & COLLECTED)
    collecting = order.block if outcome == 0 and in_one_step else None
    if collection:
        collected = collection.verify("collection", "collect", genesis)
        belongs = collection.item[:16] == identity and not in_one_step
        require(outcome == 0 and collected == 0 and belongs, "the collection is of another order")
        collecting = collection.block
    proven = {
        "order_id": str(uuid.UUID(bytes=identity)), "outcome": outcome, "merchant": merchant,
        "gateway": gateway, "amount_minor": amount, "currency": currency,
        "accepted_ms": order.block.time_ms,
        "collected_ms": collecting.time_ms if collecting else None, "arrived_ms": None,
        "instruction": None,
    }
    if arrival:
        require(collecting is not None, "an arrival without a collection")
        arrived = arrival.verify("arrival", "arrival", genesis)
        paid = struct.unpack("<QQQH", arrival.item[:26])
        expected = (collecting.window, merchant, payout_currency)
        require(arrived == 0 and (paid[0], paid[1], paid[3]) == expected,
                "the arrival is of another instruction")
        proven["arrived_ms"] = arrival.block.time_ms
        proven["instruction"] = f"{paid[0]}-{paid[1]}-{paid[3]}"
    return proven


@dataclasses.dataclass
class Genesis:
    """What a genesis file says, as far as a client needs it."""

    chain_id: bytes
    participants: dict
    validators: list
    parameters: dict

    @classmethod
    def parse(cls, data):
        """Reads a genesis file's bytes; the chain id is their SHA-256."""
        content = tomllib.loads(data.decode("utf-8"))
        participants = {
            entry["id"]: bytes.fromhex(entry["public_key"]) for entry in content["participants"]}
        validators = [
            (index, bytes.fromhex(entry["validator_key"]), entry["power"])
            for index, entry in enumerate(content["nodes"]) if entry.get("power", 0) > 0]
        return cls(sha256(data), participants, validators, content.get("parameters", {}))

    def validators_hash(self):
        """The digest of the validators that block headers carry."""
        entries = b"".join(struct.pack("<I32sQ", *validator) for validator in self.validators)
        return tagged("sluice:validat:1", struct.pack("<Q", len(self.validators)), entries)
