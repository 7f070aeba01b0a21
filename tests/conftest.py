"""What every test may ask for. The outsider exists in every test that names one."""

import os
from collections.abc import Iterator

import pytest
from celery.app.task import Task
from django.core.cache import cache
from django.test import Client, TestCase, TransactionTestCase

from organizations import tenancy
from organizations.audit import Actor
from organizations.models import Admin, Organization
from tests import audited_secrets, factories
from tests.database import serving
from tests.databases import fresh_database
from vpp_accounts import connections as apple_connections
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

# The system role's sweeps share the test's one connection (tests/databases.py). Where a test really
# commits, the owner cleans up after it (tests/management/commands/flush.py).
TestCase.databases = frozenset({"default", "system"})
TransactionTestCase.databases = frozenset({"default", "system", "owner"})

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright keeps a loop of its own


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: object, worker_id: str = "main") -> Iterator[None]:
    name = f"test_vpp_{os.getpid()}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with django_db_blocker.unblock(), fresh_database(name):  # type: ignore[attr-defined]
        yield


@pytest.fixture(scope="session", autouse=True)
def _tasks_are_the_product() -> Iterator[None]:
    """A task that a test calls works as the application's role, as it does in a worker."""
    call = Task.__call__

    def serve(task: Task, *args: object, **kwargs: object) -> object:
        with serving():
            return call(task, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Task, "__call__", serve)
        yield


@pytest.fixture(scope="session", autouse=True)
def _secrets_are_watched() -> Iterator[None]:
    with audited_secrets.watching():
        yield


@pytest.fixture(autouse=True)
def _no_secret_is_audited() -> Iterator[None]:
    audited_secrets.forget()
    yield
    assert audited_secrets.leaks() == []


@pytest.fixture(autouse=True)
def _clean_start() -> None:
    cache.clear()
    tenancy.leave()  # a test may have gone through a door without a request around it


@pytest.fixture
def fake() -> Iterator[FakeApple]:
    """A fresh Apple in this process; the product's own client talks to it."""
    apple = FakeApple()
    apple.settings.limits["maxRequestPerSecond"] = 100_000  # tests have no time to be paced
    with apple_connections.use_fake(apple):
        yield apple


@pytest.fixture
def organization(db: None) -> Organization:
    return factories.OrganizationFactory(name="Example Schools")


@pytest.fixture
def owner(organization: Organization) -> Admin:
    return factories.MembershipFactory(
        organization=organization, access="full", admin__email="owner@example.org"
    ).admin


@pytest.fixture
def reader(organization: Organization) -> Admin:
    return factories.MembershipFactory(
        organization=organization, access="read-only", admin__email="reader@example.org"
    ).admin


@pytest.fixture
def outsider(db: None) -> Admin:
    """A full admin of another organization."""
    return factories.MembershipFactory(
        access="full", admin__email="outsider@example.net", organization__name="Elsewhere"
    ).admin


@pytest.fixture
def by(owner: Admin) -> Actor:
    return Actor.of_admin(owner)


def signed_in(admin: Admin) -> Client:
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture
def owner_client(owner: Admin) -> Client:
    return signed_in(owner)


@pytest.fixture
def reader_client(reader: Admin) -> Client:
    return signed_in(reader)


@pytest.fixture
def outsider_client(outsider: Admin) -> Client:
    return signed_in(outsider)


@pytest.fixture
def account(fake: FakeApple, organization: Organization) -> VppAccount:
    """An account whose location exists in the fake Apple, claimed by us, not yet synced."""
    location = fake.create_location(name="North", org_name="Example Schools", country="US")
    return factories.VppAccountFactory(
        organization=organization,
        name="Example Schools North",
        uid=location.uid,
        location_name="North",
        country="US",
        token=location.issue_token(),
    )
