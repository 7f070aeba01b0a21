"""The HTTP door: a lean HTTP/1.1 server, a thread per connection, one send per answer.

Only what clients of Apple use is understood: a request line, headers, a body of known length.
"""

import logging
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any
from urllib.parse import unquote

from vpp_accounts.apple.fake.fake import FakeApple
from vpp_accounts.apple.fake.wire import Answer, Query, Request

MOST_HEADER_BYTES = 64 * 1024
MOST_BODY_BYTES = 16 * 1024 * 1024
IDLE_SECONDS = 120
TICK_SECONDS = 0.02

logger = logging.getLogger(__name__)

_REASONS = {status.value: status.phrase for status in HTTPStatus}


class BadRequest(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    # Connections end when their clients do; closing does not wait for them.
    block_on_close = False
    request_queue_size = 128

    def __init__(self, apple: FakeApple, host: str, port: int) -> None:
        self.apple = apple
        self.stopping = threading.Event()
        super().__init__((host, port), Connection)

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def serve_forever(self, poll_interval: float = 0.1) -> None:
        """Answer requests, and let happen what falls due between them."""
        self.apple.has_ticker = True
        ticker = threading.Thread(target=self._tick, daemon=True)
        ticker.start()
        try:
            super().serve_forever(poll_interval)
        finally:
            self.stopping.set()
            self.apple.has_ticker = False

    def _tick(self) -> None:
        while not self.stopping.wait(TICK_SECONDS):
            try:
                self.apple.run_due()
            except Exception:
                logger.exception("Something that was due failed")

    def shutdown(self) -> None:
        self.stopping.set()
        super().shutdown()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no event; a fault in the fake itself is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Connection(BaseRequestHandler):
    server: Server
    request: socket.socket

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.request.settimeout(IDLE_SECONDS)
        self._unread = bytearray()

    def handle(self) -> None:
        with suppress(TimeoutError):
            while (head := self._head()) is not None:
                try:
                    request, stays = self._read(head)
                except BadRequest as bad:
                    self._send(Answer.json({"errorMessage": str(bad)}, bad.status), stays=False)
                    return
                answer = self.server.apple.respond(request)
                if request.method == "HEAD":
                    answer.body = b""
                if not self._play(answer, stays=stays):
                    return

    def _head(self) -> bytes | None:
        """Everything up to the blank line; None when the client has gone."""
        while (end := self._unread.find(b"\r\n\r\n")) < 0:
            received = self.request.recv(65536)
            if not received or len(self._unread) > MOST_HEADER_BYTES:
                return None
            self._unread += received
        head = bytes(self._unread[:end])
        del self._unread[: end + 4]
        return head

    def _read(self, head: bytes) -> tuple[Request, bool]:
        first, _, rest = head.decode("latin-1").partition("\r\n")
        words = first.split(" ")
        if len(words) != 3:
            raise BadRequest(400, "This is no HTTP request.")
        method, target, protocol = words
        headers = _headers(rest)
        path, _, query = target.partition("?")
        base_url = f"http://{headers.get('host', 'localhost')}"
        body = self._body(headers)
        stays = protocol == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
        path = unquote(path) if "%" in path else path
        return Request(method, path, Query(query), headers, body, base_url), stays

    def _body(self, headers: dict[str, str]) -> bytes:
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not length.isdigit():
            raise BadRequest(411, "The length of the body has to be announced.")
        size = int(length)
        if size > MOST_BODY_BYTES:
            raise BadRequest(413, "The body is too long.")
        if headers.get("expect", "").lower() == "100-continue":
            self.request.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(self._unread) < size:
            received = self.request.recv(65536)
            if not received:
                raise BadRequest(400, "The body is shorter than announced.")
            self._unread += received
        body = bytes(self._unread[:size])
        del self._unread[:size]
        return body

    def _play(self, answer: Answer, *, stays: bool) -> bool:
        """Send the answer with its accidents; False when the connection is over."""
        if answer.refused:
            self._reset()
            return False
        if answer.slow_seconds or answer.cut:
            half = len(answer.body) // 2
            self.request.sendall(_head_of(answer, stays=stays) + answer.body[:half])
            if answer.cut or self.server.stopping.wait(answer.slow_seconds):
                return False
            self.request.sendall(answer.body[half:])
        else:
            self._send(answer, stays=stays)
        return stays

    def _send(self, answer: Answer, *, stays: bool) -> None:
        self.request.sendall(_head_of(answer, stays=stays) + answer.body)

    def _reset(self) -> None:
        """End the connection as a dead server does, so that the client sees an error, not an end."""
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.request.close()


def _headers(text: str) -> dict[str, str]:
    headers = {}
    for line in text.split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return headers


def _head_of(answer: Answer, *, stays: bool) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Unknown')}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.body)}",
        *(f"{name}: {value}" for name, value in answer.headers.items()),
        "" if stays else "Connection: close\r\n",
        "",
    ]
    return "\r\n".join(lines).encode("latin-1", "replace")


@contextmanager
def serving(apple: FakeApple, host: str = "127.0.0.1", port: int = 0) -> Iterator[Server]:
    """A server in a thread of its own, for as long as the block lasts; port 0 takes any free one."""
    with Server(apple, host, port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
