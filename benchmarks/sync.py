"""How long a sync takes: ./dev bench sync [--sizes 10000,200000] [--titles 50]

The fake Apple runs in its own process on loopback, 500 rows a page. Its request rate is raised
through the control API, and the client obeys the live value; the last rows show Apple's own 15 a
second and an Apple that takes 100 ms to answer. Audit events are written in all of them.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from benchmarks import _common as common

PAGE = 500
AS_FAST_AS_IT_GOES = 100_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,200000,1000000")
    parser.add_argument("--titles", type=int, default=50)
    parser.add_argument("--quick", action="store_true", help="without the slow Apples")
    options = parser.parse_args()
    port = common.free_port()
    common.set_up(apple_port=port)
    rows: list[dict[str, Any]] = []
    with common.fake_apple(port) as apple:
        for size in (int(size) for size in options.sizes.split(",")):
            rows += measure(apple, size, titles=options.titles)
        if not options.quick:
            rows += measure_slow(apple, titles=options.titles)
    common.report("sync", rows)


def measure(apple: common.FakeApple, size: int, *, titles: int) -> list[dict[str, Any]]:
    """The first sync; then whole and by delta, with nothing changed and with something."""
    location = Location(apple, f"Location of {size}", titles=titles, assignments=size)
    before = common.peak_mib()
    rows = [location.sync("first sync")]
    rows.append(location.sync("nothing changed, whole", full=True))
    rows.append(location.sync("nothing changed, by delta"))
    location.add(0.01)
    rows.append(location.sync("a hundredth added, by delta"))
    location.replace(0.1)
    rows.append(location.sync("a tenth replaced, whole", full=True))
    rows[-1]["memory growth MiB"] = round(common.peak_mib() - before)
    location.remove()
    return rows


def measure_slow(apple: common.FakeApple, *, titles: int) -> list[dict[str, Any]]:
    from vpp_accounts.connections import service_configs  # noqa: PLC0415

    rows = []
    location = Location(apple, "Slow", titles=titles, assignments=50_000)
    apple.post("settings", latencyMs=100)
    rows.append(location.sync("first sync, 100 ms an answer"))
    location.remove()
    location = Location(apple, "Paced", titles=titles, assignments=50_000)
    apple.post("settings", latencyMs=0, maxRequestPerSecond=15)
    service_configs.clear()
    paced = location.sync("first sync, Apple's 15 a second")
    paced["floor (requests / 15)"] = round(paced["requests"] / 15, 2)
    return [*rows, paced]


class Location:
    """One location at the fake with its account here."""

    def __init__(
        self, apple: common.FakeApple, name: str, *, titles: int, assignments: int
    ) -> None:
        from organizations.audit import Actor  # noqa: PLC0415
        from vpp_accounts.connections import service_configs  # noqa: PLC0415
        from vpp_accounts.services import Rights, add_account  # noqa: PLC0415

        service_configs.clear()  # the rate is about to change
        apple.post("settings", pageSize=PAGE, latencyMs=0, maxRequestPerSecond=AS_FAST_AS_IT_GOES)
        made = apple.post("locations", name=name, orgName="Benchmark", country="US")
        self.apple, self.uid, self.assignments = apple, made["uId"], assignments
        self.adam_ids = [str(900_000_000 + number) for number in range(titles)]
        each = assignments // titles
        for adam_id in self.adam_ids:
            apple.post(f"locations/{self.uid}/purchase", adamId=adam_id, quantity=each * 2)
            apple.post(
                f"locations/{self.uid}/fill", adamId=adam_id, assignments=each, holder="serial"
            )
        organization = common.organization(name)
        self.account = add_account(
            by=Actor.system("Benchmark"),
            organization=organization,
            name=name,
            email="bench@example.org",
            token_text=made["token"],
            rights=Rights(),
        )

    def add(self, fraction: float) -> None:
        more = round(self.assignments // len(self.adam_ids) * fraction)
        for adam_id in self.adam_ids:
            self.apple.post(
                f"locations/{self.uid}/fill", adamId=adam_id, assignments=more, holder="serial"
            )

    def replace(self, fraction: float) -> None:
        for adam_id in self.adam_ids:
            self.apple.post(f"locations/{self.uid}/replace", adamId=adam_id, fraction=fraction)

    def sync(self, name: str, *, full: bool = False) -> dict[str, Any]:
        from django.db import connection  # noqa: PLC0415

        from licensing import sync  # noqa: PLC0415
        from organizations.audit import Actor  # noqa: PLC0415
        from vpp_accounts.models import SyncRun  # noqa: PLC0415
        from vpp_accounts.runs import request_sync  # noqa: PLC0415

        # The one that adding the account asked for counts as the first.
        self.account.refresh_from_db()
        run = request_sync(
            by=Actor.system("Benchmark"),
            account=self.account,
            trigger=SyncRun.Trigger.COMMAND,
            full=full,
        )
        self.apple.requests_made()
        statements = common.Statements()
        with connection.execute_wrapper(statements):
            start = time.perf_counter()
            finished = sync.run(sync_run_id=run.pk)
            seconds = time.perf_counter() - start
        if finished is None or finished.outcome != SyncRun.Outcome.SUCCEEDED:
            raise SystemExit(f"{name}: {finished and finished.message}")
        return {
            "assignments": self.assignments,
            "what": name,
            "seconds": round(seconds, 2),
            "requests": self.apple.requests_made(),
            "statements": statements.count,
            "changes": finished.counts.get("assignmentsAdded", 0)
            + finished.counts.get("assignmentsGone", 0),
        }

    def remove(self) -> None:
        from organizations.audit import Actor  # noqa: PLC0415
        from vpp_accounts.services import remove_account  # noqa: PLC0415

        remove_account(
            by=Actor.system("Benchmark"), account=self.account, typed_name=self.account.name
        )


if __name__ == "__main__":
    main()
