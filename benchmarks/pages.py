"""How long the list page takes: ./dev bench pages [--titles 2000] [--assignments 1000000]

Server time of the pages for one admin, signed in, through Django's own handler: the median and p95
of many turns, the number of statements and the size of the HTML.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from benchmarks import _common as common

TURNS = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--titles", type=int, default=2000)
    parser.add_argument("--assignments", type=int, default=1_000_000)
    options = parser.parse_args()
    common.set_up()
    client, account = fill(options.titles, options.assignments)
    base = f"/organizations/{account.organization_id}"
    list_page = f"{base}/manage/vpp/licensed-applications/"
    title = account.licensed_apps.order_by("pk").first()
    pages = {
        "licensed applications": f"{list_page}?account={account.pk}",
        "all accounts": list_page,
        "searched": f"{list_page}?account={account.pk}&q=Title+19",
        "a title": f"{base}/manage/vpp/{account.pk}/apps/{title.adam_id}/{title.pricing_param}/",
        "Organization > MDM": f"{base}/mdm/",
    }
    common.report("pages", [measure(client, name, url) for name, url in pages.items()])


def fill(titles: int, assignments: int) -> tuple[Any, Any]:
    """One account with that many titles and assignments, an admin signed in."""
    from datetime import timedelta  # noqa: PLC0415

    from django.db import connections  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from apps_catalog.models import App  # noqa: PLC0415
    from licensing.models import LicensedApp  # noqa: PLC0415
    from organizations.models import Admin, Membership  # noqa: PLC0415
    from vpp_accounts.models import VppAccount  # noqa: PLC0415

    now, each = timezone.now(), assignments // titles
    organization = common.organization("Benchmark")
    admin = Admin.objects.create_user("bench@example.org")
    Membership.objects.create(organization=organization, admin=admin, access="full")
    account = VppAccount(organization=organization, name="Bench", email="b@example.org")
    account.stoken, account.uid, account.country = "token", "1", "US"
    account.token_expires_at, account.last_synced_at = now + timedelta(days=300), now
    account.state = "in_sync"
    account.save()
    apps = App.objects.bulk_create(
        App(adam_id=str(500_000_000 + n), country="US", name=f"Title {n}", kind="iosSoftware")
        for n in range(titles)
    )
    LicensedApp.objects.bulk_create(
        LicensedApp(
            organization=organization, account=account, app=app, adam_id=app.adam_id,
            pricing_param="STDQ", product_type="App", platforms=["iOS"], device_assignable=True,
            total_count=each * 2, assigned_count=each, available_count=each, counts_as_of=now,
        )
        for app in apps
    )  # fmt: skip
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO licensing_assignment (account_id, licensed_app_id, holder_kind, holder,
                                              organization_id, origin, since)
            SELECT account_id, id, 'device', 'F' || lpad(n::text, 11, '0'), organization_id,
                   'apple', now()
            FROM licensing_licensedapp, generate_series(1, %s) AS n ORDER BY 2, 3, 4
            """,
            [each],
        )
        cursor.execute("ANALYZE")
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(admin)
    return client, account


def measure(client: Any, name: str, url: str) -> dict[str, Any]:
    from django.db import connection  # noqa: PLC0415

    statements = common.Statements()
    with connection.execute_wrapper(statements):
        response = client.get(url)
    if response.status_code != 200:
        raise SystemExit(f"{name}: {response.status_code}")
    samples = []
    for _ in range(TURNS):
        start = time.perf_counter()
        client.get(url)
        samples.append(time.perf_counter() - start)
    times = common.milliseconds(samples)
    return {
        "page": name,
        "median ms": times["median"],
        "p95 ms": times["p95"],
        "statements": statements.count,
        "HTML kB": round(len(response.content) / 1000, 1),
    }


if __name__ == "__main__":
    main()
