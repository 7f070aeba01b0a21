"""/metrics: who reads it, and what it says of organizations, accounts, queues and calls to Apple."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from organizations.models import OutgoingMail
from tests import factories
from vpp_accounts import call_counts as counting
from vpp_accounts import connections
from vpp_accounts.apple.errors import Unavailable
from vpp_accounts.apple.fake import FakeApple, FakeAppleAdapter
from vpp_accounts.apple.types import Call
from vpp_accounts.call_counts import CallCounts
from vpp_accounts.models import Notification, SyncRun, VppAccount
from vpp_dashboard import __version__
from vpp_dashboard.metrics import broker as broker_metrics
from vpp_dashboard.metrics import collecting, database

TOKEN = {"Authorization": "Bearer read-the-metrics"}
NO_SERVER = "redis://127.0.0.1:1/0"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Shelf:
    """As much of Redis as counting needs."""

    def __init__(self) -> None:
        self.fields: dict[bytes, bytes] = {}
        self.asked = 0
        self.is_away = False

    def hincrby(self, key: str, field: str, amount: int) -> None:
        self.asked += 1
        if self.is_away:
            raise redis.ConnectionError("away")
        name = field.encode()
        self.fields[name] = str(int(self.fields.get(name, b"0")) + amount).encode()

    def hgetall(self, key: str) -> dict[bytes, bytes]:
        return self.fields


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    shelf = Shelf()
    counts = CallCounts(lambda: shelf)
    monkeypatch.setattr(broker_metrics, "call_counts", counts)
    monkeypatch.setattr(connections, "call_counts", counts)
    return shelf


@pytest.fixture
def _no_broker(settings: Any) -> None:
    settings.REDIS_URL = NO_SERVER


def scraped(client: Client) -> Samples:
    answer = client.get("/metrics", headers=TOKEN)
    assert answer.status_code == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def of(samples: Samples, name: str) -> dict[tuple[str, ...], float]:
    """The values of one metric, by the values of its labels in the order of their names."""
    return {
        tuple(value for _, value in labels): number
        for (found, labels), number in samples.items()
        if found == name
    }


# --- Who reads it ---------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.usefixtures("_no_broker", "shelf")
@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer wrong", "Basic read-the-metrics", "Bearer read-the-metricsX", "ü"],
)
def test_without_the_token_nothing_is_told(client: Client, header: str) -> None:
    answer = client.get("/metrics", headers={"Authorization": header})

    sentence = "Send the METRICS_TOKEN of this installation as “Authorization: Bearer <token>”.\n"
    assert (answer.status_code, answer.content.decode()) == (401, sentence)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="VPP Dashboard metrics"'


@pytest.mark.django_db
@pytest.mark.usefixtures("_no_broker", "shelf")
@pytest.mark.parametrize(("is_production", "status"), [(True, 404), (False, 200)])
def test_without_a_token_in_the_settings_production_has_no_metrics(
    client: Client, settings: Any, is_production: bool, status: int
) -> None:
    settings.METRICS_TOKEN, settings.PRODUCTION = "", is_production

    bare = client.get("/metrics").status_code
    empty = client.get("/metrics", headers={"Authorization": "Bearer "}).status_code

    assert (bare, empty) == (status, status)


@pytest.mark.django_db
@pytest.mark.usefixtures("_no_broker", "shelf")
@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        (
            "application/openmetrics-text;version=1.0.0",
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
        ),
    ],
)
def test_it_speaks_both_of_prometheuss_formats(client: Client, accept: str, kind: str) -> None:
    answer = client.get("/metrics", headers=TOKEN | {"Accept": accept})

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
    assert "private" in answer.headers["Cache-Control"]


# --- Accounts -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_no_broker", "shelf")
def test_accounts_tell_their_token_state_and_last_sync(client: Client, db: None) -> None:
    now = timezone.now()
    synced = factories.VppAccountFactory(
        token_expires_at=now + timedelta(days=10),
        state="expiring",
        last_synced_at=now - timedelta(hours=1),
    )
    fresh = factories.VppAccountFactory(
        token_expires_at=now - timedelta(days=2), state="expired", last_synced_at=None
    )
    VppAccount.objects.filter(pk=fresh.pk).update(created_at=now - timedelta(hours=3))

    samples = scraped(client)

    ids = [(str(each.pk), str(each.organization_id)) for each in (synced, fresh)]
    assert of(samples, "vpp_account_token_days_left") == pytest.approx(
        dict(zip(ids, (10, -2), strict=True)), abs=0.01
    )
    assert of(samples, "vpp_account_sync_age_seconds") == pytest.approx(
        dict(zip(ids, (3600, 3 * 3600), strict=True)), abs=60
    )
    assert of(samples, "vpp_account_state") == {
        (*ids[0], "expiring"): 1,
        (*ids[1], "expired"): 1,
    }


@pytest.mark.usefixtures("_no_broker", "shelf")
@pytest.mark.parametrize("closed", ["suspended_at", "deletion_asked_at"])
def test_nobody_is_woken_for_an_organization_that_is_closed(
    client: Client, db: None, closed: str
) -> None:
    account = factories.VppAccountFactory()
    setattr(account.organization, closed, timezone.now())
    account.organization.save()

    samples = scraped(client)

    assert of(samples, "vpp_account_state") == {}


@pytest.mark.usefixtures("_no_broker", "shelf")
def test_no_name_and_no_address_is_told(client: Client, account: VppAccount) -> None:
    text = client.get("/metrics", headers=TOKEN).content.decode()

    told = (account.name, account.organization.name, account.email, str(account.uid))
    assert f'account_id="{account.pk}"' in text
    assert [word for word in told if word in text] == []


# --- What waits -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("_no_broker", "shelf")
def test_what_waits_is_counted(client: Client, account: VppAccount) -> None:
    asset = factories.LicensedAppFactory(account=account)
    batch = factories.BatchFactory(account=account)
    states = ("planned", "sent", "sent", "waiting", "waiting", "waiting", "succeeded", "failed")
    for number, state in enumerate(states):
        factories.BatchItemFactory(
            batch=batch, licensed_app=asset, state=state, holder=f"SERIAL{number}"
        )
    other = factories.BatchItemFactory(state="waiting")
    factories.SyncRunFactory(account=account, trigger=SyncRun.Trigger.ADDED)
    shared = {
        "organization": account.organization,
        "account": account,
        "kind": "ASSET",
        "payload": {},
    }
    Notification.objects.create(notification_id="1", **shared)
    Notification.objects.create(notification_id="2", handled_at=timezone.now(), **shared)
    for number, due in enumerate((timezone.now(), None)):
        OutgoingMail.objects.create(
            organization=account.organization, key=f"{number}", to="a@b.cd", next_attempt_at=due
        )
    factories.InstallationFactory(state="installed")
    factories.InstallationFactory(state="failed")

    samples = scraped(client)

    assert of(samples, "vpp_batch_items_open") == {
        ("planned",): 1,
        ("sent",): 2,
        ("waiting",): 4,
    }
    assert of(samples, "vpp_waiting_licenses") == {
        (str(account.organization_id),): 3,
        (str(other.organization_id),): 1,
    }
    assert of(samples, "vpp_syncs_open") == {
        ("queued",): 1,
        **dict.fromkeys(
            [("config",), ("assets",), ("users",), ("assignments",), ("saving",), ("confirming",)],
            0,
        ),
    }
    assert of(samples, "vpp_notifications_waiting") == {(): 1}
    assert of(samples, "vpp_mail_waiting") == {(): 1}
    assert of(samples, "vpp_installations") == {("failed",): 1, ("installed",): 1}


@pytest.mark.usefixtures("_no_broker", "shelf")
def test_items_that_are_settled_are_not_read(db: None) -> None:
    """There may be millions of them: each of the two parts has its index."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")

    plan = database.unsettled().explain()

    assert "one_open_item_per_title_and_holder" in plan
    assert "one_open_item_per_person_and_kind" in plan


