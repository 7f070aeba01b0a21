"""What the walk needs beside the SDK: a client for the demo, and comparing."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import meraki


class Different(Exception):
    """What came is not what the demo has."""


class Heard(logging.Handler):
    """What the SDK says to its log: that it waits and tries again."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


HEARD = Heard()


def client(facts: dict[str, Any], **more: Any) -> Any:
    logger = logging.getLogger("meraki")
    logger.propagate = False
    if HEARD not in logger.handlers:
        logger.addHandler(HEARD)
    return meraki.DashboardAPI(
        facts["api_key"],
        base_url=facts["api_base_url"],
        inherit_logging_config=True,
        maximum_retries=20,  # its own default is two, and the whole walk shares one bucket
        **more,
    )


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


def steady(account: dict[str, Any]) -> dict[str, Any]:
    """What does not change while a sync runs."""
    return {name: account[name] for name in account if not name.startswith("last")}


def unthrottled() -> dict[str, Any]:
    """Newer versions wait by themselves before they are told to."""
    known = inspect.signature(meraki.DashboardAPI.__init__).parameters
    return {"smart_flow_enabled": False} if "smart_flow_enabled" in known else {}


def same(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise Different(f"{what}: {found!r} instead of {expected!r}")


@contextmanager
def refused(status: int, *, code: str = "", says: str = "") -> Iterator[None]:
    try:
        yield
    except meraki.APIError as error:
        same("status", error.status, status)
        sentence = error.message["errors"][0]
        same(f"“{says}” in “{sentence}”", says in sentence, True)
        if code:
            same("code", error.message.get("code"), code)
    else:
        raise Different(f"nothing was refused, though {status} {code or says} was expected")
