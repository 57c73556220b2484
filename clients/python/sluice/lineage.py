"""Lineages of Sluice in another language, written from docs/wire-format.md alone.

Headers, votes, certificates, and who was to decide which height, from a genesis file on. Nothing
here talks to a node.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, Self

from .wire import require, signature_holds, tagged

LINEAGE_MAGIC = b"SLUICEL1"
PROOF_BYTES_MAX = 4_194_304  # of a receipt, an account proof or a proof of records
VALIDATORS_MAX = 128
BLOCK_HEADER_FORM = "<H32sQIIIQQ32sI32sI32s32s32s32s32s32sI32sI32s"
BLOCK_HEADER_BYTES = 406


Seat = tuple[bytes, int]  # a validator's key and power
Validator = tuple[int, bytes, int]  # its place in the list of nodes, its key and power


class Root(Protocol):
    """What a walk begins with: a genesis file."""

    chain_id: bytes
    validators: list[Validator]


# --- Sections 1, 8, 9 and 10: decoding.


class Reader:
    """Reads basic forms from bytes, and refuses what is not there."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        """The next bytes."""
        require(size <= len(self.data) - self.at, "the bytes end early")
        self.at += size
        return self.data[self.at - size : self.at]

    def unpack(self, form: str) -> Any:
        """The next numbers and byte strings, little-endian."""
        values = struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))
        return values[0] if len(values) == 1 else values

    def vector(self, size: int) -> list[bytes]:
        """A Vec whose elements take `size` bytes each."""
        count = self.unpack("Q")
        require(count * size <= len(self.data) - self.at, "a length is larger than what follows")
        return [self.take(size) for _ in range(count)]

    def sequence(self, read: Callable[[Reader], Any]) -> list[Any]:
        """A Vec of what `read` reads. A length that lies runs into the end of the bytes."""
        return [read(self) for _ in range(self.unpack("Q"))]

    def option(self, read: Callable[[Reader], Any]) -> Any:
        """An Option of what `read` reads."""
        tag = self.unpack("B")
        require(tag in (0, 1), "an option's tag is neither 0 nor 1")
        return read(self) if tag else None

    def end(self) -> None:
        """Refuses bytes that are left over."""
        require(self.at == len(self.data), "bytes follow the end")


@dataclasses.dataclass
class Block:
    """A block header, with its bytes."""

    raw: bytes
    chain_id: bytes
    height: int
    round: int
    parent_round: int
    time_ms: int
    window: int
    batch_count: int
    batches_root: bytes
    evidence_count: int
    evidence_root: bytes
    results_root: bytes
    state_digest: bytes
    validators_hash: bytes
    next_validators_hash: bytes
    party_count: int
    parties_root: bytes
    record_count: int
    records_root: bytes

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Reads the 406 bytes of a header."""
        raw = reader.take(BLOCK_HEADER_BYTES)
        (_, chain_id, height, round_, parent_round, _, time_ms, window, _, batch_count,
         batches_root, evidence_count, evidence_root, results_root, state_digest, validators_hash,
         next_validators_hash, _, party_count, parties_root, record_count,
         records_root) = struct.unpack(BLOCK_HEADER_FORM, raw)
        return cls(raw, chain_id, height, round_, parent_round, time_ms, window, batch_count,
                   batches_root, evidence_count, evidence_root, results_root, state_digest,
                   validators_hash, next_validators_hash, party_count, parties_root, record_count,
                   records_root)

    def hash(self) -> bytes:
        """The block hash."""
        return tagged("sluice:block:1", self.raw)


