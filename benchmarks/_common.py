"""What all benchmarks share: Django, a fake Apple in its own process, the table and the JSON."""

from __future__ import annotations

import json
import os
import platform
import resource
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent


def set_up(*, apple_port: int | None = None) -> None:
    """Django on the database that the environment names, emptied and migrated."""
    if apple_port:
        base = f"http://127.0.0.1:{apple_port}"
        os.environ["APPLE_VPP_BASE_URL"] = f"{base}/mdm/v2/"
        os.environ["APPLE_METADATA_URL"] = f"{base}/WebObjects/MZStorePlatform.woa/wa/lookup"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vpp_dashboard.settings")
    os.environ["LOG_LEVEL"] = "ERROR"
    import django  # noqa: PLC0415

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    call_command("flush", interactive=False, database="owner", verbosity=0)


def organization(name: str) -> Any:
    """A new one; from now on this process works inside it, as a door would."""
    from organizations import tenancy  # noqa: PLC0415
    from organizations.founding import next_id  # noqa: PLC0415
    from organizations.models import Organization  # noqa: PLC0415

    tenancy.enter(next_id())
    return Organization.objects.create(pk=tenancy.current().organization, name=name)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def fake_apple(port: int) -> Iterator[FakeApple]:
    """The fake in a process of its own, as Apple is."""
    command = [sys.executable, str(ROOT / "manage.py"), "fake_apple", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    apple = FakeApple(f"http://127.0.0.1:{port}")
    try:
        apple.wait(process)
        yield apple
    finally:
        process.terminate()
        process.wait(timeout=20)


class FakeApple:
    """The control API of the fake."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()

    def wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and process.poll() is None:
            try:
                self.session.get(f"{self.url}/mdm/v2/service/config", timeout=1)
            except requests.ConnectionError:
                time.sleep(0.05)
            else:
                return
        raise SystemExit("The fake Apple did not start.")

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self.session.post(f"{self.url}/control/{path}", json=body, timeout=300)
        if not answer.ok:
            raise SystemExit(f"{path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else {}

    def requests_made(self) -> int:
        journal = self.session.get(f"{self.url}/control/journal", timeout=60).json()
        entries = journal["entries"] if isinstance(journal, dict) else journal
        self.session.delete(f"{self.url}/control/journal", timeout=60)
        return len(entries)


class Statements:
    """Counts: `with connection.execute_wrapper(statements)`."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        self.count += 1
        return execute(sql, params, many, context)


def peak_mib() -> float:
    """The most memory this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def milliseconds(samples: list[float]) -> dict[str, float]:
    ordered = sorted(samples)
    return {
        "median": round(statistics.median(ordered) * 1000, 1),
        "p95": round(ordered[int(len(ordered) * 0.95) - 1] * 1000, 1),
    }


def machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "memoryGiB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "python": platform.python_version(),
        "system": platform.system(),
    }


def report(name: str, rows: list[dict[str, Any]]) -> None:
    """Print a table and write var/bench/<name>.json."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = [columns, *([str(row.get(column, "")) for column in columns] for row in rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(columns))]
    for line in table:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))
    target = ROOT / "var" / "bench" / f"{name}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=2) + "\n")
    print(f"\n{machine()}\nwritten to {target.relative_to(ROOT)}")


def analyze() -> None:
    """So that the planner knows what was filled in."""
    from django.db import connections  # noqa: PLC0415

    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE")
