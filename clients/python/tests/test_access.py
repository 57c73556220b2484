"""The token of a guarded node: docs/access.md."""

import asyncio
import json
import threading
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer

from sluice import Client
from sluice.wire import Invalid

TOKEN = f"sl1_{'0' * 16}_{'1' * 64}"


class Access(unittest.TestCase):
    def test_every_call_shows_the_token(self):
        seen = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                call = json.loads(self.rfile.read(int(self.headers["content-length"])))
                seen.append(self.headers.get("authorization"))
                result = "f5b37acbf0b92f57abc22b3b809665203765186295754f51b86ee631a90a7dc2"
                answer = {"jsonrpc": "2.0", "id": call["id"], "result": result}
                body = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/"
            for token in (TOKEN, None):
                asyncio.run(Client([url], token=token).call("chain_id"))
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
        self.assertEqual(seen, [f"Bearer {TOKEN}", None])

    def test_a_token_goes_over_no_network_in_plain_text(self):
        for url in ("http://10.0.0.1:1", "http://node.example", "http://127.0.0.1.example"):
            with self.assertRaisesRegex(Invalid, "use https"):
                Client([url], token=TOKEN)
            Client([url])
        for url in ("https://node.example", "http://localhost:1", "http://[::1]:1"):
            Client([url], token=TOKEN)


if __name__ == "__main__":
    unittest.main()
