"""Apple's notifications in tests: the fake posts them into the product's own URL."""

import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from licensing.tasks import handle_notifications
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.apple.fake.client_config import NOTIFICATION_TYPES
from vpp_accounts.apple.fake.state import Subscription
from vpp_accounts.models import VppAccount

SECRET = "what Apple was told"


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def address_of(account: VppAccount) -> str:
    return reverse("vpp_accounts:receive_notification", args=[account.uuid])


def envelope(account: VppAccount, **changes: Any) -> dict[str, Any]:
    told = {
        "notificationId": "n-1",
        "notificationType": "TEST_NOTIFICATION",
        "notification": {},
        "uId": account.uid,
    }
    return told | changes


def post(account: VppAccount, content: Any, *, secret: str = SECRET, **more: Any) -> HttpResponse:
    headers = {"Authorization": f"Bearer {secret}"}
    return Client().post(
        address_of(account), content, content_type="application/json", headers=headers, **more
    )


@dataclass
class Posted:
    """One notification on its way; `arrive` may be called again, later, or never."""

    path: str
    headers: dict[str, str]
    body: bytes

    def arrive(self) -> int:
        sent = {"Authorization": self.headers["Authorization"]}
        kind = self.headers["Content-Type"]
        return Client().post(self.path, self.body, content_type=kind, headers=sent).status_code


class Mailbox(list[Posted]):
    """Holds what the fake sends, so that a test decides what arrives, when and how often."""

    def __call__(self, url: str, headers: dict[str, str], body: bytes) -> int:
        self.append(Posted(urlsplit(url).path, headers, body))
        return 200


def deliver(url: str, headers: dict[str, str], body: bytes) -> int:
    return Posted(urlsplit(url).path, headers, body).arrive()


def subscribe(fake: FakeApple, account: VppAccount) -> None:
    """As after a successful POST client/config; what the fake tells arrives at once."""
    account.notification_secret_hash = hash_of(SECRET)
    account.save(update_fields=["notification_secret_hash"])
    location = fake.location(account.uid)
    url = f"http://testserver{address_of(account)}"
    fake.configure(location, location.mdm_info, Subscription(url, SECRET, list(NOTIFICATION_TYPES)))
    fake.deliver = deliver


def told(fake: FakeApple, account: VppAccount) -> None:
    """Apple's work runs, what it tells arrives, and a worker handles it."""
    fake.advance(600)
    handle_notifications(account_id=account.pk)
    account.refresh_from_db()
