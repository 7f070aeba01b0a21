"""Identifiers that look like Apple's and are the same on every run: all of them follow from a seed."""

import base64
import hashlib
import uuid
from collections import Counter

_SERIAL_SPACE = 1 << 55
# Odd, so that multiplying by it visits every serial number once before any comes again.
_SERIAL_STEP = 0x5DEECE66D1234F


class Ids:
    """Issues ids; `counts` is all it remembers, so saving that is enough to go on after a restart."""

    def __init__(self, seed: str) -> None:
        self.seed = seed
        # How often this Apple came back to an earlier state: what it issued after that state was
        # saved is known outside, and must not be issued again for something else.
        self.era = 0
        self.counts: Counter[str] = Counter()

    def uid(self) -> str:
        """A location's library id: 18 digits."""
        return str(10**17 + int.from_bytes(self._next("uid")[:8]) % (9 * 10**17))

    def uuid(self, kind: str) -> str:
        return str(uuid.UUID(bytes=self._next(kind)[:16]))

    def secret(self) -> str:
        """The opaque `token` inside a content token; itself Base64, as Apple's is."""
        return base64.b64encode(self._next("token")).decode()

    def invite_code(self) -> str:
        return self._next("invite")[:16].hex()

    def _next(self, kind: str) -> bytes:
        self.counts[kind] += 1
        era = (self.era,) if self.era else ()
        return digest(self.seed, kind, self.counts[kind], *era)


def digest(*parts: object) -> bytes:
    return hashlib.sha256("/".join(map(str, parts)).encode()).digest()


def version_id(scope: str, number: int) -> str:
    return str(uuid.UUID(bytes=digest(scope, number)[:16]))


def serial_number(uid: str, position: int) -> str:
    """The serial number of a location's n-th generated device: "F" and eleven base-32 digits."""
    scattered = (int(uid) + position * _SERIAL_STEP) % _SERIAL_SPACE
    return "F" + base64.b32encode((scattered << 1).to_bytes(7))[:11].decode()


def client_user_id(uid: str, position: int) -> str:
    return str(uuid.UUID(bytes=digest(uid, "user", position)[:16], version=4))


def id_hash(apple_account: str, org_name: str) -> str:
    """Base64 of 20 bytes, equal for the same Apple Account within one organization."""
    salted = f"{apple_account.lower()}/{org_name}".encode()
    return base64.b64encode(hashlib.sha1(salted, usedforsecurity=False).digest()).decode()
