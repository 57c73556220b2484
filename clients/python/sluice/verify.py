"""One verdict for whatever bytes: docs/wire-format.md section 10. Nothing here talks to a node."""

import dataclasses
from typing import Any

from .account import ACCOUNT_PROOF_MAGIC, verify_account
from .receipt import Genesis, verify_receipt
from .records import RECORD_PROOF_MAGIC, verify_window
from .wire import Invalid


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What bytes prove against a genesis file, or why they prove nothing."""

    is_valid: bool
    # The chain against which they were judged.
    chain_id: bytes
    proven: dict[str, Any]
    # Why they are not valid; empty if they are.
    reason: str


def verify(data: bytes, genesis: Genesis, lineage: bytes | None = None) -> Verdict:
    """Judges the bytes of a receipt, an account proof or a window's proof against the user's own
    genesis file. Raises nothing for bytes, however they came."""
    judges = {ACCOUNT_PROOF_MAGIC: verify_account, RECORD_PROOF_MAGIC: verify_window}
    judge = judges.get(bytes(data[:8]), verify_receipt)
    try:
        return Verdict(True, genesis.chain_id, judge(data, genesis, lineage), "")
    except Invalid as error:
        return Verdict(False, genesis.chain_id, {}, str(error))
