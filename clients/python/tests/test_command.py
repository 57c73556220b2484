"""The command line, against a small server that answers from a list."""

import base64
import contextlib
import http.server
import io
import json
import pathlib
import tempfile
import threading
import unittest

import sluice_client
from sluice import wire

VECTORS = pathlib.Path(__file__).resolve().parents[3] / "chain" / "types" / "tests" / "vectors"
TEXTS = json.loads((VECTORS / "vectors.json").read_text())
RECEIPT = bytes.fromhex(TEXTS["receipt"])
WINDOW_PROOF = bytes.fromhex(TEXTS["record_proof"])
ORDER = "019b76da-ac0d-7021-8000-002565768798"


@contextlib.contextmanager
def serving(answers):
    """A server that gives these answers in turn; yields its URL and the requests it got."""
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            requests.append(json.loads(body))
            answer = answers[len(requests) - 1]
            answer = answer(requests[-1]) if callable(answer) else answer
            whole = {"jsonrpc": "2.0", "id": requests[-1]["id"], **answer}
            answer = json.dumps(whole).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def report(code, name, not_applied=()):
    """A node's answer to a batch whose items all have one outcome."""
    def answer(request):
        batch = base64.b64decode(request["params"]["bytes_base64"], validate=True)
        count = int.from_bytes(batch[40:44], "little")
        others = [{"item_index": at, "code": code, "name": name} for at in not_applied]
        outcomes = {"item_count": count, "not_applied": others,
                    "counts": [{"code": code, "name": name, "item_count": count}]}
        return {"result": {"batch_id": wire.batch_id(batch[:84]).hex(), "state": "final",
                           "height": 7, "outcomes": outcomes}}
    return answer


def run(*arguments):
    """Runs one command; gives its exit code and its answer."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        code = sluice_client.main([str(argument) for argument in arguments])
    return code, json.loads(output.getvalue())


def receipt_of(text):
    """A node's answer with a receipt."""
    return {"result": {"order_id": ORDER, "receipt_base64": text, "proves_collection": True,
                       "proves_arrival": True, "return_count": 0}}