def test_what_is_no_longer_waited_for_goes_back_to_nothing(client: Client, db: None) -> None:
    samples = scraped(client)

    assert of(samples, "vpp_batch_items_open") == {("planned",): 0, ("sent",): 0, ("waiting",): 0}
    assert of(samples, "vpp_mail_waiting") == {(): 0}
    assert of(samples, "vpp_webhook_deliveries_waiting") == {(): 0}
    assert of(samples, "vpp_waiting_licenses") == {}


@pytest.mark.usefixtures("_no_broker", "shelf")
@pytest.mark.parametrize("count", [1, 3])
def test_a_scrape_costs_the_same_for_one_organization_and_three(
    client: Client, db: None, django_assert_num_queries: Any, count: int
) -> None:
    for _ in range(count):
        factories.BatchItemFactory(state="waiting")
        factories.InstallationFactory()

    # Of each part: its statement, its limit, and the two ends of its savepoint.
    with django_assert_num_queries(7 * 4):
        samples = scraped(client)

    assert len(of(samples, "vpp_waiting_licenses")) == count


@pytest.fixture
def server() -> Iterator[redis.Redis]:
    url = os.environ.get("REDIS_URL")
    if not url:
        pytest.skip("needs a Redis or Valkey: set REDIS_URL (./dev test does)")
    with redis.Redis.from_url(url) as connection:
        yield connection


