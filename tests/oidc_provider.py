"""A small real OpenID provider over HTTP: discovery, authorize, token, userinfo and keys.

Its person is always signed in. What a test wants to be wrong it sets: `claims` go over what is told,
`sign_with` is another key, `answers` replaces whole answers by path.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

SECRET = "a client secret of the provider"


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


KEY, OTHER_KEY = new_key(), new_key()


@dataclass
class OidcProvider:
    issuer: str
    client_id: str = "vpp-dashboard"
    client_secret: str = SECRET
    subject: str = "248289761001"
    email: str = "owner@example.org"
    is_verified: object = True
    claims: dict[str, Any] = field(default_factory=dict)  # of the ID token, over all others
    without: set[str] = field(default_factory=set)
    sign_with: Any = KEY
    algorithm: str = "RS256"
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    # --- What it answers ---

    def configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def keys(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
        return {"keys": [public | {"kid": "1", "use": "sig", "alg": "RS256"}]}

    def sign_in(self, asked: dict[str, str]) -> str:
        """What its sign-in page answers the browser: the way back, with a code."""
        code = uuid.uuid4().hex
        self.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        return f"{asked['redirect_uri']}?{back}"

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(form.get("code", ""), None)
        if form.get("client_secret") != self.client_secret:
            return 401, {"error": "invalid_client"}
        if asked is None or asked["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return 400, {"error": "invalid_grant", "error_description": "PKCE"}
        return 200, {
            "access_token": "an access token",
            "token_type": "Bearer",
            "id_token": self.id_token(asked),
        }

    def id_token(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        told = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": self.client_id,
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            "nonce": asked.get("nonce"),
            "email": self.email,
            "email_verified": self.is_verified,
        } | self.claims
        told = {name: value for name, value in told.items() if name not in self.without}
        return jwt.encode(told, self.sign_with, algorithm=self.algorithm, headers={"kid": "1"})

    def userinfo(self) -> dict[str, Any]:
        return {"sub": self.subject, "email": self.email, "email_verified": self.is_verified}


class Handler(BaseHTTPRequestHandler):
    provider: OidcProvider

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        self.answer(place.path, dict(parse_qsl(place.query)))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(urlsplit(self.path).path, dict(parse_qsl(body.decode())))

    def answer(self, path: str, asked: dict[str, str]) -> None:
        provider = self.provider
        provider.asked.append((path, asked))
        if path in provider.answers:
            status, body = provider.answers[path]
            return self.send(status, body)
        if path == "/authorize":
            return self.send(302, b"", Location=provider.sign_in(asked))
        if path == "/token":
            status, told = provider.token(asked)
            return self.send(status, json.dumps(told).encode())
        known = {
            "/.well-known/openid-configuration": provider.configuration,
            "/keys": provider.keys,
            "/userinfo": provider.userinfo,
        }
        if path not in known:
            return self.send(404, b"{}")
        return self.send(200, json.dumps(known[path]()).encode())

    def send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        headers = {"Content-Type": "application/json", **headers}
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def running() -> Iterator[OidcProvider]:
    handler = type("Ours", (Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.provider = OidcProvider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield handler.provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
