"""One HTTP request over a connection of its own, on asyncio: RFC 9112, as far as a node answers.

An answer that is cut, too large or malformed is an `OSError` or a `ValueError`, and never a part of
an answer.
"""

import asyncio
import ssl
import urllib.parse
from collections.abc import Mapping

LINE_BYTES_MAX = 16_384
HEADERS_MAX = 100
CONNECT_TIMEOUT_S = 3.0
BODY_READ = frozenset({200, 401, 403})  # the statuses of answers and of refusals of access


async def _headers(reader: asyncio.StreamReader) -> dict[str, str]:
    """The headers up to the empty line, by their names in small letters."""
    found: dict[str, str] = {}
    for _ in range(HEADERS_MAX):
        line = (await _line(reader)).decode("latin-1")
        if not line:
            return found
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError("a header without a colon")
        found[name.strip().lower()] = value.strip()
    raise ValueError("more headers than any node sends")


async def _line(reader: asyncio.StreamReader) -> bytes:
    """The next line, whole, without its end."""
    line = await reader.readuntil(b"\n")
    return line.rstrip(b"\r\n")


def _length(text: str, base: int, bytes_max: int) -> int:
    """A length as HTTP writes it, within the bound."""
    digits = "0123456789abcdef"[:base]
    if not text or len(text) > 16 or any(letter not in digits for letter in text.lower()):
        raise ValueError("a length that is no number")
    length = int(text, base)
    if length > bytes_max:
        raise ValueError(f"an answer of more than {bytes_max} bytes")
    return length


async def _chunks(reader: asyncio.StreamReader, bytes_max: int) -> bytes:
    """A body in chunks, whole."""
    body = bytearray()
    while True:
        size = (await _line(reader)).decode("latin-1").partition(";")[0].strip()
        length = _length(size, 16, bytes_max - len(body))
        if length == 0:
            return bytes(body)
        body += await reader.readexactly(length)
        await _line(reader)


async def _until_end(reader: asyncio.StreamReader, bytes_max: int) -> bytes:
    """A body up to the end of the connection."""
    body = bytearray()
    while part := await reader.read(65_536):
        body += part
        if len(body) > bytes_max:
            raise ValueError(f"an answer of more than {bytes_max} bytes")
    return bytes(body)


async def _answer(reader: asyncio.StreamReader, bytes_max: int) -> tuple[int, bytes]:
    """Status and body."""
    version, _, rest = (await _line(reader)).decode("latin-1").partition(" ")
    if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
        raise ValueError("not an answer of HTTP/1.1")
    status, headers = int(rest[:3]), await _headers(reader)
    if status not in BODY_READ:
        return status, b""  # its body is not looked at
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return status, await _chunks(reader, bytes_max)
    if (length := headers.get("content-length")) is not None:
        return status, await reader.readexactly(_length(length, 10, bytes_max))
    return status, await _until_end(reader, bytes_max)


async def post(
    url: str, body: bytes, headers: Mapping[str, str], *, timeout_s: float, answer_bytes_max: int,
) -> tuple[int, bytes]:
    """Posts JSON; gives the status and the body, which is read for `BODY_READ` alone."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("not an http URL")
    secure = ssl.create_default_context() if parts.scheme == "https" else None
    port = parts.port or (443 if secure else 80)
    opening = asyncio.open_connection(parts.hostname, port, ssl=secure, limit=LINE_BYTES_MAX)
    reader, writer = await asyncio.wait_for(opening, CONNECT_TIMEOUT_S)
    try:
        target = parts.path or "/"
        query = f"?{parts.query}" if parts.query else ""
        others = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        if others.count("\n") != len(headers):
            raise ValueError("a header of several lines")
        head = (f"POST {target}{query} HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                f"{others}Connection: close\r\n\r\n")
        writer.write(head.encode("ascii") + body)

        async def talk() -> tuple[int, bytes]:
            await writer.drain()
            return await _answer(reader, answer_bytes_max)

        return await asyncio.wait_for(talk(), timeout_s)
    finally:
        writer.close()
