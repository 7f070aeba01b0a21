"""How the audit log bears a million events: ./dev bench audit [--events 1000000]

Server time of Organization > Activity with each kind of filter, of the export, and of the sweep that
takes away half of them while events go on being written.
"""

from __future__ import annotations

import argparse
import threading
import time
from typing import Any

from benchmarks import _common as common

TURNS = 7
# Of a thousand events, one is rare; all are spread over two years.
FILL = """
    INSERT INTO organizations_auditevent (organization_id, at, actor_kind, actor_id, actor_name,
        action, target_kind, target_id, target_name, after, refused, request_id, address)
    SELECT place, now() - (%(events)s - n) * interval '730 days' / %(events)s,
        CASE WHEN n %% 3 = 0 THEN 'apple' ELSE 'admin' END, 1,
        CASE WHEN n %% 100000 = 7 THEN 'rare@example.org' ELSE 'admin@example.org' END,
        CASE WHEN n %% 100000 = 7 THEN 'network.edited'
             WHEN n %% 2 = 0 THEN 'assignment.granted' ELSE 'assignment.found' END,
        CASE WHEN n %% 100000 = 7 THEN 'network' ELSE 'licensedapp' END, 1 + n %% 50,
        CASE WHEN n %% 100000 = 7 THEN 'Needle' ELSE 'Title ' || n %% 50 END,
        jsonb_build_object('holder', 'DMQ' || n, 'kind', 'device'), n %% 100000 = 7, '', NULL
    FROM generate_series(1, %(events)s) AS n, unnest(%(places)s) AS place ORDER BY n
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    events = parser.parse_args().events
    common.set_up()
    client, organization = fill(events)
    base = f"/organizations/{organization.pk}/activity/"
    queries = {
        "newest": "",
        "each license": "?each=Y",
        "only refused": "?refused=Y",
        "a day long ago": "?each=Y&since=2025-03-01&until=2025-03-01",
        "a rare area": "?action=network.",
        "a rare actor": "?actor=rare",
        "a rare kind": "?kind=network",
        "search, found": "?q=Title+7",
        "search, rare": "?q=needle",
        "search, nothing": "?q=no+such+thing",
        "a serial number": "?q=DMQ500000",
    }
    rows = [measure(client, name, base + query) for name, query in queries.items()]
    rows.append(measure(client, "one event", f"{base}{newest_of(organization)}/"))
    rows.append(export(client, base + "?each=Y&format=jsonl"))
    rows.append(rest(client, organization, "REST, a rare actor", "actor=rare"))
    rows.append(sweep(organization))
    common.report("audit", rows)


def fill(events: int) -> tuple[Any, Any]:
    """As many again belong to somebody else."""
    from django.db import connections  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    from organizations.models import Admin, Membership  # noqa: PLC0415

    organization = common.organization("Benchmark")
    admin = Admin.objects.create_user("bench@example.org")
    Membership.objects.create(organization=organization, admin=admin, access="full")
    with connections["owner"].cursor() as cursor:
        start = time.perf_counter()
        places = [organization.pk, organization.pk + 1000]
        cursor.execute(FILL, {"places": places, "events": events})
        print(f"{2 * events:,} events written in {time.perf_counter() - start:.1f} s")
        cursor.execute("VACUUM ANALYZE organizations_auditevent")
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(admin)
    return client, organization


def newest_of(organization: Any) -> int:
    from organizations.models import AuditEvent  # noqa: PLC0415

    return int(AuditEvent.objects.filter(organization=organization).latest("pk").pk)


def measure(client: Any, name: str, url: str) -> dict[str, Any]:
    from django.db import connection  # noqa: PLC0415

    statements, samples = common.Statements(), []
    for turn in range(TURNS):
        start = time.perf_counter()
        with connection.execute_wrapper(statements):
            answer = client.get(url)
        if turn:
            samples.append(time.perf_counter() - start)
        if answer.status_code != 200:
            raise SystemExit(f"{url}: {answer.status_code}")
    return {"what": name, **common.milliseconds(samples), "statements": statements.count // TURNS}


def export(client: Any, url: str) -> dict[str, Any]:
    before, start = common.peak_mib(), time.perf_counter()
    size = sum(len(chunk) for chunk in client.get(url).streaming_content)
    seconds = time.perf_counter() - start
    return {
        "what": f"JSON lines, {size / 2**20:.0f} MiB",
        "seconds": round(seconds, 1),
        "MiB more": round(common.peak_mib() - before),
    }


def rest(client: Any, organization: Any, name: str, query: str) -> dict[str, Any]:
    from organizations.models import Admin, ApiKey  # noqa: PLC0415

    text = ApiKey.objects.all().issue(admin=Admin.objects.get(), name="Bench")[1]
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {text}"
    return measure(client, name, f"/api/v1/organizations/{organization.pk}/auditEvents?{query}")


def sweep(organization: Any) -> dict[str, Any]:
    """While it runs, another process's work is played by a thread that writes events."""
    from organizations.audit_log import retention  # noqa: PLC0415
    from organizations.models import Organization  # noqa: PLC0415

    Organization.objects.filter(pk=organization.pk).update(audit_kept_months=12)
    waits: list[float] = []
    over = threading.Event()
    writer = threading.Thread(target=write, args=(organization, waits, over))
    writer.start()
    start = time.perf_counter()
    removed = retention.remove_expired()
    seconds = time.perf_counter() - start
    over.set()
    writer.join()
    return {
        "what": f"sweep of {removed:,}",
        "seconds": round(seconds, 1),
        "longest write, ms": round(max(waits) * 1000),
    }


def write(organization: Any, waits: list[float], over: threading.Event) -> None:
    from django.db import connection  # noqa: PLC0415

    from organizations import audit, tenancy  # noqa: PLC0415

    tenancy.enter(organization.pk)
    facts = {"by": audit.APPLE, "organization": organization, "target": organization}
    while not over.wait(0.05):
        start = time.perf_counter()
        audit.record("network.added", **facts)
        waits.append(time.perf_counter() - start)
    connection.close()


if __name__ == "__main__":
    main()