def vote_digest(
    chain_id: bytes, height: int, round_: int, precommit: bool, block: bytes | None,
) -> bytes:
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
    signatures: list[tuple[int, bytes]]

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Reads height, round, block hash and signatures."""
        height, round_, block = reader.unpack("QI32s")
        signatures = [struct.unpack("<I64s", entry) for entry in reader.vector(68)]
        return cls(height, round_, block, signatures)

    def verify(self, chain_id: bytes, validators: Sequence[Validator]) -> None:
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


def validators_hash(validators: Sequence[Validator]) -> bytes:
    """The digest of validators that block headers carry."""
    entries = b"".join(struct.pack("<I32sQ", *validator) for validator in validators)
    return tagged("sluice:validat:1", struct.pack("<Q", len(validators)), entries)


def read_change(reader: Reader) -> tuple[int, Seat | None]:
    """How one set of validators differs from another: (id, None) or (id, (key, power))."""
    return reader.unpack("I"), reader.option(lambda inner: inner.unpack("32sQ"))


def changed(
    validators: Sequence[Validator], change: Sequence[tuple[int, Seat | None]],
) -> list[Validator]:
    """The validators that others become by a change; refuses any but its one form."""
    ids = [number for number, _ in change]
    require(ids == sorted(set(ids)), "lineage: a change that does not ascend")
    seats = {number: (key, power) for number, key, power in validators}
    for number, seat in change:
        require(seats.get(number) != seat, "lineage: a change that changes nothing")
        if seat:
            seats[number] = seat
        else:
            del seats[number]
    require(len(seats) <= VALIDATORS_MAX, "lineage: too many validators")
    return [(number, *seat) for number, seat in sorted(seats.items())]


def require_quorum_of(
    trusted: Sequence[Validator], certificate: Certificate, deciders: Sequence[Validator],
) -> None:
    """Refuses a certificate of `deciders` that less than a quorum of those trusted signed."""
    signers = {signer for signer, _ in certificate.signatures}
    known = {(number, key) for number, key, _ in deciders if number in signers}
    power = sum(power for number, key, power in trusted if (number, key) in known)
    total = sum(power for _, _, power in trusted)
    require(power * 3 > total * 2, "lineage: too few of those trusted before signed")


@dataclasses.dataclass
class Handover:
    """The last block of some validators, and those who come."""

    block: Block
    certificate: Certificate
    deciders: list[tuple[int, Seat | None]]
    next: list[tuple[int, Seat | None]]

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Reads header, certificate and the two changes."""
        return cls(Block.read(reader), Certificate.read(reader), reader.sequence(read_change),
                   reader.sequence(read_change))


def require_decided(
    block: Block, certificate: Certificate, validators: Sequence[Validator], chain_id: bytes,
) -> None:
    """Refuses a header that these validators have not decided."""
    require(block.chain_id == chain_id, "lineage: another chain")
    require(certificate.block == block.hash(), "certificate of another block")
    require(certificate.height == block.height, "certificate of another height")
    require(block.validators_hash == validators_hash(validators), "other validators")
    certificate.verify(chain_id, validators)


class Trust:
    """A walk over handovers from the genesis file on: who was to decide the wanted heights."""

    def __init__(self, genesis: Root, heights: Iterable[int]) -> None:
        self.chain_id, self.validators, self.since = genesis.chain_id, genesis.validators, 1
        self.wanted = sorted(heights)
        self.found: dict[int, list[Validator]] = {}

    def step(self, handover: Handover) -> None:
        """Goes on over the next handover."""
        block = handover.block
        require(block.height >= self.since, "lineage: it does not ascend")
        deciders = changed(self.validators, handover.deciders)
        require_decided(block, handover.certificate, deciders, self.chain_id)
        require_quorum_of(self.validators, handover.certificate, deciders)
        coming = changed(deciders, handover.next)
        require(block.next_validators_hash == validators_hash(coming),
                "lineage: others than the header names")
        require(coming != self.validators, "lineage: a handover to the same validators")
        while self.wanted and self.wanted[0] <= block.height:
            self.found[self.wanted.pop(0)] = self.validators
        self.validators, self.since = coming, block.height + 1

    def require(self, block: Block, certificate: Certificate) -> None:
        """Refuses a header of a wanted height that the chain has not decided."""
        require(block.height in self.found or block.height in self.wanted, "nobody asked for it")
        validators = self.found.get(block.height, self.validators)
        require_decided(block, certificate, validators, self.chain_id)


def trust(
    lineage: Sequence[Handover], genesis: Root, heights: Iterable[int], apart: bytes | None = None,
) -> Trust:
    """What the lineage of a proof says of the heights of its blocks. A proof without one may be
    held against the bytes of a lineage that stands apart."""
    walk = Trust(genesis, heights)
    if apart is not None and not lineage:
        require(apart.startswith(LINEAGE_MAGIC), "not a lineage")
        reader = Reader(apart[len(LINEAGE_MAGIC):])
        while reader.at < len(reader.data):
            walk.step(Handover.read(reader))
        return walk
    last = max(heights)
    for handover in lineage:
        require(handover.block.height < last, "a handover that nothing rests on")
        walk.step(handover)
    return walk
