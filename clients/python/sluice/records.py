"""Proofs of windows' reports verified in another language, written from docs/wire-format.md alone.

Records, proofs of records, and the reports of closed windows in them, against a genesis file.
Nothing here talks to a node.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Self

from .lineage import PROOF_BYTES_MAX, Block, Certificate, Handover, Reader, Trust, trust
from .receipt import Genesis
from .wire import leaf, require, root_from_proof, tagged

RECORD_PROOF_MAGIC = b"SLUICEP2"
RECORDS_MAX = 64

WINDOW, WINDOW_SETTLEMENT = 0, 4  # numbers of kinds of records
PARTY_KINDS = {1: "gateway-liquidity", 3: "cashback-pool", 5: "fx-position", 7: "suspense"}


@dataclasses.dataclass
class Record:
    """A record with the proof that a decided block left it."""

    record: bytes
    index: int
    path: list[bytes]
    block: Block
    certificate: Certificate

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Reads the fields in the order of section 10."""
        return cls(b"".join(reader.vector(1)), reader.unpack("I"), reader.vector(32),
                   Block.read(reader), Certificate.read(reader))

    def verify(self, trusted: Trust) -> None:
        """Refuses a record that its block did not leave, and a block that is not the chain's."""
        root = root_from_proof(leaf(self.record), self.index, self.block.record_count, self.path)
        require(root == self.block.records_root, "a record does not lead to its block's root")
        trusted.require(self.block, self.certificate)


def verified_records(data: bytes, genesis: Genesis, apart: bytes | None = None) -> list[Record]:
    """The records that a proof holds, once everything about it does. A proof without a lineage may
    be held against the bytes of one that stands apart."""
    require(len(data) <= PROOF_BYTES_MAX, "more bytes than any proof of records")
    reader = Reader(data)
    require(reader.take(8) == RECORD_PROOF_MAGIC, "not a proof of records")
    records, lineage = reader.sequence(Record.read), reader.sequence(Handover.read)
    reader.end()
    require(1 <= len(records) <= RECORDS_MAX, "no records, or too many")
    places = [(each.block.height, each.index) for each in records]
    require(places == sorted(set(places)), "the records do not ascend")
    trusted = trust(lineage, genesis, {height for height, _ in places}, apart)
    for each in records:
        each.verify(trusted)
    return records


def read_position(reader: Reader) -> dict[str, Any]:
    """What a party owes and is owed."""
    kind, owner, currency = reader.unpack("BQH")
    debits, credits = (int.from_bytes(reader.take(16), "little") for _ in range(2))
    require(kind in PARTY_KINDS, "a position of no party")
    return {"kind": PARTY_KINDS[kind], "owner": owner, "currency": currency,
            "gross_debits": debits, "gross_credits": credits, "net": credits - debits}


def read_window(record: bytes) -> dict[str, Any]:
    """The report of a closed window; its nets add up to zero."""
    reader = Reader(record)
    require(reader.unpack("I") == WINDOW, "not a window's report")
    window, opened_ms, first_height = reader.unpack("QQQ")
    closed_ms, last_height = (reader.option(lambda inner: inner.unpack("Q")) for _ in range(2))
    orders, instructions = reader.unpack("QQ")
    positions = reader.sequence(read_position)
    reader.end()
    require(closed_ms is not None, "the window is open")
    nets: dict[int, int] = {}
    for each in positions:
        nets[each["currency"]] = nets.get(each["currency"], 0) + each["net"]
    require(not any(nets.values()), "the report does not net")
    return {"window": window, "opened_ms": opened_ms, "closed_ms": closed_ms,
            "first_height": first_height, "last_height": last_height, "orders": orders,
            "instructions": instructions, "positions": positions}


def report_digest(record: bytes) -> bytes:
    """What maker and checker of a window's settlement sign, of the report's bytes: the window and
    the positions, which end the record."""
    window, positions = record[4:12], record[4 + 8 + 8 + 8 + 9 + 9 + 8 + 8:]
    return tagged("sluice:report:1", window, positions)


def read_settlement(record: bytes) -> tuple[int, dict[str, Any]]:
    """A window's settlement."""
    reader = Reader(record)
    require(reader.unpack("I") == WINDOW_SETTLEMENT, "not the word that a window is settled")
    window, agent, reference, time_ms, height, _, _, checker, digest = reader.unpack(
        "QI32sQQIII32s")
    reader.end()
    word = {"agent": agent, "checker": checker, "reference": reference.hex(),
            "settled_ms": time_ms, "height": height, "digest": digest.hex()}
    return window, word


def verify_window(data: bytes, genesis: Genesis, lineage: bytes | None = None) -> dict[str, Any]:
    """What a proof of a window's report proves, as a dictionary; raises `Invalid` if it does not
    hold."""
    report, *rest = verified_records(data, genesis, lineage)
    proven = {**read_window(report.record), "settled": None}
    require(len(rest) <= 1, "more than a report and the word that it is settled")
    for each in rest:
        window, proven["settled"] = read_settlement(each.record)
        require(window == proven["window"], "the settlement is of another window")
        digest = report_digest(report.record).hex()
        require(proven["settled"]["digest"] == digest, "the settlement is of another report")
    return proven
