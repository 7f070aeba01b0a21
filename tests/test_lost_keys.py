"""A lost encryption key: said at the start with what it costs; no page and no worker breaks on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import structlog
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import encrypt
from cryptography.fernet import Fernet
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from licensing.models import Batch
from organizations.models import IdentityProvider
from tests.api.conftest import client_of
from tests.conftest import signed_in
from tests.draining import begin, drain, synced, turn
from tests.factories import VppAccountFactory
from tests.reading import text_of
from tests.sweep.addresses import addresses
from tests.sweep.tenant import OURS, PASSWORD, Tenant
from tests.sweep.world import fill
from tests.test_sync import KEYNOTE, run_sync
from vpp_accounts import lost_keys
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
SENTENCE = "The stored token cannot be decrypted: a key of FIELD_ENCRYPTION_KEYS is missing."


@pytest.fixture
def keys(settings) -> Callable[..., None]:
    def use(*texts: str) -> None:
        settings.FIELD_ENCRYPTION_KEYS = list(texts)

    use(OLD)
    return use


# --- At the start ---------------------------------------------------------------------------------


def said() -> list[dict[str, object]]:
    with structlog.testing.capture_logs() as logs:
        lost_keys.say()
    return [{name: log[name] for name in ("event", "accounts") if name in log} for log in logs]


def test_a_lost_key_is_said_at_the_start_with_its_accounts(db, keys) -> None:
    VppAccountFactory(name="South")
    silent = said()
    keys(NEW)
    lost = VppAccount.objects.get()
    VppAccountFactory(name="North")

    told = said()

    assert (silent, told) == (
        [],
        [{"event": "encryption.key_missing", "accounts": [f"{lost.pk} South"]}],
    )


def test_looking_ends_in_time_however_many_accounts_there_are(db, keys) -> None:
    VppAccountFactory.create_batch(3)
    keys(NEW)

    looked = lost_keys.look(seconds=-1)

    assert (looked.lost, looked.is_all) == ([], False)


def test_keys_that_are_none_do_not_stop_the_start(db, keys) -> None:
    VppAccountFactory()
    keys("no key at all")

    told = said()

    assert told == [{"event": "encryption.not_checked"}]


def test_a_database_that_is_away_does_not_stop_the_start(monkeypatch) -> None:
    monkeypatch.setattr(lost_keys, "look", unreachable)

    told = said()

    assert told == [{"event": "encryption.not_checked"}]


def unreachable() -> None:
    raise OperationalError("no route to host")


# --- While it is lost -------------------------------------------------------------------------------


@pytest.fixture
def world(db: None, fake: FakeApple, keys: Callable[..., None]) -> Tenant:
    """An organization with everything that is encrypted, and none of it opens."""
    tenant = fill(fake, OURS, 1)
    admin = tenant.admins["full"]
    Authenticator.objects.create(user=admin, type="totp", data={"secret": encrypt("SECRET")})
    Authenticator.objects.create(
        user=admin, type="recovery_codes", data={"seed": encrypt("ab12"), "used_mask": 0}
    )
    for provider in IdentityProvider.objects.filter(organization=tenant.organization):
        provider.client_secret = "secret"
        provider.save()
    keys(NEW)
    return tenant


METHODS = ("GET", "POST")


def test_no_page_and_no_endpoint_breaks(world: Tenant) -> None:
    """As a full admin, with forms that say nothing: refused is fine, broken is not."""
    browser, program = signed_in(world.admins["full"]), client_of(world.admins["full"])
    broken = []

    for address in addresses():
        if "(?" in address.pattern or set(address.arguments) - set(world.rows):
            continue
        url = address.url(world.rows)
        for method in address.methods or METHODS:
            asked = knock(program if address.is_rest else browser, method, url)
            broken += [f"{method} {url}"] if asked == 500 else []

    assert broken == []


def knock(client: Client, method: str, url: str) -> int:
    client.raise_request_exception = False
    if url.startswith("/api/v1"):
        url = url.removeprefix("/api/v1")
    if url == reverse("account_logout") and method == "POST":
        return 0
    status: int = client.generic(method, url, "", "application/x-www-form-urlencoded").status_code
    return status


@pytest.mark.parametrize("code", ["123456", "0000 0000"])
def test_signing_in_says_that_the_second_factor_cannot_be_read(world: Tenant, code: str) -> None:
    browser, admin = Client(), world.admins["full"]
    browser.post(reverse("account_login"), {"login": admin.email, "password": PASSWORD})

    answer = browser.post(reverse("mfa_authenticate"), {"code": code})

    assert "this server has lost an encryption key" in text_of(answer)


def test_the_account_says_it_and_its_sync_goes_on_once_the_key_is_back(
    fake: FakeApple, account: VppAccount, owner_client: Client, keys: Callable[..., None]
) -> None:
    account.stoken = fake.location(account.uid).issue_token()
    account.save()
    keys(NEW)

    run_sync(account)
    page = text_of(owner_client.get(reverse("licensing:mdm", args=[account.organization_id])))
    keys(NEW, OLD)
    run_sync(account)

    account.refresh_from_db()
    assert SENTENCE in page
    assert account.state == "in_sync"


def test_batches_wait_with_the_sentence_and_go_on(
    fake: FakeApple, account: VppAccount, keys: Callable[..., None]
) -> None:
    account.stoken = fake.location(account.uid).issue_token()
    account.save()
    fake.purchase(account.uid, KEYNOTE, quantity=1)
    batch = begin("grant", [synced(account)[KEYNOTE]], serials=["SERIAL1"])
    keys(NEW)

    turn(account)
    paused = Batch.objects.get(pk=batch.pk)
    keys(NEW, OLD)
    drain(account, fake)

    batch.refresh_from_db()
    assert (paused.state, paused.reason[: len(SENTENCE)]) == ("paused", SENTENCE)
    assert (batch.state, batch.succeeded) == ("finished", 1)
