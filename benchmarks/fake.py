"""How fast the fake Apple serves pages: ./dev bench fake [--assignments 1000000] [--titles 50]

The fake runs in its own process on loopback, 500 rows a page; one client asks page after page on
one connection and reads the bodies without decoding them. "pages/s of its core" counts the
processor time that the fake itself used, so that a busy machine does not change it.
"""

from __future__ import annotations

import argparse
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import _common as common

PAGE = 500
WANTED_PAGES_A_SECOND = 1_000
MOST_MIB = 400
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assignments", type=int, default=1_000_000)
    parser.add_argument("--titles", type=int, default=50)
    options = parser.parse_args()
    with fake_process() as (apple, pid):
        location = filled(apple, options.assignments, options.titles)
        walks = {"all": {}, "of one title": {"adamId": "900000000"}}
        rows = [measure(apple, pid, location, name, **ask) for name, ask in walks.items()]
    common.report("fake", rows)
    slow = [row["what"] for row in rows if row["pages/s of its core"] < WANTED_PAGES_A_SECOND]
    if slow or rows[-1]["peak MiB"] > MOST_MIB:
        raise SystemExit(f"Wanted: {WANTED_PAGES_A_SECOND} pages a second, {MOST_MIB} MiB at most.")


@contextmanager
def fake_process() -> Iterator[tuple[common.FakeApple, int]]:
    """Like `common.fake_apple`, but what is measured here is the process itself."""
    port = common.free_port()
    command = [sys.executable, str(common.ROOT / "manage.py"), "fake_apple", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    apple = common.FakeApple(f"http://127.0.0.1:{port}")
    try:
        apple.wait(process)
        yield apple, process.pid
    finally:
        process.terminate()
        process.wait(timeout=20)


def filled(apple: common.FakeApple, assignments: int, titles: int) -> dict[str, Any]:
    apple.post("settings", pageSize=PAGE, maxRequestPerSecond=1_000_000)
    location = apple.post("locations", name="Benchmark", orgName="Benchmark")
    for number in range(titles):
        apple.post(
            f"locations/{location['uId']}/fill",
            adamId=str(900_000_000 + number),
            assignments=assignments // titles,
            holder="serial",
        )
    return location


def measure(
    apple: common.FakeApple, pid: int, location: dict[str, Any], name: str, **ask: str
) -> dict[str, Any]:
    """Walk all pages, more than once where there are few."""
    address = "&".join(f"{key}={value}" for key, value in ask.items())
    line = http.client.HTTPConnection(apple.url.removeprefix("http://"))
    headers = {"Authorization": f"Bearer {location['token']}"}
    total = total_pages(line, address, headers)
    walks = max(1, 2_000 // total)
    used, start, size = processor_seconds(pid), time.perf_counter(), 0
    for _ in range(walks):
        for index in range(total):
            size += len(page(line, f"{address}&pageIndex={index}", headers))
    seconds, used = time.perf_counter() - start, processor_seconds(pid) - used
    line.close()
    pages = walks * total
    return {
        "what": name,
        "pages": pages,
        "MiB": round(size / 2**20),
        "seconds": round(seconds, 2),
        "pages/s": round(pages / seconds),
        "pages/s of its core": round(pages / used),
        "peak MiB": peak_mib(pid),
    }


def total_pages(line: http.client.HTTPConnection, address: str, headers: dict[str, str]) -> int:
    body = page(line, address, headers)
    digits = body.partition(b'"totalPages":')[2].partition(b",")[0]
    return int(digits)


def page(line: http.client.HTTPConnection, address: str, headers: dict[str, str]) -> bytes:
    line.request("GET", f"/mdm/v2/assignments?{address}", headers=headers)
    answer = line.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{answer.status} {body[:200]!r}")
    return body


def processor_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_mib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    peak = next(line for line in lines if line.startswith("VmHWM"))
    return round(int(peak.split()[1]) / 1024)


if __name__ == "__main__":
    main()
