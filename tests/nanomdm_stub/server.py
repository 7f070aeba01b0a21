"""The API of the stub, on a port of the loopback interface."""

from __future__ import annotations

import base64
import json
import threading
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from django.utils import timezone

from tests.nanomdm_stub.fleet import TOPIC, FakeDevice
from tests.nanomdm_stub.queues import CommandError, Storage, decoded
from tests.nanomdm_stub.webhook import Webhook

Answer = tuple[int, dict[str, Any]]
VERSION = "v0.9.1"


class NanoMdmStub:
    """`with NanoMdmStub() as server:`; what a test wants to be wrong it sets as an attribute."""

    def __init__(self, backend: str = "pgsql", *, user: str = "nanomdm", path: str = "/v1") -> None:
        self.storage = Storage(backend)
        self.webhook = Webhook()
        self.devices: dict[str, FakeDevice] = {}
        self.user, self.key, self.path = user, "api-key", path
        self.push_fails = False
        self.push_expires_at: datetime | None = timezone.now() + timedelta(days=200)
        self.longest_address = 60_000  # (13): 1 MiB there, and some 8 KiB at proxies before it
        self.loses_answers = 0  # so many answers are lost after the work is done
        self.fails_with: list[tuple[int, dict[str, str], bytes]] = []  # before any work is done
        self.requests: list[tuple[str, str]] = []  # method, path and query
        self._http = Http(self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self.webhook.join()
        self._http.shutdown()
        self._thread.join()
        self.close()

    def close(self) -> None:
        """Also of one that never served."""
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def device(self, number: int = 1, **options: Any) -> FakeDevice:
        known = {"udid": f"00008030-{number:016X}", "serial": f"DMQX{number:08d}"} | options
        return FakeDevice(self, **known)

    def deliver(self) -> None:
        """Every event that was told arrives."""
        self.webhook.join()

    # --- The API ----------------------------------------------------------------------------------

    def respond(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> Answer:
        act, _, rest = path.removeprefix(f"{self.path}/").partition("/")
        ids = unquote(rest).split(",")
        if method == "PUT" and act == "enqueue":
            return self._enqueue(ids, body, wakes="nopush" not in query)
        if method == "GET" and act == "push":
            return self._answered(self._push(ids), {})
        if method == "GET" and act == "pushcert":
            return self._push_certificate(query.get("topic", [""])[0])
        return 404, {}

    def _enqueue(self, ids: list[str], body: bytes, *, wakes: bool) -> Answer:
        try:
            command = decoded(body)
            told = {"command_uuid": command.uuid, "request_type": command.request_type}
            self.storage.enqueue(ids, command)
        except CommandError as error:
            return 500, {"command_error": str(error)}
        if not wakes:
            return 200, told | {"no_push": True}
        return self._answered(self._push(ids), told)

    def _answered(self, rows: dict[str, dict[str, str]], told: dict[str, Any]) -> Answer:
        """(1): 500 also where only every push failed."""
        failed = sum("push_error" in row for row in rows.values())
        status = 200 if not failed else 500 if failed == len(rows) else 207
        return status, told | {"status": rows}

    def _push(self, ids: list[str]) -> dict[str, dict[str, str]]:
        """(12): whoever is offline never hears of it."""
        rows: dict[str, dict[str, str]] = {}
        for pk in ids:
            known = self.storage.enrollments.get(pk)
            if self.push_fails or known is None or not known.push_token:
                rows[pk] = {"push_error": "push: no push info"}
                continue
            rows[pk] = {"push_result": "8B16D295-AB2C-EAB9-90FF-8615C0DFBB08"}
            device = self.devices.get(pk.partition(":")[0])
            if device and not device.is_offline:
                device.awake = True
        return rows

    def _push_certificate(self, topic: str) -> Answer:
        if topic != TOPIC or self.push_expires_at is None:
            return 500, {"error": "sql: no rows in result set"}
        return 200, {"topic": topic, "not_after": self.push_expires_at.isoformat()}

    def may_ask(self, header: str) -> bool:
        wanted = base64.b64encode(f"{self.user}:{self.key}".encode()).decode()
        return header == f"Basic {wanted}"


class Http(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, stub: NanoMdmStub) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.stub = stub


class Handler(BaseHTTPRequestHandler):
    server: Http
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.stub.requests.append((self.command, self.path))
        url = urlsplit(self.path)
        if self.server.stub.fails_with:
            self._send(*self.server.stub.fails_with.pop(0))
        elif len(self.path) > self.server.stub.longest_address:
            self._send(431, {}, b"431 Request Header Fields Too Large")
        elif url.path == "/version":
            self._send(200, {}, json.dumps({"version": VERSION}).encode())
        elif not self.server.stub.may_ask(self.headers.get("Authorization", "")):
            self._send(401, {"WWW-Authenticate": "Basic"}, b"401 Unauthorized")
        else:
            self._work(url.path, parse_qs(url.query, keep_blank_values=True), body)

    def _work(self, path: str, query: dict[str, list[str]], body: bytes) -> None:
        status, told = self.server.stub.respond(self.command, path, query, body)
        if self.server.stub.loses_answers:
            self.server.stub.loses_answers -= 1
            self.close_connection = True
            return
        self._send(status, {"Content-Type": "application/json"}, json.dumps(told).encode())

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = _serve  # noqa: N815

    def log_message(self, *args: object) -> None:
        pass
