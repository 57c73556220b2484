"""Account proofs of Sluice verified in another language, written from docs/wire-format.md alone.

An account's counters after a block, against a genesis file. Nothing here talks to a node.
"""

from typing import Any

from .lineage import PROOF_BYTES_MAX, Block, Certificate, Handover, Reader, trust
from .receipt import Genesis
from .wire import node, require, tagged

ACCOUNT_PROOF_MAGIC = b"SLUICEA3"
ACCOUNTS_TREE_DEPTH = 32
ACCOUNT_BYTES, COUNTERS_BYTES = 11, 88
ACCOUNT_KINDS = {
    1: "gateway-liquidity", 2: "merchant-payable", 3: "cashback-pool", 4: "cashback-owed",
    5: "fx-position", 6: "fees", 7: "suspense", 8: "scheme-settlement",
}


def verify_account(data: bytes, genesis: Genesis, lineage: bytes | None = None) -> dict[str, Any]:
    """What an account proof proves, as a dictionary; raises `Invalid` if it does not hold. A proof
    without a lineage may be held against the bytes of one that stands apart."""
    require(len(data) <= PROOF_BYTES_MAX, "more bytes than any account proof")
    reader = Reader(data)
    require(reader.take(8) == ACCOUNT_PROOF_MAGIC, "not an account proof")
    account, counters = reader.take(ACCOUNT_BYTES), reader.take(COUNTERS_BYTES)
    place, siblings, writes = reader.unpack("I"), reader.vector(32), reader.take(32)
    block, certificate = Block.read(reader), Certificate.read(reader)
    handovers = reader.sequence(Handover.read)
    reader.end()
    require(len(siblings) == ACCOUNTS_TREE_DEPTH, "not as many siblings as the tree is deep")
    root = tagged("sluice:account:1", account, counters)
    for level, sibling in enumerate(siblings):
        root = node(sibling, root) if place >> level & 1 else node(root, sibling)
    is_led = tagged("sluice:state:1", root, writes) == block.state_digest
    require(is_led, "the counters do not lead to the block's state digest")
    trust(handovers, genesis, {block.height}, lineage).require(block, certificate)
    return {**_account(Reader(account)), **_counters(Reader(counters)),
            "height": block.height, "time_ms": block.time_ms}


def _account(reader: Reader) -> dict[str, Any]:
    kind, owner, currency = reader.unpack("BQH")
    require(kind in ACCOUNT_KINDS, "an account of no kind that there is")
    return {"kind": ACCOUNT_KINDS[kind], "owner": owner, "currency": currency}


def _counters(reader: Reader) -> dict[str, int]:
    names = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
    found = {name: int.from_bytes(reader.take(16), "little") for name in names}
    cap = reader.unpack("Q")
    settled = int.from_bytes(reader.take(16), "little", signed=True)
    balance = found["credits_posted"] - found["debits_posted"]
    return {**found, "net_debit_cap": cap, "settled": settled, "balance": balance}
