"""What went wrong with a call, and what follows from it: docs/client-recovery.md, *For programs*.

Decides and does nothing.
"""

import dataclasses
from typing import Any, Literal

PAUSE_MS = 200  # unless a node says when to try again
PAUSE_MS_MAX = 5_000  # a node does not make its clients sleep for ever

POOL_FULL, BATCH_EXPIRED = 115, 112
WAIT_TIMEOUT, BATCH_DROPPED = 1005, 1017
# Errors that say nothing of what was asked: nobody who knows could be reached, or it may be done
# all the same.
FATE_OPEN = frozenset({
    WAIT_TIMEOUT, 1006, 1008, 1010, 1014, 1015, 1016, 1020, 1030, 1031, 1032, 1033, 1034, -32603,
    -32008,
})


class CallError(Exception):
    """A call that did not succeed."""

    # True if nothing was done. Of every other error nobody knows yet what became of the call.
    is_refusal = False


class Refused(CallError):
    """The node, or the chain through it, refused."""

    def __init__(self, url: str, code: int, message: str, data: dict[str, Any] | None = None):
        self.url, self.code, self.data = url, code, data or {}
        self.message = message
        # The stable name of the code; empty if the node sent none.
        self.name = self.data.get("name", "")
        self.remedy = self.data.get("remedy", "")
        self.is_transient = self.data.get("transient") is True
        after = self.data.get("retry_after_ms")
        is_number = isinstance(after, int) and not isinstance(after, bool) and after >= 0
        self.retry_after_ms: int | None = after if is_number else None
        self.is_refusal = code not in FATE_OPEN
        remedy = f": {self.remedy}" if self.remedy else ""
        super().__init__(f"{message} (code {code}){remedy}")

    @property
    def asks_for_new_batch(self) -> bool:
        """True if a new batch of the same items is to be signed; its orders keep their ids."""
        is_full_for_good = self.code == POOL_FULL and not self.is_transient
        return self.code in (BATCH_EXPIRED, BATCH_DROPPED) or is_full_for_good


class Unreachable(CallError):
    """The node could not be reached, or its answer not be read."""

    def __init__(self, url: str, problem: str):
        self.url, self.problem = url, problem
        super().__init__(f"{url} does not answer: {problem}")


class FateOpen(CallError):
    """The time was over; what became of the call is not known."""

    def __init__(self, waited_ms: int, last: str):
        self.waited_ms, self.last = waited_ms, last
        super().__init__(f"no final answer within {waited_ms} ms; last: {last}")


@dataclasses.dataclass(frozen=True)
class NextStep:
    """How a call goes on after an error."""

    node: Literal["same", "other", "none"]
    after_ms: int = 0


def next_step(error: CallError) -> NextStep:
    """How a call goes on after an error: at the same node, at another, or not."""
    if isinstance(error, Unreachable):
        return NextStep("other", PAUSE_MS)
    if not isinstance(error, Refused):
        return NextStep("none")
    if error.code == WAIT_TIMEOUT:
        return NextStep("same")
    if not error.is_transient:
        return NextStep("none")
    after_ms = PAUSE_MS if error.retry_after_ms is None else error.retry_after_ms
    # All nodes enforce one share: another would say the same, and have the work of it.
    node: Literal["same", "other"] = "same" if error.code == POOL_FULL else "other"
    return NextStep(node, min(after_ms, PAUSE_MS_MAX))
