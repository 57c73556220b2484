"""Evidence against validators verified in another language, written from docs/wire-format.md alone.

Nothing here talks to a node.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Sequence
from typing import Any, Self

from .lineage import Reader, Validator, vote_digest
from .wire import leaf, merkle_root, require, signature_holds, tagged

EVIDENCE = 12  # the number of the kind of record
PREVOTES, PRECOMMITS, PROPOSALS = range(3)
VOTES_FORM, PROPOSALS_FORM = range(2)

# Who signed, at which height, round and step, which value; the digest and the signature over it.
Message = tuple[int, tuple[int, int, int], bytes | None, bytes, bytes]


def proposal_digest(
    chain_id: bytes, height: int, round_: int, block: bytes, valid_round: int | None, proposer: int,
) -> bytes:
    """What a proposal is a signature over; `valid_round` is None for a block proposed first."""
    return tagged(
        "sluice:propose:1", chain_id, struct.pack("<QI", height, round_), block,
        struct.pack("<BII", valid_round is not None, valid_round or 0, proposer),
    )


def read_vote(reader: Reader, chain_id: bytes) -> Message:
    """A signed vote: validator, place, value, digest, signature."""
    height, round_, step = reader.unpack("QII")
    require(step in (PREVOTES, PRECOMMITS), "a step is neither 0 nor 1")
    block = reader.option(lambda inner: inner.take(32))
    validator, signature = reader.unpack("I64s")
    digest = vote_digest(chain_id, height, round_, step == PRECOMMITS, block)
    return validator, (height, round_, step), block, digest, signature


def read_proposal(reader: Reader, chain_id: bytes) -> Message:
    """A signed proposal: validator, place, value, digest, signature."""
    height, round_, block = reader.unpack("QI32s")
    valid_round = reader.option(lambda inner: inner.unpack("I"))
    proposer, signature = reader.unpack("I64s")
    digest = proposal_digest(chain_id, height, round_, block, valid_round, proposer)
    return proposer, (height, round_, PROPOSALS), block, digest, signature


@dataclasses.dataclass
class Evidence:
    """Two messages of one validator that exclude each other, verified."""

    raw: bytes
    validator: int
    height: int
    round: int
    what: int
    first: bytes | None
    second: bytes | None

    @classmethod
    def verified(cls, data: bytes, chain_id: bytes, validators: Sequence[Validator]) -> Self:
        """The evidence that these bytes hold, once everything about it does; `validators` are
        (id, key, power)."""
        reader = Reader(data)
        form = reader.unpack("I")
        require(form in (VOTES_FORM, PROPOSALS_FORM), "neither votes nor proposals")
        read = read_vote if form == VOTES_FORM else read_proposal
        (validator, place, first, *signed), (other, there, second, *signed_too) = (
            read(reader, chain_id) for _ in range(2))
        reader.end()
        require(validator == other, "messages of two validators")
        require(place == there, "messages of two heights, rounds or steps")
        require((first or b"") < (second or b""), "not two values, the lower one first")
        keys = {number: key for number, key, _ in validators}
        require(validator in keys, "evidence against nobody")
        for digest, signature in (signed, signed_too):
            require(signature_holds(keys[validator], digest, signature), "a signature")
        return cls(data, validator, *place, first, second)


def evidence_root(pieces: Sequence[bytes]) -> bytes:
    """The root that a header names, over the canonical forms of a block's evidence."""
    return merkle_root([leaf(raw) for raw in pieces])


def read_evidence_record(record: bytes) -> dict[str, Any]:
    """What a block recorded of its evidence, as a dictionary."""
    reader = Reader(record)
    require(reader.unpack("I") == EVIDENCE, "not a record of evidence")
    block_height, sequence, time_ms, validator, what, height, round_ = reader.unpack("QIQIIQI")
    first, second = (reader.option(lambda inner: inner.take(32)) for _ in range(2))
    reader.end()
    require(what in (PREVOTES, PRECOMMITS, PROPOSALS), "a record of nothing that is signed")
    return {"block_height": block_height, "sequence": sequence, "time_ms": time_ms,
            "validator": validator, "what": what, "height": height, "round": round_,
            "first": first, "second": second}
