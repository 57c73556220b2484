"""clients/hostile.json: every language makes the same of the same answers."""

import asyncio
import base64
import contextlib
import json
import pathlib
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sluice import CallError, Client, Genesis, verify

ROOT = pathlib.Path(__file__).resolve().parents[3]
VECTORS = ROOT / "chain" / "types" / "tests" / "vectors"
V = json.loads((VECTORS / "vectors.json").read_text())
GENESIS_TEXT = (VECTORS / "genesis.toml").read_text()
GENESIS = Genesis.parse(GENESIS_TEXT.encode())
TABLE = json.loads((ROOT / "clients" / "hostile.json").read_text())


def bytes_of(entry):
    """The bytes that an entry of the table describes."""
    parts = entry.get("splice", [[entry.get("vector"), 0, None]])
    text = "".join(part if isinstance(part, str) else bytes.fromhex(V[part[0]])[part[1]:part[2]].hex()
                   for part in parts)
    text = text[: 2 * entry.get("cut", len(text))]
    for old, new in entry.get("replace", []):
        assert text.count(old) == 1, f"{old} stands once"
        text = text.replace(old, new)
    return bytes.fromhex(text + entry.get("append", ""))


def genesis_of(changes):
    """The vectors' genesis file with texts replaced."""
    text = GENESIS_TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return Genesis.parse(text.encode())


def body_of(answer, identity):
    """The body that an answer of the table stands for."""
    if "body" in answer:
        return answer["body"].encode()
    if "body_hex" in answer:
        return bytes.fromhex(answer["body_hex"])
    if "body_repeated" in answer:
        return (answer["body_repeated"][0] * answer["body_repeated"][1]).encode()
    whole = {"jsonrpc": "2.0", "id": answer.get("id", identity)}
    if "error" in answer:
        return json.dumps({**whole, "error": answer["error"]}).encode()
    result = answer.get("result")
    if "receipt" in answer:
        text = base64.b64encode(bytes_of(answer["receipt"])).decode()
        result = {"order_id": TABLE["order_id"], "receipt_base64": text, "proves_arrival": True,
                  "proves_collection": True, "return_count": 0}
    padding = b" " * answer.get("padded_bytes", 0)
    return json.dumps({**whole, "result": result}).encode() + padding


@contextlib.contextmanager
def node(answer):
    """A node that gives one answer, always; yields its URL and the calls that it got."""
    calls = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            call = json.loads(self.rfile.read(int(self.headers["content-length"])))
            calls.append(call)
            body = body_of(answer, call["id"])
            cut = answer.get("cut")
            self.close_connection = True
            if cut == 0:
                return
            with contextlib.suppress(OSError):
                self.send_response(answer.get("status", 200))
                self.send_header("content-length", str(len(body)))
                for name, value in answer.get("headers", {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body[:cut])

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", calls
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def client(urls):
    """A client whose time passes by its pauses alone."""
    now_s = [0.0]

    async def sleep(seconds):
        now_s[0] += seconds

    return Client(urls, sleep=sleep, clock_s=lambda: now_s[0])


def judged(urls, entry):
    """The verdict of a client that asks these nodes."""
    asking = client(urls)
    identity = TABLE["order_id"]
    calls = {
        "submit": lambda: asking.submit(bytes.fromhex(V[TABLE["batch"]]), timeout_ms=2_000),
        "order": lambda: asking.order(identity, min_height=entry.get("min_height", 0)),
        "receipt": lambda: asking.verified_receipt(identity, GENESIS),
    }
    try:
        asyncio.run(calls[entry["call"]]())
    except CallError as error:
        return "refused" if error.is_refusal else "open"
    return "answered"


class Hostile(unittest.TestCase):
    """Forged proofs and answers of other forms, as the table lists them."""

    def test_proofs(self):
        self.assertGreater(len(TABLE["proofs"]), 15)
        for entry in TABLE["proofs"]:
            with self.subTest(entry["name"]):
                lineage = bytes_of(entry["lineage"]) if "lineage" in entry else None
                genesis = genesis_of(entry.get("genesis", []))
                verdict = verify(bytes_of(entry), genesis, lineage)
                found = "valid" if verdict.is_valid else "invalid"
                self.assertEqual(found, entry["verdict"], verdict.reason)

    def test_answers(self):
        self.assertGreater(len(TABLE["answers"]), 40)
        for entry in TABLE["answers"]:
            with (self.subTest(f"{entry['call']}: {entry['name']}"),
                  node(entry["response"]) as (hostile, calls),
                  node(TABLE["honest"][entry["call"]]) as (honest, others)):
                self.assertEqual(judged([hostile], entry), entry["alone"], "alone")
                self.assertEqual(judged([hostile, honest], entry), entry["after"], "after")
                # Whatever came back, the same bytes and ids went out, and no others.
                sent = {(call["method"], call["params"].get("bytes_base64"),
                         call["params"].get("order_id")) for call in calls + others}
                self.assertEqual(len(sent), 1)

    def test_a_node_that_is_away_is_passed_over(self):
        with node({"body": ""}) as (away, _):
            pass
        with node(TABLE["honest"]["submit"]) as (honest, _):
            self.assertEqual(judged([away], {"call": "submit"}), "open")
            self.assertEqual(judged([away, honest], {"call": "submit"}), "answered")


if __name__ == "__main__":
    unittest.main()
