"""A client of Sluice for asyncio, written from docs/wire-format.md and docs/rpc.md alone.

Standard library plus `cryptography` for ed25519. `wire` makes items and batches; `Client` talks to
several nodes; `Batcher` gathers items; `verify` judges receipts and proofs against the user's own
genesis file, and talks to nobody; `interface` has the types of every method.
"""

from .batcher import Batcher, ItemResult
from .errors import CallError, FateOpen, Refused, Unreachable
from .fate import fate_of, is_new_id_safe
from .receipt import Genesis, verify_receipt
from .records import verify_window
from .account import verify_account
from .rpc import Client
from .verify import Verdict, verify
from .wire import KINDS, Invalid

__all__ = [
    "KINDS", "Batcher", "CallError", "Client", "FateOpen", "Genesis", "Invalid", "ItemResult",
    "Refused", "Unreachable", "Verdict", "fate_of", "is_new_id_safe", "verify", "verify_account",
    "verify_receipt", "verify_window",
]
