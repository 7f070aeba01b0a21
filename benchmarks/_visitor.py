"""Somebody signed in who looks at one page again and again, in a process of their own."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

LOOK_EVERY = 0.25  # seconds between two looks
PATIENCE = 60.0


@contextmanager
def visitor(address: str, session: str) -> Iterator[list[float]]:
    """The seconds of each look are in the list once the block is left."""
    seconds: list[float] = []
    alone = multiprocessing.get_context("spawn")
    here, there = alone.Pipe()
    process = alone.Process(target=look, args=(address, session, there), daemon=True)
    process.start()
    try:
        heard(here)
        yield seconds
        here.send("enough")
        seconds += heard(here)
        process.join(PATIENCE)
    finally:
        process.kill()


def heard(line: Connection) -> list[float]:
    if not line.poll(PATIENCE):
        raise SystemExit("The page's visitor does not answer.")
    told = line.recv()
    if isinstance(told, str):
        raise SystemExit(told)
    return list(told)


def look(address: str, session: str, line: Connection) -> None:
    """The first look finds the templates unread, and does not count."""
    import django  # noqa: PLC0415

    django.setup()
    from django.test import Client  # noqa: PLC0415

    client = Client(SERVER_NAME="127.0.0.1")
    client.cookies["sessionid"] = session
    status = client.get(address).status_code
    if status != 200:
        line.send(f"{address}: {status}")
        return
    line.send([])
    seconds = []
    while not line.poll(LOOK_EVERY):
        start = time.perf_counter()
        client.get(address)
        seconds.append(time.perf_counter() - start)
    line.send(seconds)
