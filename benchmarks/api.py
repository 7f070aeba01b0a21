"""The REST API as production serves it: ./dev bench api [--assignments 1000000] [--connections 4]

gunicorn with 2 workers, over loopback. Several programs walk the list of all licenses in use, a thousand
a page; one reads single things; one orders licenses for 10,000 devices; one takes the whole list as CSV.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

from benchmarks import _common as common
from benchmarks import pages

TITLES = 2000
DEVICES = 10_000
READS = 300
BATCHES = 5
NEXT = re.compile(r"<([^>]*)>; rel=next")
# Issue 8.
LEAST_PAGES_A_SECOND = 40
MOST = {"a title": 15, "a device": 15, "a batch of 10,000": 1000}  # milliseconds, at the median

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assignments", type=int, default=1_000_000)
    parser.add_argument("--connections", type=int, default=4)
    options = parser.parse_args()
    port = common.free_port()
    os.environ |= {
        "BASE_URL": f"http://127.0.0.1:{port}",
        "API_RATE_PER_ORGANIZATION": "0",
        "API_RATE_PER_ADDRESS": "0",
    }
    common.set_up()
    place = Place(port, options.assignments)
    with served(port) as server:
        ask(place, f"{place.account}?warm")
        rows = [
            taken_as_csv(place, server),  # first, so that its memory is its own
            walked(place, options.connections),
            *(read(place, name, address) for name, address in place.single.items()),
            ordered(place),
        ]
    common.report("api", rows)
    if missed := [row["what"] for row in rows if misses(row)]:
        raise SystemExit(f"Missed: {', '.join(missed)}")


def misses(row: Row) -> bool:
    too_slow = row.get("median", 0) > MOST.get(row["what"], row.get("median", 0))
    return too_slow or row.get("pages/s", LEAST_PAGES_A_SECOND) < LEAST_PAGES_A_SECOND


# --- What is asked --------------------------------------------------------------------------------


class Place:
    """One account with very many licenses in use, devices that have none yet, and a key."""

    def __init__(self, port: int, assignments: int) -> None:
        from organizations.models import Admin, ApiKey, Device, Network  # noqa: PLC0415

        _, account = pages.fill(TITLES, assignments)
        organization = account.organization
        network = Network.objects.create(organization=organization, name="Oakmont")
        devices = Device.objects.bulk_create(
            Device(
                organization=organization,
                network=network,
                serial_number=f"DMQ{n:09d}",
                platform="iPadOS",
            )
            for n in range(DEVICES)
        )
        common.analyze()
        self.port = port
        self.key = ApiKey.objects.issue(admin=Admin.objects.get(), name="Benchmark")[1]
        self.account = f"/api/v1/organizations/{organization.pk}/sm/vppAccounts/{account.pk}"
        self.titles = list(account.licensed_apps.order_by("pk")[:BATCHES])
        self.serials = [device.serial_number for device in devices]
        self.assignments = assignments
        self.single = {
            "a title": f"{self.account}/assets/{self.titles[0].adam_id}/STDQ",
            "a device": f"/api/v1/networks/{network.pk}/sm/devices?serials[]={self.serials[77]}",
        }

    def connection(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=300)


def ask(place: Place, address: str, accept: str = "application/json") -> HTTPResponse:
    return send(place, place.connection(), "GET", address, {"Accept": accept})


def send(
    place: Place,
    connection: HTTPConnection,
    method: str,
    address: str,
    headers: dict[str, str],
    body: str | None = None,
) -> HTTPResponse:
    key = {"Authorization": f"Bearer {place.key}"}
    connection.request(method, address, body, headers | key)
    answer = connection.getresponse()
    if answer.status not in (200, 202):
        raise SystemExit(f"{method} {address}: {answer.status} {answer.read(500)!r}")
    return answer


def walked(place: Place, connections: int) -> Row:
    """Each goes through the whole list, page after page; they do not wait for one another."""
    start = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        counted = list(pool.map(lambda _: walk(place), range(connections)))
    seconds = time.perf_counter() - start
    if {entries for _, entries in counted} != {place.assignments}:
        raise SystemExit(f"Of {place.assignments} entries there were {counted}.")
    number = sum(pages for pages, _ in counted)
    return {
        "what": f"the whole list, {connections} connections",
        "s": round(seconds, 1),
        "pages/s": round(number / seconds, 1),
    }


def walk(place: Place) -> tuple[int, int]:
    """How many pages and entries."""
    connection, address = place.connection(), f"{place.account}/assignments"
    number = entries = 0
    while address:
        answer = send(place, connection, "GET", address, {})
        number, entries = number + 1, entries + answer.read().count(b'"adamId"')
        onwards = NEXT.search(answer.headers["Link"])
        address = onwards[1].removeprefix(os.environ["BASE_URL"]) if onwards else ""
    return number, entries


def read(place: Place, name: str, address: str) -> Row:
    connection = place.connection()

    def once() -> None:
        send(place, connection, "GET", address, {}).read()

    once()
    return {"what": name, **common.milliseconds([timed(once) for _ in range(READS)])}


def ordered(place: Place) -> Row:
    """The plan is made and started while one waits; what Apple is asked comes afterwards."""
    connection, headers = place.connection(), {"Content-Type": "application/json"}

    def order(title: Any) -> Callable[[], None]:
        asked = {
            "kind": "grant",
            "assets": [{"adamId": title.adam_id, "pricingParam": "STDQ"}],
            "serialNumbers": place.serials,
        }
        address = f"{place.account}/batches"

        def once() -> None:
            answer = send(place, connection, "POST", address, headers, json.dumps(asked))
            counts = json.loads(answer.read())["counts"]
            if counts["total"] != len(place.serials):
                raise SystemExit(f"A batch of {counts}.")

        return once

    samples = [timed(order(title)) for title in place.titles]
    return {"what": "a batch of 10,000", **common.milliseconds(samples)}


def taken_as_csv(place: Place, server: Server) -> Row:
    before = server.peak_mib()
    lines, size = 0, 0
    start = time.perf_counter()
    answer = ask(place, f"{place.account}/assignments", "text/csv")
    while chunk := answer.read1():
        lines, size = lines + chunk.count(b"\n"), size + len(chunk)
    seconds = time.perf_counter() - start
    if lines != place.assignments + 1:
        raise SystemExit(f"{lines} lines came.")
    return {
        "what": "the whole list as CSV",
        "s": round(seconds, 1),
        "MB": round(size / 1e6),
        "peak MiB": round(server.peak_mib()),
        "grown MiB": round(server.peak_mib() - before, 1),
    }


def timed(once: Callable[[], None]) -> float:
    start = time.perf_counter()
    once()
    return time.perf_counter() - start


# --- The server -----------------------------------------------------------------------------------


class Server:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def peak_mib(self) -> float:
        """The most memory that one of the workers has held so far."""
        pid = self.process.pid
        workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return max(peak_of(worker) for worker in workers)


def peak_of(pid: str) -> float:
    [line] = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(line) / 1024


@contextmanager
def served(port: int) -> Iterator[Server]:
    """As the Dockerfile starts it."""
    command = [sys.executable, "-m", "gunicorn", "vpp_dashboard.wsgi"]
    options = ["--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--workers", "2"]
    options += ["--threads", "8", "--no-control-socket", "--forwarded-allow-ips", ""]
    env = os.environ | {"LOG_LEVEL": "INFO"}
    process = subprocess.Popen(
        [*command, *options],
        cwd=common.ROOT,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait(process, port)
        yield Server(process)
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/health/live")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("gunicorn did not start.")


if __name__ == "__main__":
    main()
