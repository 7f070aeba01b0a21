"""What `grant` measures with: an Apple that knows which time is its own, and an organization."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from benchmarks import _common as common
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.apple.pacing import LocalPacer

Row = dict[str, Any]


class Stopwatch:
    seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - start


class TimedApple(FakeApple):
    def __init__(self) -> None:
        super().__init__()
        self.time = Stopwatch()

    def respond(self, request: Any) -> Any:
        with self.time.running():
            return super().respond(request)

    def writes_and_requests(self, uid: str) -> tuple[int, int]:
        """How many since this was asked last."""
        methods = [e.method for e in self.journal if e.kind == "request" and e.uid == uid]
        self.journal.clear()
        return methods.count("POST"), len(methods)


class TimedPacer(LocalPacer):
    """One schedule for all clients, as Redis keeps it; the waits are Apple's time."""

    def __init__(self, apples: Stopwatch) -> None:
        self._apples = apples
        super().__init__()

    def acquire(self) -> None:
        with self._apples.running():
            super().acquire()


@dataclass
class Begun:
    """Batches that wait for the worker, and what planning and starting them took."""

    batches: list[Any] = field(default_factory=list)
    plan: float = 0.0
    start: float = 0.0
    plan_mib: float = 0.0
    start_mib: float = 0.0

    def __add__(self, other: Begun) -> Begun:
        return Begun(self.batches + other.batches, self.plan + other.plan, self.start + other.start)

    @property
    def memory(self) -> Row:
        return {"plan MiB": round(self.plan_mib), "start MiB": round(self.start_mib)}


@dataclass
class Worked:
    """The worker's time: on the clock, of its own, and the statements it made."""

    wall: float = 0.0
    own: float = 0.0
    statements: int = 0

    def __add__(self, other: Worked) -> Worked:
        return Worked(
            self.wall + other.wall, self.own + other.own, self.statements + other.statements
        )


@dataclass
class Bench:
    """An organization with an inventory and an admin, and Apple."""

    apple: TimedApple
    organization: Any
    session: str

    def devices(self, count: int) -> Any:
        from organizations.models import Device  # noqa: PLC0415

        return Device.objects.filter(organization=self.organization).order_by("pk")[:count]

    def page_of(self, batch: Any) -> str:
        from django.urls import reverse  # noqa: PLC0415

        return reverse("licensing:batch_detail", args=[batch.organization_id, batch.pk])

    @contextmanager
    def own(self, worked: Worked) -> Iterator[None]:
        """What is done in here is the worker's; what Apple takes of it is not."""
        from django.db import connection  # noqa: PLC0415

        statements, apples = common.Statements(), self.apple.time.seconds
        start = time.perf_counter()
        with connection.execute_wrapper(statements):
            yield
        seconds = time.perf_counter() - start
        worked.own += seconds - (self.apple.time.seconds - apples)
        worked.wall += seconds
        worked.statements += statements.count


@contextmanager
def bench(*, devices: int) -> Iterator[Bench]:
    from django.test import Client  # noqa: PLC0415

    from organizations.models import Admin, Membership  # noqa: PLC0415
    from vpp_accounts import connections as to_apple  # noqa: PLC0415

    organization = common.organization("Benchmark")
    admin = Admin.objects.create_user("bench@example.org")
    Membership.objects.create(organization=organization, admin=admin, access="full")
    fill_inventory(organization, devices)
    client = Client()
    client.force_login(admin)
    apple = TimedApple()
    pacer = TimedPacer(apple.time)
    session = client.cookies["sessionid"].value
    with to_apple.use_fake(apple), mock.patch.object(to_apple, "_pacer", return_value=pacer):
        yield Bench(apple, organization, session)


def fill_inventory(organization: Any, count: int) -> None:
    """In the database, so that this process has not grown before the plan is measured."""
    from django.db import connections  # noqa: PLC0415

    from organizations.models import Network  # noqa: PLC0415

    network = Network.objects.create(organization=organization, name="Main")
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO organizations_device (organization_id, network_id, serial_number, name,
                model, platform, os_version, supervised, enrollment, tag_ids, sources, created_at)
            SELECT %s, %s, 'F' || lpad(n::text, 11, '0'), 'iPad ' || n, 'iPad', 'iPadOS', '26.1',
                   true, 'automated', '{}', '{}', now()
            FROM generate_series(1, %s) AS n
            """,
            [organization.pk, network.pk, count],
        )
        cursor.execute("ANALYZE organizations_device")
