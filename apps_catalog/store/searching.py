"""A worker asks Apple's store, without a token: it is public. Failures become words on the page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import requests
import structlog
from django.conf import settings
from django.utils import timezone

from apps_catalog.models import StoreSearch
from apps_catalog.store.choosing import describe_managed
from apps_catalog.store.reading import Result, read_results
from apps_catalog.store.terms import Question, questions_of
from organizations.models import OF_OPEN
from vpp_accounts.connections import new_session

log = structlog.get_logger(__name__)

TIMEOUT = (5, 20)
UNHEARD = timedelta(seconds=15)  # then the doorbell is rung again
GIVEN_UP = timedelta(minutes=10)
KEPT_FOR = timedelta(days=7)
ASKED_TOO_OFTEN = (403, 429)
AGAIN = "Search again in a minute; what you typed stays here."


class StoreUnavailable(Exception):
    """The store did not answer, or not with results. Its text is shown on the page."""


def run(search_id: UUID | str) -> None:
    """Answer a search that waits. Twice at once, the first answer stays."""
    waits = StoreSearch.objects.filter(OF_OPEN, pk=search_id, answered_at=None)
    search = waits.first()
    if search is None:
        return
    try:
        results, problem = _answer(search), ""
    except StoreUnavailable as error:
        log.warning("store.unavailable", search=str(search_id), reason=str(error))
        results, problem = [], str(error)
    waits.update(results=results, problem=problem, answered_at=timezone.now())
    describe_managed(search.country, results)


def waiting() -> Sequence[UUID]:
    """Of all organizations: those whose bell was not heard."""
    now = timezone.now()
    rows = StoreSearch.objects.using("system").filter(OF_OPEN, answered_at=None)
    unheard = rows.filter(asked_at__range=(now - GIVEN_UP, now - UNHEARD))
    return list(unheard.order_by("asked_at").values_list("pk", flat=True)[:100])


def forget_old() -> int:
    old = StoreSearch.objects.using("system").filter(asked_at__lt=timezone.now() - KEPT_FOR)
    return old.delete()[0]


def _answer(search: StoreSearch) -> list[Result]:
    with new_session() as session:
        for question in questions_of(search.term, country=search.country, platform=search.platform):
            of_platform = "entity" in question.parameters
            items = _ask(session, question)
            if found := read_results(items, search.platform, is_of_platform=of_platform):
                return found
    return []


def _ask(session: requests.Session, question: Question) -> list[Any]:
    url = settings.APPLE_STORE_URL.rstrip("/") + question.path
    try:
        response = session.get(url, params=question.parameters, timeout=TIMEOUT)
    except requests.RequestException:
        raise StoreUnavailable(f"Apple's store could not be reached. {AGAIN}") from None
    if response.status_code in ASKED_TOO_OFTEN:
        raise StoreUnavailable(f"Apple's store takes no more searches just now. {AGAIN}")
    if response.status_code != requests.codes.ok:
        raise StoreUnavailable(f"Apple's store answered with error {response.status_code}. {AGAIN}")
    return _results(response.content)


def _results(body: bytes) -> list[Any]:
    try:
        results = orjson.loads(body)["results"]
    except (ValueError, KeyError, TypeError):
        results = None
    if not isinstance(results, list):
        raise StoreUnavailable(f"Apple's store sent something unreadable. {AGAIN}")
    return results
