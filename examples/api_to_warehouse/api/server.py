"""A small shop to try the pipeline with: an HTTP API with pages, a token and a limit. Needs Python and nothing else.

    python3 server.py [--host 127.0.0.1] [--port 8070] [--token let-me-in]

GET /v1/orders?from=TIME&to=TIME[&page=N] answers {"orders": […], "next": "…"}, ten a page; the last page has no "next".
There is an order every 53 minutes since 2020; the same question always has the same answer. The first question after the
start is told to come back in a second.
"""

import argparse
import json
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

FIRST = datetime(2020, 1, 1, tzinfo=timezone.utc)
EVERY = timedelta(minutes=53)
PAGE = 10
MOST = 10_000
CUSTOMERS = ["ann", "bob", "cleo", "dan"]


def order(number):
    return {
        "order_id": number,
        "ordered_at": (FIRST + number * EVERY).isoformat(),
        "customer": CUSTOMERS[number % len(CUSTOMERS)],
        "amount": f"{number * 7919 % 50_000 / 100:.2f}",
    }


def moment(text):
    read = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    return read if read.tzinfo else read.replace(tzinfo=timezone.utc)


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    token = ""
    is_busy = True

    def do_GET(self):
        address = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        if self.headers.get("Authorization") != f"Bearer {Shop.token}":
            return self.answer(401, {"error": "the token is wrong, or there is none"})
        if address.path == "/v1":
            return self.answer(200, {"shop": "open"})
        if address.path != "/v1/orders":
            return self.answer(404, {"error": "there is only /v1/orders"})
        if Shop.is_busy:
            Shop.is_busy = False
            return self.answer(429, {"error": "too many questions"}, {"Retry-After": "1"})
        try:
            start, end, page = moment(asked["from"]), moment(asked["to"]), int(asked.get("page", 1))
        except (KeyError, ValueError) as error:
            return self.answer(400, {"error": f"`from`, `to` or `page` is wrong: {error}"})
        first = max(0, -((FIRST - start) // EVERY))
        last = max(first, -((FIRST - end) // EVERY))
        numbers = range(first, min(last, first + MOST))
        found = {"orders": [order(number) for number in numbers[(page - 1) * PAGE : page * PAGE]]}
        if page * PAGE < len(numbers):
            found["next"] = "/v1/orders?" + urlencode({**asked, "page": page + 1})
        return self.answer(200, found)

    def answer(self, status, content, headers=None):
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": len(body), **(headers or {})}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8070)
    parser.add_argument("--token", default="let-me-in")
    given = parser.parse_args()
    Shop.token = given.token
    server = ThreadingHTTPServer((given.host, given.port), Shop)
    print(f"http://{server.server_address[0]}:{server.server_address[1]}", flush=True)
    server.serve_forever()
