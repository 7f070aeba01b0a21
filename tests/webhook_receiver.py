"""A real receiver of webhooks over HTTP, which keeps what it is sent.

What a test wants it to answer it sets: `status`, `statuses` (one after the other, before it), `body`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Message:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def told(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass
class Receiver:
    port: int = 0
    status: int = 200
    statuses: list[int] = field(default_factory=list)
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    waits: float = 0  # seconds, before it answers
    messages: list[Message] = field(default_factory=list)
    busy: int = 0  # requests at this moment
    busiest: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    @property
    def told(self) -> list[dict[str, Any]]:
        return [message.told for message in self.messages]

    def take(self, message: Message) -> int:
        with self.lock:
            self.messages.append(message)
            self.busy += 1
            self.busiest = max(self.busiest, self.busy)
            return self.statuses.pop(0) if self.statuses else self.status

    def leave(self) -> None:
        with self.lock:
            self.busy -= 1


class Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status = self.receiver.take(Message(self.path, headers, body))
        time.sleep(self.receiver.waits)
        self.receiver.leave()
        self.send_response(status)
        for name, value in self.receiver.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.receiver.body)))
        self.end_headers()
        self.wfile.write(self.receiver.body)

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    handler = type("Handler", (Handler,), {"receiver": receiver})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    receiver.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
