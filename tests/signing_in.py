"""Signing in as people do, for tests: pages, codes, passkeys."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time

from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.http import HttpResponse
from django.test import Client
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
)

from organizations.models import Admin, AuditEvent

PASSWORD = "a long enough password"
NEW_PASSWORD = "quite another long one"
LOGIN = "/accounts/login/"
SECOND_STEP = "/accounts/2fa/authenticate/"
REAUTHENTICATE = "/accounts/reauthenticate/"
ADD_PASSKEY = "/accounts/2fa/passkeys/add/"
PASSKEY_LOGIN = "/accounts/2fa/passkeys/login/"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def sign_in(
    client: Client, email: str, password: str = PASSWORD, *, at: str = "127.0.0.1", **told: str
) -> HttpResponse:
    return client.post(LOGIN, {"login": email, "password": password, **told}, REMOTE_ADDR=at)


def fail(
    email: str, times: int = 1, *, at: str = "127.0.0.1", client: Client | None = None
) -> None:
    for _ in range(times):
        sign_in(client or Client(), email, "wrong", at=at)


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def with_app(admin: Admin) -> Authenticator:
    """An authenticator app with a known secret, and recovery codes."""
    RecoveryCodes.activate(admin)
    return totp.TOTP.activate(admin, SECRET).instance


def code(steps: int = 0) -> str:
    """What the app shows now, or so many half minutes later."""
    counter = int(time.time()) // 30 + steps
    return totp.format_hotp_value(totp.hotp_value(SECRET, counter))


def recovery_codes(admin: Admin) -> list[str]:
    kind = Authenticator.Type.RECOVERY_CODES
    return Authenticator.objects.get(user=admin, type=kind).wrap().get_unused_codes()


def made_old(client: Client, seconds: int = 3600) -> None:
    """The client's sign-in was so long ago."""
    session = client.session
    session["signed_in_at"] -= seconds
    session.save()


def events(prefix: str = "admin.") -> list[tuple[str, str]]:
    """What was recorded, and in which organization."""
    found = AuditEvent.objects.filter(action__startswith=prefix).order_by("pk")
    return [
        (event.organization.name, event.action) for event in found.select_related("organization")
    ]


def minutes_told(text: str) -> int | None:
    found = re.search(r"Wait (?:(\d+) minutes|a minute)", text)
    return int(found[1] or 1) if found else None


class SoftPasskey:
    """A passkey that the tests hold themselves; it answers as browsers do."""

    def __init__(self, *, verifies: bool = True) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(16)
        self.flags = AuthenticatorData.FLAG.UP
        if verifies:  # a finger, a face, a PIN
            self.flags |= AuthenticatorData.FLAG.UV

    def create(self, options: dict) -> str:
        public = AttestedCredentialData.create(
            Aaguid.NONE, self.id, ES256.from_cryptography_key(self.key.public_key())
        )
        data = AuthenticatorData.create(
            sha256(options["publicKey"]["rp"]["id"].encode()),
            self.flags | AuthenticatorData.FLAG.AT,
            0,
            public,
        )
        response = {
            "clientDataJSON": self._client_data("webauthn.create", options),
            "attestationObject": AttestationObject.create("none", data, {}),
        }
        return self._answer(response)

    def get(self, options: dict, admin: Admin | None = None) -> str:
        rp_id = options["publicKey"]["rpId"]
        data = AuthenticatorData.create(sha256(rp_id.encode()), self.flags, 1)
        client_data = self._client_data("webauthn.get", options)
        response = {
            "clientDataJSON": client_data,
            "authenticatorData": data,
            "signature": self.key.sign(data + sha256(client_data), ec.ECDSA(hashes.SHA256())),
        }
        if admin:
            response["userHandle"] = user_pk_to_url_str(admin).encode()
        return self._answer(response)

    def _client_data(self, kind: str, options: dict) -> bytes:
        told = {"type": kind, "challenge": options["publicKey"]["challenge"]}
        return json.dumps(told | {"origin": "http://testserver"}).encode()

    def _answer(self, response: dict[str, bytes]) -> str:
        place = websafe_encode(self.id)
        told = {name: websafe_encode(value) for name, value in response.items()}
        return json.dumps(
            {"id": place, "rawId": place, "type": "public-key", "response": told}
            | {"clientExtensionResults": {}}
        )


def options_in(page: HttpResponse) -> dict:
    block = re.search(r'id="passkey-options"[^>]*>(.*?)</script>', page.content.decode(), re.DOTALL)
    assert block
    told = json.loads(block[1])
    return told.get("creation_options") or told["request_options"]


def with_passkey(admin: Admin, *, verifies: bool = True) -> SoftPasskey:
    """Added by the admin on the page for it."""
    client, passkey = Client(), SoftPasskey(verifies=verifies)
    client.force_login(admin)
    options = options_in(client.get(ADD_PASSKEY))
    told = {"credential": passkey.create(options), "name": "Laptop"}
    answer = client.post(ADD_PASSKEY, told)
    assert answer.status_code == 302
    return passkey


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
