"""A question to the store becomes a row that a worker answers; who asks the same shares it."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps_catalog import hooks
from apps_catalog.models import ManagedPlatform, StoreSearch
from organizations.models import Organization
from organizations.refusals import Refusal

SHARED_FOR = timedelta(hours=1)
FAILED_FOR = timedelta(seconds=20)  # then the same may be asked again
LONGEST_TERM = 200
# Apple allows about twenty questions a minute to all who ask from one address.
MOST_A_MINUTE = 15


class NothingToSearch(Refusal):
    code = "nothing_to_search"
    field = "term"

    def __init__(self) -> None:
        super().__init__("Type a name, a bundle ID, an Adam ID or a link to the App Store.")


class TermTooLong(Refusal):
    code = "term_too_long"
    field = "term"

    def __init__(self, length: int) -> None:
        super().__init__(
            f"The search has {length} characters; at most {LONGEST_TERM} are possible. Shorten it."
        )


class TooManySearches(Refusal):
    code = "too_many_searches"
    field = "term"
    retry_after = 60

    def __init__(self) -> None:
        super().__init__(
            f"This organization has asked the store {MOST_A_MINUTE} times within a minute, and Apple"
            " allows hardly more. Search again in a minute."
        )


def ask(*, organization: Organization, term: str, country: str, platform: str) -> StoreSearch:
    """The search; it is answered soon, or was already."""
    asked = {
        "organization": organization,
        "term": _checked(term),
        "country": country.upper(),
        "platform": ManagedPlatform(platform).value,
    }
    if known := _known(asked):
        return known
    _refuse_flood(organization)
    search = StoreSearch.objects.create(**asked)

    def ring() -> None:
        hooks.store_asked.send(sender=StoreSearch, search_id=search.pk)

    transaction.on_commit(ring, robust=True)
    return search


def _known(asked: dict[str, object]) -> StoreSearch | None:
    now = timezone.now()
    failed_long_ago = ~Q(problem="") & Q(answered_at__lt=now - FAILED_FOR)
    recent = StoreSearch.objects.filter(**asked, asked_at__gte=now - SHARED_FOR)
    return recent.exclude(failed_long_ago).order_by("-asked_at").first()


def _checked(term: str) -> str:
    words = " ".join(term.replace("\x00", "").split())
    if not words:
        raise NothingToSearch
    if len(words) > LONGEST_TERM:
        raise TermTooLong(len(words))
    return words


def _refuse_flood(organization: Organization) -> None:
    since = timezone.now() - timedelta(minutes=1)
    recent = StoreSearch.objects.filter(organization=organization, asked_at__gte=since)
    if recent.count() >= MOST_A_MINUTE:
        raise TooManySearches