class Talk(unittest.TestCase):
    """What is asked, and what is made of the answers."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.network = pathlib.Path(folder.name)
        (self.network / "genesis.toml").write_bytes((VECTORS / "genesis.toml").read_bytes())
        home = self.network / "participants" / "recharge-101"
        home.mkdir(parents=True)
        (home / "participant.toml").write_text(
            'id = 101\nname = "recharge-101"\nkey = "participant.key"\nrpc = []\n')
        (home / "participant.key").write_text("65" * 32 + "\n")

    def submit(self, url):
        return run("submit", "--network", self.network, "--participant", "recharge-101", "--rpc",
                   url, "--merchant", 1001, "--gateway", 201, "--amount-minor", 1234,
                   "--currency", "CNY", "--count", 2)

    def test_a_submission_is_a_signed_batch_in_one_string(self):
        with serving([report(0, "applied")]) as (url, requests):
            code, answer = self.submit(url)
        self.assertEqual((code, len(answer["orders"])), (0, 2))
        self.assertEqual(requests[0]["method"], "batch_submit")
        self.assertEqual(requests[0]["params"]["wait"], "final")
        batch = base64.b64decode(requests[0]["params"]["bytes_base64"], validate=True)
        self.assertEqual(len(batch), 148 + 2 * 128)
        key = wire.public_key_of(bytes([101] * 32))
        identity = wire.batch_id(batch[:84])
        self.assertTrue(wire.signature_holds(key, identity, batch[84:148]))

    def test_applied_repeated_and_held_items_are_no_refusal(self):
        for code in (1, 2, 10, 13, 20, 21):
            with serving([report(code, "", (0, 1) if code in (1, 2) else ())]) as (url, _):
                self.assertEqual(self.submit(url)[0], 0, code)

    def test_a_refused_item_is_not_success(self):
        with serving([report(210, "merchant-unknown", (0, 1))]) as (url, _):
            self.assertEqual(self.submit(url)[0], 1)

    def test_a_refused_batch_says_why(self):
        error = {"code": 110, "message": "submitter-suspended"}
        with serving([{"error": error}]) as (url, _):
            self.assertEqual(self.submit(url), (1, {"refused": error}))

    def test_no_node_is_a_code_of_its_own(self):
        with serving([]) as (url, _):
            pass
        code, answer = run("order", "--rpc", url, ORDER)
        self.assertEqual(code, 4)
        self.assertIn(url, answer["unreachable"])

    def test_the_next_node_is_asked_when_one_is_away(self):
        with serving([]) as (away, _):
            pass
        searched = {"from_height": 1, "to_height": 9, "to_time_ms": 5, "may_still_commit": False,
                    "may_commit_until_ms": 4}
        order = {"order_id": ORDER, "status": "arrived", "stages": {}, "searched": searched}
        with serving([{"result": order}]) as (url, _):
            answer = run("order", "--rpc", away, "--rpc", url, ORDER)
        self.assertEqual(answer, (0, {**order, "fate": "settled"}))

    def test_a_receipt_is_fetched_and_verified(self):
        text = base64.b64encode(RECEIPT).decode()
        file = self.network / "receipt"
        with serving([receipt_of(text)]) as (url, requests):
            self.assertEqual(run("receipt", "--rpc", url, ORDER, file)[0], 0)
        self.assertEqual(requests[0]["params"], {"order_id": ORDER})
        code, answer = run("verify", file, self.network / "genesis.toml")
        self.assertEqual((code, answer["valid"], answer["order_id"]), (0, True, ORDER))
        file.write_bytes(RECEIPT[:-1] + bytes([RECEIPT[-1] ^ 1]))
        code, answer = run("verify", file, self.network / "genesis.toml")
        self.assertEqual((code, answer["valid"]), (1, False))

    def test_a_lineage_is_fetched_page_by_page_and_verifies_a_receipt_without_one(self):
        nothing, lineage = bytes(8), bytes.fromhex(TEXTS["lineage"])
        bare = bytes.fromhex(TEXTS["receipt_long"])[: -len(lineage)] + nothing
        handover = base64.b64encode(lineage[len(nothing):]).decode()
        pages = [{"items": [{"height": 50, "handover_base64": handover}], "next": "50"},
                 {"items": []}]
        kept, file = self.network / "lineage", self.network / "receipt"
        with serving([{"result": page} for page in pages]) as (url, requests):
            self.assertEqual(run("lineage", "--rpc", url, kept)[0], 0)
        self.assertEqual([each["params"] for each in requests], [{}, {"cursor": "50"}])
        with serving([receipt_of(base64.b64encode(bare).decode())]) as (url, requests):
            self.assertEqual(run("receipt", "--rpc", url, "--lineage-apart", ORDER, file)[0], 0)
        self.assertEqual(requests[0]["params"], {"order_id": ORDER, "lineage_apart": True})
        genesis = self.network / "genesis.toml"
        self.assertEqual(run("verify", file, genesis)[0], 1)
        self.assertEqual(run("verify", file, genesis, "--lineage", kept)[0], 0)

    def test_a_windows_proof_is_fetched_and_verified(self):
        text = base64.b64encode(WINDOW_PROOF).decode()
        file = self.network / "window"
        proof = {"proof_base64": text, "window": 2, "height": 21, "block_hash": "00" * 32,
                 "records_root": "00" * 32, "time_ms": 5}
        with serving([{"result": proof}]) as (url, requests):
            self.assertEqual(run("window", "--rpc", url, 2, file)[0], 0)
        self.assertEqual(requests[0]["method"], "settlement_window_proof")
        self.assertEqual(requests[0]["params"], {"window": 2})
        code, answer = run("verify", file, self.network / "genesis.toml")
        self.assertEqual((code, answer["valid"], answer["window"]), (0, True, 2))
        file.write_bytes(WINDOW_PROOF[:-1] + bytes([WINDOW_PROOF[-1] ^ 1]))
        code, answer = run("verify", file, self.network / "genesis.toml")
        self.assertEqual((code, answer["valid"]), (1, False))


if __name__ == "__main__":
    unittest.main()
