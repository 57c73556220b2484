"""The asyncio client over several nodes: JSON-RPC 2.0 by HTTP POST, round robin, and on to the next
node when one does not answer.

To send the same bytes again, to any node, is safe: they never settle twice. docs/client-recovery.md
says what is certain when.
"""

import asyncio
import base64
import ipaddress
import json
import time
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from . import interface
from .errors import CallError, FateOpen, Refused, Unreachable, next_step
from .fate import Fate, fate_of
from .forms import fault_of_result
from .lineage import LINEAGE_MAGIC
from .post import post
from .receipt import APPLIED, Genesis, verify_receipt
from .wire import Invalid, batch_id, require

WAIT_MS = 10_000  # how long one call may wait at the node; longer waits are several calls
CALL_SLACK_MS = 20_000  # how long a call may take beyond the wait that it asks for
ANSWER_BYTES_MAX = 16 * 1024 * 1024
STATUS_RETRY_MS = 1_000  # when to try again after a refusal by status
POLL_MS = 250  # between two looks at an order
LINEAGE_PAGES_MAX = 10_000

Check = Callable[[Any], object]


def from_base64(text: str) -> bytes:
    """Bytes from base64 of RFC 4648 section 4, in its one form."""
    data = base64.b64decode(text, validate=True)
    require(base64.b64encode(data).decode("ascii") == text, "base64 in another form")
    return data


# Statuses by which a node refuses, perhaps through a proxy that says no more.
REFUSALS = {
    401: (1031, "token-refused", False),
    403: (1034, "scope-lacking", False),
    429: (1010, "budget-exceeded", True),
    503: (1015, "node-busy", True),
}


def _refused_by_status(url: str, method: str, identity: int, status: int, body: bytes) -> Refused:
    """The refusal of a status. For one of access the body says which."""
    code, name, is_transient = REFUSALS[status]
    if not is_transient:
        try:
            _result(url, method, identity, body)
        except Refused as refused:
            return refused
        except (ValueError, Invalid, RecursionError):
            pass  # it is not a node's: the status is all that is known
    data: dict[str, Any] = {"name": name, "transient": is_transient}
    if is_transient:
        data["retry_after_ms"] = STATUS_RETRY_MS
    return Refused(url, code, f"{name}: HTTP status {status}", data)


def _is_private(url: str) -> bool:
    """True if nobody on the network can read what goes to a URL."""
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _result(url: str, method: str, identity: int, body: bytes) -> Any:
    """The result of a call; raises `Refused` for an error and `Invalid` for no answer of a node."""
    answer = json.loads(body.decode("utf-8"))
    require(isinstance(answer, dict), "the answer is no object")
    require(answer.get("jsonrpc") == "2.0", "the answer is not JSON-RPC 2.0")
    is_ours = answer.get("id") == identity and not isinstance(answer.get("id"), bool)
    require(is_ours, "the answer is to another request")
    require(("result" in answer) != ("error" in answer), "neither a result nor an error, or both")
    if "error" in answer:
        error = answer["error"]
        require(isinstance(error, dict), "the error is no object")
        code, message, data = error.get("code"), error.get("message"), error.get("data")
        require(isinstance(code, int) and not isinstance(code, bool), "the error has no code")
        require(isinstance(message, str), "the error has no message")
        raise Refused(url, code, message, data if isinstance(data, dict) else {})
    problem = fault_of_result(method, answer["result"])
    require(problem is None, problem or "")
    return answer["result"]


def require_batch_report(report: Any, identity: str, item_count: int) -> None:
    """Refuses a report that is not of the batch, or whose counts do not add up."""
    require(report["batch_id"] == identity, "the report is of another batch")
    if report["state"] != "final":
        return
    is_whole = report.get("height", -1) >= 0 and "outcomes" in report
    require(is_whole, "a final report without height and outcomes")
    outcomes = report["outcomes"]
    counts, others = outcomes["counts"], outcomes["not_applied"]
    total = sum(each["item_count"] for each in counts)
    other = sum(each["item_count"] for each in counts if each["code"] not in APPLIED)
    is_whole = outcomes["item_count"] == item_count == total and other == len(others)
    require(is_whole, "the counts do not add up")
    is_within = all(0 <= each["item_index"] < item_count for each in others)
    require(is_within, "an item beyond the batch")
    if (codes := outcomes.get("codes_base64")) is not None:
        require(len(from_base64(codes)) == 2 * item_count, "the codes are of another batch")


