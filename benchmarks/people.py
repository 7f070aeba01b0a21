"""People: ./dev bench people [--size 50000] [--people 100000]

A file of that many owners is checked (the dry run) and imported, then imported again with an account,
whose users they become. As many people are registered at an Apple in this process that keeps Apple's own pace.
Then User management over very many people: server time for one admin, signed in.
"""

from __future__ import annotations

import argparse
import csv
import io
import math
import os
import time
import uuid
from collections.abc import Callable
from typing import Any

from benchmarks import _common as common
from benchmarks import _people_pages as pages
from benchmarks._granting import Begun, bench
from benchmarks._location import Location

# Issue 5; the seconds are for 50,000 people.
SIZE = 50_000
MOST = {"dry run s": 10, "commit s": 20, "MiB": 150}

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=SIZE, help="people in the file")
    parser.add_argument("--people", type=int, default=100_000, help="people in User management")
    options = parser.parse_args()
    os.environ["APPLE_VPP_CLIENT"] = "fake"
    common.set_up()
    rows = imports(options.size) if options.size else []
    told = [registered(options.size)] if options.size else []
    shown = pages.people_pages(options.people) if options.people else []
    for name, table in (("people", rows), ("people-apple", told), ("people-pages", shown)):
        common.report(name, table)
    if missed := [
        *(each for row in rows for each in misses(row)),
        *(
            f"{row['what']}: {row['writes']} calls"
            for row in told
            if row["writes"] > row["minimum"]
        ),
        *(each for row in shown for each in pages.misses(row)),
    ]:
        raise SystemExit("Missed:\n  " + "\n  ".join(missed))


def imports(size: int) -> list[Row]:
    from vpp_accounts.models import VppAccount  # noqa: PLC0415

    organization = common.organization("Benchmark")
    account = VppAccount(organization=organization, name="Bench", email="bench@example.org")
    account.stoken, account.token_expires_at = "token", "2099-01-01T00:00:00Z"
    account.state = "in_sync"
    account.save()
    first, second = file_of(size), file_of(size, room="B")
    return [
        imported("new owners", organization, first),
        imported("the same file", organization, first),
        imported("another tag for everybody", organization, second),
        imported("users of an account", organization, second, account=account, invites=True),
        imported("the whole list again", organization, second, account=account, is_complete=True),
    ]


def file_of(size: int, *, room: str = "A") -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["name", "email", "username", "tags", "managedAppleAccount"])
    for n in range(size):
        address = f"person{n}@example.org"
        managed = f"person{n}@appleid.example.org" if n % 2 else ""
        writer.writerow([f"Person {n}", address, f"p{n}", f"grade-{n % 12} {room}", managed])
    return text.getvalue().encode()


def imported(what: str, organization: Any, content: bytes, **options: Any) -> Row:
    from organizations.audit import Actor  # noqa: PLC0415
    from users import imports as engine  # noqa: PLC0415

    by = Actor.system("Benchmark")
    before = common.peak_mib()
    begun = engine.start_import(
        by=by, organization=organization, file_name="people.csv", content=content, **options
    )
    checked, checking = timed(lambda: engine.check(begun.pk))
    engine.confirm(by=by, people_import=checked)
    applied, applying = timed(lambda: engine.apply(begun.pk))
    counts = {name: applied.counts[name] for name in ("new", "update", "unchanged", "error")}
    return {
        "import": what,
        **counts,
        "dry run s": checking,
        "commit s": applying,
        "MiB": round(common.peak_mib() - before),
    }


def registered(size: int) -> Row:
    """People whom Apple does not know, in as few calls as its limit allows."""
    from licensing.batches.registering import register  # noqa: PLC0415
    from users.models import VppUser  # noqa: PLC0415

    with bench(devices=1) as here:
        location = Location(here, "Registering", titles=1, licenses=1)
        people = [
            VppUser(
                organization=here.organization,
                account=location.account,
                client_user_id=str(uuid.uuid4()),
                email=f"person{number}@example.org",
            )
            for number in range(size)
        ]
        ids = [user.pk for user in VppUser.objects.bulk_create(people, batch_size=5000)]
        batch, seconds = timed(
            lambda: register(by=location.by, account=location.account, users=ids)
        )
        worked = location.work_off()
        limit = here.apple.settings.limits["maxUsers"]
        begun = Begun([batch], start=seconds)
        row = location.row(f"{size:,} people registered", begun, worked, math.ceil(size / limit))
        del row["own s"]  # pages are read side by side, so Apple's time is more than the clock's
        return row


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = work()
    return result, round(time.perf_counter() - start, 2)


def misses(row: Row) -> list[str]:
    return [
        f"{row['import']}: {name} {row[name]}, at most {most}"
        for name, most in MOST.items()
        if row[name] > most
    ]


if __name__ == "__main__":
    main()