@pytest.mark.django_db
def test_queues_tell_how_much_waits_in_them(
    client: Client, server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"test:metrics:{os.getpid()}"
    monkeypatch.setattr(broker_metrics, "ROUTES", {"some.task": {"queue": name}})
    server.lpush(name, "one", "two")
    try:
        samples = scraped(client)
    finally:
        server.delete(name)

    depths = of(samples, "vpp_queue_depth")
    assert (set(depths), depths[(name,)]) == ({("default",), (name,)}, 2)


# --- Calls to Apple -------------------------------------------------------------------------------


def call(path: str, error: str = "") -> Call:
    return Call("GET", path, "", 200, None, error, 0.1, 0, 1)


@pytest.mark.django_db
@pytest.mark.usefixtures("_no_broker")
def test_calls_are_counted_by_endpoint_and_result(client: Client, shelf: Shelf) -> None:
    counts = broker_metrics.call_counts
    for each in (call("assets"), call("assets"), call("assets", "TokenRevoked"), call("users")):
        counts.note(each)

    samples = scraped(client)

    assert of(samples, "vpp_apple_calls_total") == {
        ("assets", "ok"): 2,
        ("assets", "token_revoked"): 1,
        ("users", "ok"): 1,
    }


def test_counting_that_fails_costs_no_call_and_pauses() -> None:
    shelf, now = Shelf(), [100.0]
    counts = CallCounts(lambda: shelf, clock=lambda: now[0])
    shelf.is_away = True
    for _ in range(5):
        counts.note(call("assets"))
    asked_while_away = shelf.asked
    shelf.is_away = False
    counts.note(call("assets"))
    during_the_pause = counts.read()

    now[0] += counting.PAUSE
    counts.note(call("assets"))

    assert (asked_while_away, during_the_pause) == (1, {})
    assert counts.read() == {("assets", "ok"): 1}


def test_the_real_thing_counts_in_redis(
    server: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "KEY", f"test:calls:{os.getpid()}")
    try:
        for path in ("assets", "assets", "subscriptions/admins/add"):
            counting.call_counts.note(call(path))

        found = counting.call_counts.read()
    finally:
        server.delete(counting.KEY)

    assert found == {("assets", "ok"): 2, ("subscriptions/admins/add", "ok"): 1}


def test_every_client_of_the_product_counts(
    account: VppAccount,
    fake: FakeApple,
    shelf: Shelf,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clients = (connections.client_for, lambda row: connections.client_for_new_token(row.stoken))
    session = connections.new_session()
    settings.APPLE_VPP_CLIENT = "http"
    monkeypatch.setattr(connections, "_fake_session", lambda: session)
    settings.REDIS_URL = NO_SERVER

    for make in clients:
        make(account).client_config()
    fake.set_fault("internal")
    with pytest.raises(Unavailable):
        connections.client_for_new_token(account.stoken).client_config()

    assert isinstance(session.get_adapter(settings.APPLE_VPP_BASE_URL), FakeAppleAdapter)
    assert shelf.fields == {b"client/config ok": b"2", b"client/config unavailable": b"1"}


# --- The scrape itself ----------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.usefixtures("_no_broker", "shelf")
def test_a_part_that_cannot_be_read_is_missing_and_the_others_are_there(
    client: Client, account: VppAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Iterator[Any]:
        with database.bounded(), database.connections[database.SYSTEM].cursor() as cursor:
            cursor.execute("SELECT no_such_column")
        yield

    monkeypatch.setitem(collecting.PARTS, "mail", broken)

    samples = scraped(client)

    read = of(samples, "vpp_metrics_part_read")
    assert {part for (part,), was_read in read.items() if not was_read} == {"mail", "queues"}
    assert (of(samples, "vpp_mail_waiting"), of(samples, "vpp_notifications_waiting")) == (
        {},
        {(): 0},
    )
    assert len(of(samples, "vpp_account_state")) == 1


@pytest.mark.django_db
def test_a_statement_of_a_scrape_is_ended_before_it_is_a_burden() -> None:
    with database.bounded(), database.connections[database.SYSTEM].cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("3s",)


@pytest.mark.django_db
@pytest.mark.usefixtures("_no_broker", "shelf")
def test_what_is_running_is_told(client: Client) -> None:
    project = Path(__file__).parent.parent / "pyproject.toml"
    version = tomllib.loads(project.read_text())["project"]["version"]

    samples = scraped(client)

    (labels,) = (dict(labels) for name, labels in samples if name == "vpp_build_info")
    assert (labels["version"], __version__) == (version, version)
    assert set(labels) == {"version", "python", "django"}