class Client:
    """Clients to the nodes of one network."""

    def __init__(
        self, urls: Sequence[str], *, headers: Mapping[str, str] | None = None,
        token: str | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock_s: Callable[[], float] = time.monotonic,
    ):
        """`headers` is what each request carries besides; `token` is the one that the nodes ask
        for: docs/access.md."""
        require(len(urls) > 0, "no node is known")
        for url in urls:
            require(url.startswith(("http://", "https://")), f"{url} is not a node's URL")
            is_safe = token is None or _is_private(url)
            require(is_safe, f"{url} would show the token to the network: use https")
        self.urls, self.headers = list(urls), dict(headers or {})
        if token is not None:
            self.headers["Authorization"] = f"Bearer {token}"
        self._sleep, self._clock_s = sleep, clock_s
        self._turn = self._identity = 0

    def url(self, at: int) -> str:
        """The URL of a node."""
        return self.urls[at % len(self.urls)]

    async def ask_node(
        self, at: int, method: str, params: dict[str, Any], check: Check | None = None,
    ) -> Any:
        """Asks one node; raises `Refused` or `Unreachable`. What `check` finds invalid is no
        answer."""
        url = self.url(at)
        self._identity += 1
        call = {"jsonrpc": "2.0", "id": self._identity, "method": method, "params": params}
        identity, body = self._identity, json.dumps(call).encode()
        try:
            status, answer = await post(
                url, body, self.headers, timeout_s=(WAIT_MS + CALL_SLACK_MS) / 1_000,
                answer_bytes_max=ANSWER_BYTES_MAX)
            if status in REFUSALS:
                raise _refused_by_status(url, method, identity, status, answer)
            require(status == 200, f"HTTP status {status}")
            result = _result(url, method, identity, answer)
            if check is not None:
                check(result)
            return result
        # RecursionError: JSON that is nested too deep. EOFError: a socket that was cut.
        except (OSError, EOFError, ValueError, Invalid, RecursionError, TimeoutError,
                asyncio.LimitOverrunError) as error:
            raise Unreachable(url, str(error) or type(error).__name__) from error

    async def call(
        self, method: str, params: dict[str, Any] | None = None, check: Check | None = None,
    ) -> Any:
        """Asks the nodes in turn until one answers; raises the first refusal that does not pass, or
        the last node's error when none answers."""
        first, self._turn = self._turn, self._turn + 1
        at = first
        while True:
            try:
                return await self.ask_node(at, method, params or {}, check)
            except CallError as error:
                is_last = at - first + 1 >= len(self.urls)
                if is_last or next_step(error).node == "none":
                    raise
                at += 1

    async def submit(
        self, batch: bytes, *, timeout_ms: int = 60_000, with_codes: bool = False,
    ) -> interface.BatchReport:
        """Submits a signed batch and waits until it is final, by the same bytes, over several calls
        and nodes if need be. Raises a refusal that does not pass, or `FateOpen` when the time is
        over: then submit the same bytes again, later or elsewhere, and never orders with new ids.
        """
        identity, count = batch_id(batch[:84]).hex(), int.from_bytes(batch[40:44], "little")
        text = base64.b64encode(batch).decode("ascii")
        started_s, first, self._turn = self._clock_s(), self._turn, self._turn + 1
        at = first
        while True:
            asked_s = self._clock_s()
            left_ms = timeout_ms - round((asked_s - started_s) * 1_000)
            params = {"bytes_base64": text, "wait": "final", "with_codes": with_codes,
                      "timeout_ms": min(max(left_ms, 1), WAIT_MS)}
            last, pause_ms = "the node did not wait for it", POLL_MS
            try:
                report: interface.BatchReport = await self.ask_node(
                    at, "batch_submit", params,
                    lambda answer: require_batch_report(answer, identity, count))
                if report["state"] == "final":
                    return report
            except CallError as error:
                step, last = next_step(error), str(error)
                if step.node == "none":
                    raise
                at += step.node == "other"
                took_ms = round((self._clock_s() - asked_s) * 1_000)
                # A node that says at once that it waited does not keep its clients busy.
                pause_ms = max(step.after_ms, POLL_MS - took_ms)
                if step.node == "other":
                    pause_ms = 0 if (at - first) % len(self.urls) else step.after_ms
            if (self._clock_s() - started_s) * 1_000 + pause_ms >= timeout_ms:
                raise FateOpen(timeout_ms, last)
            await self._sleep(pause_ms / 1_000)

    async def order(
        self, identity: str, *, min_height: int = 0,
    ) -> tuple[interface.OrderReport, Fate]:
        """How an order stands. A node that is behind `min_height` is passed over: whoever saw a
        batch final at a height gives it, so that a node that is behind does not say *not found* of
        what is booked."""
        def check(answer: Any) -> None:
            require(answer["order_id"] == identity, "the report is of another order")
            is_behind = fate_of(answer, min_height) == "behind"
            require(not is_behind, "the node is behind what is known here")

        report = await self.call("recharge_order", {"order_id": identity}, check)
        return report, fate_of(report, min_height)

    async def wait_for_order(
        self, identity: str, statuses: Sequence[str], *, timeout_ms: int = 600_000,
        min_height: int = 0,
    ) -> interface.OrderReport:
        """Waits until an order has one of these statuses; raises `FateOpen` when the time is
        over."""
        started_s = self._clock_s()
        while True:
            try:
                report, _ = await self.order(identity, min_height=min_height)
                if report["status"] in statuses:
                    return report
                last = f"it is {report['status']}"
            except CallError as error:
                if next_step(error).node == "none":
                    raise
                last = str(error)
            if (self._clock_s() - started_s) * 1_000 + POLL_MS >= timeout_ms:
                raise FateOpen(timeout_ms, last)
            await self._sleep(POLL_MS / 1_000)

    async def _bytes(self, method: str, member: str, params: dict[str, Any]) -> bytes:
        """The bytes that a member of an answer holds."""
        report = await self.call(method, params, lambda answer: from_base64(answer[member]))
        return from_base64(report[member])

    async def receipt(self, identity: str, *, lineage_apart: bool = False) -> bytes:
        """An order's receipt, to be verified against the user's own genesis file."""
        form = {"lineage_apart": True} if lineage_apart else {}
        return await self._bytes(
            "recharge_receipt", "receipt_base64", {"order_id": identity, **form})

    async def verified_receipt(
        self, identity: str, genesis: Genesis,
    ) -> tuple[bytes, dict[str, Any]]:
        """An order's receipt, verified against the user's own genesis file, and what it proves. A
        node whose receipt does not hold, or is of another order, is passed over like one that does
        not answer."""
        def judged(answer: Any) -> tuple[bytes, dict[str, Any]]:
            data = from_base64(answer["receipt_base64"])
            proven = verify_receipt(data, genesis)
            require(proven["order_id"] == identity, "the receipt is of another order")
            return data, proven

        return judged(await self.call("recharge_receipt", {"order_id": identity}, judged))

    async def window_proof(self, window: int) -> bytes:
        """The proof of a closed window's report."""
        return await self._bytes("settlement_window_proof", "proof_base64", {"window": window})

    async def account_proof(self, account: str, *, height: int | None = None) -> bytes:
        """The proof of an account's counters, such as of `gateway-liquidity:201:CNY`."""
        at = {} if height is None else {"height": height}
        return await self._bytes(
            "ledger_account_proof", "proof_base64", {"account": account, **at})

    async def lineage(self) -> bytes:
        """Every change of validators, as the bytes of a lineage that stands apart."""
        data, cursor = LINEAGE_MAGIC, None
        for _ in range(LINEAGE_PAGES_MAX):
            page = await self.call("chain_lineage", {} if cursor is None else {"cursor": cursor})
            for item in page["items"]:
                data += from_base64(item["handover_base64"])
            cursor = page.get("next")
            if cursor is None:
                return data
        raise Invalid("a lineage of more pages than any chain has")
