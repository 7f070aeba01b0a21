"""What the server tells: each event once, in its own thread, after the device was answered."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import secrets
import threading
from collections.abc import Mapping
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from django.utils import timezone


class Webhook:
    """Fire and forget (6). `hold` collects instead, and `release` lets all go at once, shuffled (7)."""

    def __init__(self, url: str = "", key: str = "", *, seed: int = 1) -> None:
        self.url, self.key = url, key
        self.sent: list[tuple[str, int]] = []  # topic, HTTP status; 0 where nobody answered
        self.bodies: list[bytes] = []
        self._held: list[bytes] | None = None
        self._threads: list[threading.Thread] = []
        self._random = random.Random(seed)

    def tell(self, topic: str, event: Mapping[str, Any], *, is_answer: bool) -> None:
        told = {
            "topic": topic,
            "event_id": secrets.token_hex(8),
            "created_at": timezone.now().strftime("%Y-%m-%dT%H:%M:%S.%f123Z"),  # nanoseconds
            ("acknowledge_event" if is_answer else "checkin_event"): dict(event),
        }
        body = json.dumps(told).encode()
        self.bodies.append(body)
        if self._held is not None:
            self._held.append(body)
        else:
            self._start(body)

    def hold(self) -> None:
        self._held = []

    def release(self) -> None:
        held, self._held = self._held or [], None
        self._random.shuffle(held)
        for body in held:
            self._start(body)

    def join(self) -> None:
        while self._threads:
            self._threads.pop().join()

    def signature(self, body: bytes) -> str:
        digest = hmac.new(self.key.encode(), body, hashlib.sha256).digest()
        return base64.b64encode(digest).decode()

    def _start(self, body: bytes) -> None:
        if self.url:
            thread = threading.Thread(target=self._post, args=(body,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _post(self, body: bytes) -> None:
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if self.key:
            headers["X-Hmac-Signature"] = self.signature(body)
        status = 0
        try:
            with urlopen(Request(self.url, body, headers), timeout=20) as answer:
                status = answer.status
        except URLError as error:
            status = getattr(error, "code", 0)
        self.sent.append((json.loads(body)["topic"], status))
