"""Very many organizations: ./dev bench organizations [--organizations 2000] [--accounts 3] [--assignments 5000000]

Server time for one admin of all of them, signed in: the overview over all, the search of the switcher, a
page of one organization with the frame around it. Then an organization with that many licenses in use goes for good.
"""

from __future__ import annotations

import argparse
import time
from datetime import timedelta
from typing import Any

from benchmarks import _common as common

TURNS = 20
TITLES = 10  # of each account
# Seconds; statements do not grow with the number of organizations.
MOST = {
    "all organizations": 1.0,
    "searched": 1.0,
    "the switcher's search": 0.2,
    "one organization": 0.1,
}

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--organizations", type=int, default=2000)
    parser.add_argument("--accounts", type=int, default=3)
    parser.add_argument("--assignments", type=int, default=5_000_000)
    options = parser.parse_args()
    common.set_up()
    rows = pages(options.organizations, options.accounts) if options.organizations else []
    gone = [erased(options.assignments)] if options.assignments else []
    common.report("organizations", rows)
    common.report("organizations-erased", gone)
    if missed := [row["page"] for row in rows if row["median"] > MOST[row["page"]] * 1000]:
        raise SystemExit(f"Missed: {', '.join(missed)}")


# --- Pages ----------------------------------------------------------------------------------------


def pages(organizations: int, accounts: int) -> list[Row]:
    client, one = fill(organizations, accounts)
    addresses = {
        "all organizations": "/organizations/",
        "searched": "/organizations/?q=19&needs=tokens&sort=tokens",
        "the switcher's search": "/organizations/search?q=19&page=licensing:mdm",
        "one organization": f"/organizations/{one}/alarms/",
    }
    return [measure(client, name, address) for name, address in addresses.items()]


def fill(organizations: int, accounts: int) -> tuple[Any, int]:
    """An admin of all of them. Of every ten accounts one is in trouble, and one has people waiting."""
    from django.test import Client  # noqa: PLC0415

    from organizations.models import Admin, Membership, Organization  # noqa: PLC0415

    admin = Admin.objects.create_user("bench@example.org")
    every = create(Organization(name=f"School {n}") for n in range(organizations))
    create(Membership(organization=each, admin_id=admin.pk, access="full") for each in every)
    titles = fill_accounts(every, accounts)
    fill_batches([title for title in titles if title.account_id % 10 == 0][::TITLES])
    common.analyze()
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(admin)
    return client, every[0].pk


def fill_accounts(organizations: list[Any], number: int) -> list[Any]:
    from django.utils import timezone  # noqa: PLC0415

    from apps_catalog.models import App  # noqa: PLC0415
    from licensing.models import LicensedApp  # noqa: PLC0415
    from vpp_accounts.models import VppAccount  # noqa: PLC0415

    now = timezone.now()
    accounts = create(
        VppAccount(
            organization=each,
            uid=f"{each.pk}-{n}",
            name=f"Account {n}",
            email="vpp@example.org",
            token_expires_at=now + timedelta(days=(each.pk * 7 + n) % 300),
            last_synced_at=now,
            state="in_sync" if (each.pk + n) % 10 else "sync_failed",
        )
        for each in organizations
        for n in range(number)
    )
    apps = create(App(adam_id=str(500_000_000 + n), country="US") for n in range(TITLES))
    return create(
        LicensedApp(
            organization_id=account.organization_id, account=account, app=app, adam_id=app.adam_id,
            pricing_param="STDQ", product_type="App", total_count=100, counts_as_of=now,
            low_since=None if (account.pk + n) % 20 else now,
        )
        for account in accounts
        for n, app in enumerate(apps)
    )  # fmt: skip


def fill_batches(titles: list[Any]) -> None:
    """One that runs for each of these titles, and five devices that wait."""
    from licensing.models import Batch, BatchItem  # noqa: PLC0415

    batches = create(
        Batch(organization_id=t.organization_id, account_id=t.account_id, kind="grant")
        for t in titles
    )
    create(
        BatchItem(
            organization_id=t.organization_id, account_id=t.account_id, batch=batch, licensed_app=t,
            kind="grant", holder_kind="device", holder=f"S{n}", state="waiting",
        )
        for t, batch in zip(titles, batches, strict=True)
        for n in range(5)
    )  # fmt: skip


def create(rows: Any) -> list[Any]:
    found = list(rows)
    manager = type(found[0])._default_manager.using("system")
    return list(manager.bulk_create(found, batch_size=2000))


def measure(client: Any, name: str, address: str) -> Row:
    from django.db import connection  # noqa: PLC0415

    statements, seconds = common.Statements(), []
    for turn in range(TURNS + 1):
        start = time.perf_counter()
        with connection.execute_wrapper(statements):
            answer = client.get(address)
        if answer.status_code != 200:
            raise SystemExit(f"{address}: {answer.status_code}")
        if turn:  # the first finds templates and plans unread
            seconds.append(time.perf_counter() - start)
    return {
        "page": name,
        **common.milliseconds(seconds),
        "statements": statements.count // (TURNS + 1),
        "kB": len(answer.content) // 1024,
    }


# --- Gone for good --------------------------------------------------------------------------------


def erased(assignments: int) -> Row:
    """The database's time for everything, and for the longest of its transactions."""
    from django.db import connections  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from licensing.models import Assignment  # noqa: PLC0415
    from organizations.closing import erasing  # noqa: PLC0415
    from organizations.models import Organization  # noqa: PLC0415

    one = Organization.objects.using("system").order_by("-pk").first()
    organization = one or Organization.objects.using("system").create(name="Alone")
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            """INSERT INTO licensing_assignment (account_id, licensed_app_id, holder_kind, holder,
                    organization_id, origin, since)
               SELECT 1, 1 + n %% 1000, 'device', 'F' || n, %s, 'apple', now()
               FROM generate_series(1, %s) AS n ORDER BY 1, 2, 3, 4""",
            [organization.pk, assignments],
        )
    now = timezone.now()
    Organization.objects.using("system").filter(pk=organization.pk).update(
        deletion_asked_at=now - timedelta(days=31), deletes_at=now
    )
    longest = Longest()
    start = time.perf_counter()
    with connections["system"].execute_wrapper(longest):
        gone = erasing.erase_deleted()
    took = time.perf_counter() - start
    left = Assignment.objects.using("system").filter(organization=organization.pk).exists()
    if not gone or left:
        raise SystemExit("The organization is still there.")
    return {
        "licenses in use": f"{assignments:,}",
        "s": round(took, 1),
        "longest statement s": round(longest.seconds, 2),
        "MiB": round(common.peak_mib()),
    }


class Longest:
    """`with connection.execute_wrapper(longest)`."""

    seconds = 0.0

    def __call__(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        start = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.seconds = max(self.seconds, time.perf_counter() - start)


if __name__ == "__main__":
    main()
