"""Gathers items of one kind into signed batches, by number and age, and submits each until its fate
is known.

Orders keep their ids, whatever happens: a batch that is too old is signed anew with the same items,
and nothing here makes an id.
"""

import asyncio
import dataclasses
import struct
import time
from collections.abc import Awaitable, Callable
from typing import Any

from . import interface
from .errors import FateOpen, Refused
from .receipt import APPLIED
from .rpc import Client, from_base64
from .wire import KINDS, require, signed_batch

VALID_MS = 60_000  # how long a batch may wait for a block, unless told otherwise
AGE_MS = 20  # how long items wait for company, unless told otherwise
SIGNED_ANEW_MAX = 3
REPEATED = 1
STANDS = frozenset({"collected", "instructed", "arrived", "reserved", "debiting", "held"})


@dataclasses.dataclass(frozen=True)
class ItemResult:
    """What became of one item."""

    # True if it is in the books: by this batch, or as `standing` says.
    is_applied: bool
    # True if nobody knows yet: `batch` goes out again, with the same ids, or the order is asked for
    # by its id.
    is_open: bool
    # True if the chain says that a new id charges nobody twice.
    new_id_is_safe: bool
    # The outcome's code; None while it is open.
    code: int | None
    name: str
    # The height of the block that decided it.
    height: int | None
    standing: interface.OrderStanding | None
    # The bytes that were signed last.
    batch: bytes


def results_of(report: Any, count: int, batch: bytes) -> list[ItemResult]:
    """What became of each item of a batch that is final."""
    outcomes, height = report["outcomes"], report["height"]
    is_of_orders = int.from_bytes(batch[2:4], "little") == KINDS["recharge"][0]
    codes = outcomes.get("codes_base64")
    packed = bytes(2 * count) if codes is None else from_base64(codes)
    results = [ItemResult(True, False, False, code, "applied", height, None, batch)
               for code in struct.unpack(f"<{count}H", packed)]
    for other in outcomes["not_applied"]:
        code, standing = other["code"], other.get("standing")
        # Repeated, or too late to say: it stands as it stood, if it is this very order.
        is_old = standing is not None and standing.get("same_content") is not False
        stands = is_old and standing["status"] in STANDS
        # Of an old order the node may have looked up no more: then it is asked for by its id.
        is_untold = code == REPEATED and standing is None
        is_applied = code in APPLIED or stands or is_untold and not is_of_orders
        is_safe = standing is not None and standing["new_id_is_safe"]
        results[other["item_index"]] = ItemResult(
            is_applied, is_untold and is_of_orders, is_safe, code, other["name"], height, standing, batch)
    return results


def _wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


async def _keep_nothing(_batch: bytes) -> None:
    """Stores nothing, for whoever keeps orders elsewhere."""


class Batcher:
    """Signs what one participant says, items of one kind."""

    def __init__(
        self, client: Client, chain_id: bytes, kind: str, submitter: int, seed: bytes, *,
        items_max: int | None = None, age_ms: int = AGE_MS, valid_ms: int = VALID_MS,
        timeout_ms: int = VALID_MS, keep: Callable[[bytes], Awaitable[None]] = _keep_nothing,
        wall_clock_ms: Callable[[], int] = _wall_clock_ms,
    ):
        """`keep` stores a batch durably; it is awaited before the batch is sent for the first
        time."""
        require(kind in KINDS, f"there is no kind {kind}")
        self._client, self._chain_id, self._kind = client, chain_id, kind
        self._submitter, self._seed = submitter, seed
        self._items_max = min(items_max or KINDS[kind][2], KINDS[kind][2])
        self._age_ms, self._valid_ms, self._timeout_ms = age_ms, valid_ms, timeout_ms
        self._keep, self._wall_clock_ms = keep, wall_clock_ms
        self._waiting: list[tuple[bytes, asyncio.Future[ItemResult]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    async def add(self, item: bytes) -> ItemResult:
        """Adds an item, and waits until its batch is final or its fate is open. Raises `Refused`
        when the whole batch was refused, which booked nothing and says nothing of its orders."""
        size = KINDS[self._kind][1]
        require(len(item) == size, f"a {self._kind} item has {size} bytes")
        loop = asyncio.get_running_loop()
        result: asyncio.Future[ItemResult] = loop.create_future()
        self._waiting.append((item, result))
        if len(self._waiting) >= self._items_max:
            self._send()
        elif self._timer is None:
            self._timer = loop.call_later(self._age_ms / 1_000, self._send)
        return await result

    async def flush(self) -> None:
        """Sends what waits, and waits until no batch is under way."""
        self._send()
        while self._under_way:
            await asyncio.gather(*self._under_way)

    def _send(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        entries, self._waiting = self._waiting, []
        if entries:
            task = asyncio.get_running_loop().create_task(self._deliver(entries))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _deliver(self, entries: list[tuple[bytes, asyncio.Future[ItemResult]]]) -> None:
        try:
            results = await self._settle([item for item, _ in entries])
        except BaseException as error:
            for _, future in entries:
                if not future.done():
                    future.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        for (_, future), result in zip(entries, results, strict=True):
            if not future.done():
                future.set_result(result)

    async def _settle(self, items: list[bytes]) -> list[ItemResult]:
        for anew in range(SIGNED_ANEW_MAX + 1):
            batch = signed_batch(
                self._kind, self._chain_id, self._submitter, self._seed, items,
                self._wall_clock_ms() + self._valid_ms)
            await self._keep(batch)
            try:
                report = await self._client.submit(
                    batch, timeout_ms=self._timeout_ms, with_codes=True)
                return results_of(report, len(items), batch)
            except (FateOpen, Refused) as error:
                if not error.is_refusal:
                    open_result = ItemResult(False, True, False, None, "open", None, None, batch)
                    return [open_result] * len(items)
                asks = isinstance(error, Refused) and error.asks_for_new_batch
                if not asks or anew == SIGNED_ANEW_MAX:
                    raise
        raise AssertionError("the last of them returns or raises")
