"""The way to Apple: settings are read here and nowhere else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import urlsplit

import redis
import requests
from django.conf import settings

from vpp_accounts.apple.client import AppleClient, ServiceConfigCache
from vpp_accounts.apple.errors import Unavailable
from vpp_accounts.apple.pacing import LocalPacer, Pacer, RedisPacer
from vpp_accounts.call_counts import call_counts

if TYPE_CHECKING:
    from vpp_accounts.apple.fake import FakeApple
    from vpp_accounts.apple.types import Call
    from vpp_accounts.models import VppAccount

T = TypeVar("T")

# A page waits for Apple in one place only: a new token's client/config, at most this long.
SECONDS_OF_A_PAGE = 10.0

# Apple asks not to read its limits more often than every five minutes.
service_configs = ServiceConfigCache()

_fakes: list[FakeApple] = []


def client_for(account: VppAccount) -> AppleClient:
    """A client for a worker: paced together with all other processes of the installation."""
    return AppleClient(
        base_url=settings.APPLE_VPP_BASE_URL,
        stoken=account.stoken,
        session=_fake_session(),
        pacer=_pacer(f"apple:{account.uid or account.uuid}"),
        service_configs=service_configs,
        # While an admin's decision to displace another MDM is carried out, its mark is expected.
        own_mdm_id=str(account.uuid) if account.claimed_at and not account.take_over_from else None,
        retries=settings.APPLE_RETRIES,
        on_call=_on_call(),
    )


def client_for_new_token(stoken: str) -> AppleClient:
    """A client for a page: one quick try."""
    return AppleClient(
        base_url=settings.APPLE_VPP_BASE_URL,
        stoken=stoken,
        session=_fake_session(),
        timeout=(4.0, SECONDS_OF_A_PAGE),
        retries=0,
        on_call=_on_call(),
    )


def within(seconds: float, ask: Callable[[], T]) -> T:
    """What `ask` brings in that time, all in all; `Unavailable` when it takes longer.

    A socket's timeout counts between two bytes, so an answer that drips would hold a page for ever.
    """
    answers: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            answers.put((ask(), None))
        except BaseException as error:  # noqa: BLE001  raised again where it is waited for
            answers.put((None, error))

    threading.Thread(target=run, daemon=True, name="ask-apple").start()
    try:
        answer, error = answers.get(timeout=seconds)
    except Empty:
        raise Unavailable(f"Apple's answer was not complete after {seconds:.0f} s") from None
    if error is not None:
        raise error
    return cast("T", answer)


def new_session() -> requests.Session:
    """A plain session, for what is Apple's but not the license service."""
    return _fake_session() or requests.Session()


def _fake_session() -> requests.Session | None:
    """In tests a session that ends at the fake; None means that the client opens its own."""
    if settings.APPLE_VPP_CLIENT != "fake":
        return None
    from vpp_accounts.apple.fake import FakeAppleAdapter  # noqa: PLC0415  tests only

    if not _fakes:
        raise RuntimeError("APPLE_VPP_CLIENT is “fake”, but no fake is in use here.")
    base = urlsplit(settings.APPLE_VPP_BASE_URL)
    session = requests.Session()
    session.mount(f"{base.scheme}://{base.netloc}", FakeAppleAdapter(_fakes[-1]))
    return session


@contextmanager
def use_fake(fake: FakeApple) -> Iterator[None]:
    """In tests: everything that would go to Apple goes to this object."""
    service_configs.clear()
    _fakes.append(fake)
    try:
        yield
    finally:
        _fakes.remove(fake)


def _on_call() -> Callable[[Call], None] | None:
    return None if settings.APPLE_VPP_CLIENT == "fake" else call_counts.note


def _pacer(key: str) -> Pacer:
    if settings.APPLE_VPP_CLIENT == "fake":
        return LocalPacer(1000)
    return RedisPacer(_redis(), key)


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
