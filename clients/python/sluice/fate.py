"""What an answer about an order means: docs/client-recovery.md, step 4. Decides and does nothing.

A node's word is no proof. What is settled for good is what a receipt proves.
"""

from typing import Any, Literal

SETTLED = frozenset({"collected", "instructed", "arrived"})
WAITING = frozenset({"reserved", "debiting", "held"})
ENDED = frozenset({"voided", "expired", "refused", "failed", "returned"})

# `settled`: the user's money is booked. `waiting`: it may still be. `ended`: it was given back, or
# never taken. `rejected`: nothing was booked. `never`: it is in no block and never will be. `open`:
# not an answer yet, ask again. `behind`: this node knows less than the caller.
Fate = Literal["settled", "waiting", "ended", "rejected", "never", "open", "behind"]


def fate_of(report: Any, min_height: int = 0) -> Fate:
    """What a node's answer about an order means for whoever knows that the chain reached
    `min_height`."""
    status, searched = report["status"], report["searched"]
    if searched["to_height"] < min_height:
        return "behind"
    if status in SETTLED:
        return "settled"
    if status in WAITING:
        return "waiting"
    if status in ENDED:
        return "ended"
    if status == "rejected":
        return "rejected"
    if status == "not-found" and not searched["may_still_commit"]:
        return "never"
    return "open"  # also a name that was added later


def is_new_id_safe(fate: Fate) -> bool:
    """True if a new order with a new id cannot charge the user twice. Of every other fate the order
    keeps its id."""
    return fate in ("never", "rejected")
