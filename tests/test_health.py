"""What a load balancer is told: the process lives, and whether it can answer pages."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.db import DatabaseError
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from vpp_dashboard import health

NO_SERVER = "redis://127.0.0.1:1/0"


def answer_of(client: Client) -> tuple[int, dict[str, Any]]:
    answer = client.get("/health/ready")
    return answer.status_code, answer.json()


def told(status: str, *, missing: list[str] | None = None, **checks: bool) -> dict[str, Any]:
    known = {"database": True, "migrations": True, "broker": True}
    return {"status": status, "checks": known | checks, "missingMigrations": missing or []}


@pytest.fixture
def _broker(settings: Any) -> None:
    if not os.environ.get("REDIS_URL"):
        pytest.skip("needs a Redis or Valkey: set REDIS_URL (./dev test does)")


def test_a_process_that_answers_lives_and_asks_nobody(client: Client, settings: Any) -> None:
    settings.REDIS_URL = NO_SERVER

    answer = client.get("/health/live")  # a database would be refused to this test

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
@pytest.mark.usefixtures("_broker")
def test_ready_with_all_that_it_needs(client: Client) -> None:
    assert answer_of(client) == (200, told("ok"))


@pytest.mark.django_db
def test_without_the_broker_pages_go_on_and_it_is_told(client: Client, settings: Any) -> None:
    settings.REDIS_URL = NO_SERVER

    assert answer_of(client) == (200, told("degraded", broker=False))


@pytest.mark.django_db
def test_not_ready_for_a_database_of_an_older_release(client: Client, settings: Any) -> None:
    settings.REDIS_URL = NO_SERVER
    applied = MigrationRecorder.Migration.objects.filter(app="organizations")
    applied.filter(name__in=["0007_apps_and_devices", "0002_notifications"]).delete()

    answer = answer_of(client)

    missing = ["organizations.0002_notifications", "organizations.0007_apps_and_devices"]
    expected = told("unavailable", migrations=False, broker=False, missing=missing)
    assert answer == (503, expected)


@pytest.mark.django_db
def test_ready_for_a_database_of_a_newer_release(client: Client, settings: Any) -> None:
    """While processes of two releases work side by side."""
    settings.REDIS_URL = NO_SERVER
    MigrationRecorder.Migration.objects.create(app="organizations", name="9999_of_tomorrow")

    assert answer_of(client) == (200, told("degraded", broker=False))


def test_not_ready_without_a_database(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = NO_SERVER

    class Away:
        def cursor(self) -> None:
            raise DatabaseError("no server")

    monkeypatch.setattr(health, "connection", Away())

    expected = told("unavailable", database=False, migrations=False, broker=False)
    assert answer_of(client) == (503, expected)


def test_the_migrations_of_this_release_are_those_that_django_finds() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)

    assert health._known_migrations() == set(loader.disk_migrations)


@pytest.mark.django_db
def test_a_probe_costs_three_statements(
    client: Client, settings: Any, django_assert_num_queries: Any
) -> None:
    settings.REDIS_URL = NO_SERVER

    # One to be answered, one for the table of migrations, and what is in it.
    with django_assert_num_queries(3):
        client.get("/health/ready")
