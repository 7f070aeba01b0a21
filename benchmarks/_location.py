"""A location at the fake Apple, its account here, and the worker that looks after it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks import _common as common
from benchmarks._granting import Begun, Bench, Row, Worked
from vpp_accounts.apple.fake.client_config import NOTIFICATION_TYPES
from vpp_accounts.apple.fake.state import Subscription

HOURS = 7200.0
SECRET = "what Apple was told"


class Location:
    """One location at Apple, its account here, and the worker that looks after it."""

    def __init__(
        self, here: Bench, name: str, *, titles: int, licenses: int, holders: Sequence[str] = ()
    ) -> None:
        from licensing.models import LicensedApp  # noqa: PLC0415
        from organizations.audit import Actor  # noqa: PLC0415
        from vpp_accounts.services import Rights, add_account  # noqa: PLC0415

        self.here, self.by = here, Actor.system("Benchmark")
        made = here.apple.create_location(name=name, org_name="Benchmark", country="US")
        for number in range(titles):
            adam_id = str(900_000_000 + number)
            here.apple.purchase(made.uid, adam_id, quantity=licenses)
            here.apple.assign(made.uid, adam_id, serial_numbers=holders)
        self.account = add_account(
            by=self.by,
            organization=here.organization,
            name=name,
            email="bench@example.org",
            token_text=made.tokens[-1].text,
            rights=Rights(),
        )
        self.sync()
        self.titles = list(LicensedApp.objects.filter(account=self.account).order_by("pk"))
        here.apple.writes_and_requests(made.uid)

    def sync(self) -> None:
        """The first one, which adding the account has asked for."""
        from licensing import sync  # noqa: PLC0415
        from vpp_accounts.models import SyncRun  # noqa: PLC0415

        (run,) = SyncRun.objects.open().filter(account=self.account)
        finished = sync.run(sync_run_id=run.pk)
        if finished is None or finished.outcome != SyncRun.Outcome.SUCCEEDED:
            raise SystemExit(f"{self.account.name}: {finished and finished.message}")
        self.account.refresh_from_db()

    def begin(
        self, kind: str, titles: Iterable[Any], devices: Iterable[Any], *, everything: bool = False
    ) -> Begun:
        """Plan and confirm, as a page does in two requests."""
        from licensing import batches  # noqa: PLC0415

        memory, start = common.peak_mib(), time.perf_counter()
        wish = batches.wish_for(kind=kind, titles=titles, devices=devices, everything=everything)
        plan = batches.make_plan(by=self.by, membership=None, account=self.account, wish=wish)
        planned, planned_memory = time.perf_counter(), common.peak_mib()
        batch = batches.start(by=self.by, membership=None, plan=plan)
        return Begun(
            [batch],
            planned - start,
            time.perf_counter() - planned,
            planned_memory - memory,
            common.peak_mib() - planned_memory,
        )

    def work_off(self) -> Worked:
        """Until the batches are over; between its turns the worker sleeps."""
        from licensing.models import Batch  # noqa: PLC0415

        worked = Worked()
        while Batch.objects.filter(account=self.account, finished_at=None).exists():
            worked.wall += self.sleep()
            self.turn(worked)
        return worked

    def turn(self, worked: Worked) -> None:
        from licensing import batches  # noqa: PLC0415

        with self.here.own(worked):
            batches.run(account_id=self.account.pk)

    def sleep(self) -> float:
        """Until there is something to do; answers for how long."""
        from django.utils import timezone  # noqa: PLC0415

        from licensing.models import Writer  # noqa: PLC0415

        writer = Writer.objects.get(account=self.account)
        if writer.next_work_at is None:
            raise SystemExit(f"{self.account.name}: work is left that nobody is called to.")
        seconds = max(0.0, (writer.next_work_at - timezone.now()).total_seconds())
        time.sleep(seconds)
        return seconds

    def subscribe(self) -> list[bytes]:
        """What Apple tells from now on, once its events of two hours are over."""
        self.account.notification_secret_hash = hashlib.sha256(SECRET.encode()).hexdigest()
        self.account.save(update_fields=["notification_secret_hash"])
        apple, uid = self.here.apple, self.account.uid
        location = apple.location(uid)
        wanted = Subscription("https://bench.example/", SECRET, list(NOTIFICATION_TYPES))
        apple.configure(location, location.mdm_info, wanted)
        apple.change_settings({"eventDelaySeconds": HOURS}, uid)
        arrived: list[bytes] = []

        def deliver(url: str, headers: dict[str, str], body: bytes) -> int:
            arrived.append(body)
            return 200

        apple.deliver = deliver
        return arrived

    def receive(self, body: bytes) -> float:
        """The seconds that Apple waits for our answer to a notification."""
        from django.test import Client  # noqa: PLC0415
        from django.urls import reverse  # noqa: PLC0415

        address = reverse("vpp_accounts:receive_notification", args=[self.account.uuid])
        client = Client(SERVER_NAME="127.0.0.1", headers={"Authorization": f"Bearer {SECRET}"})
        start = time.perf_counter()
        answer = client.post(address, body, content_type="application/json")
        if answer.status_code != 200:
            raise SystemExit(f"{address}: {answer.status_code} {answer.content!r}")
        return time.perf_counter() - start

    def handle_notifications(self) -> None:
        from licensing.notifications import handle_waiting  # noqa: PLC0415

        handle_waiting(self.account)

    def row(self, what: str, begun: Begun, worked: Worked, minimum: int) -> Row:
        """`minimum`: the writes that Apple's limits leave no way around."""
        items = self.require_done(begun.batches)
        writes, requests = self.here.apple.writes_and_requests(self.account.uid)
        return {
            "what": what,
            "items": items,
            "plan s": round(begun.plan, 2),
            "start s": round(begun.start, 2),
            "own s": round(worked.own, 2),
            "wall s": round(worked.wall, 2),
            "writes": writes,
            "minimum": minimum,
            "requests": requests,
            "statements": worked.statements,
        }

    def require_done(self, batches: Iterable[Any]) -> int:
        """How many items there were; stops here where not all of them did what they say at Apple."""
        total = given = 0
        for batch in batches:
            batch.refresh_from_db()
            if batch.succeeded != batch.total:
                raise SystemExit(f"{batch}: {batch.succeeded} of {batch.total} succeeded.")
            total += batch.total
            given += batch.total if batch.kind == "grant" else 0
        assets = self.here.apple.location(self.account.uid).assets.values()
        held = sum(len(asset.holders("serial")) for asset in assets)
        if held != given:
            raise SystemExit(f"{self.account.name}: Apple has {held} assignments, not {given}.")
        return total
