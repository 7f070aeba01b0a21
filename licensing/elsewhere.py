"""The page at hand, in another organization."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from organizations.models import Membership

HOME = "licensing:overview"


class Place(Protocol):
    """A page of the navigation."""

    @property
    def url_name(self) -> str: ...
    @property
    def below(self) -> str: ...
    @property
    def organization_wide(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """An organization to go to."""

    name: str
    url: str


def page_of(request: HttpRequest, current: Place | None) -> str:
    """The name of the page at hand if it is about no row; else of the one it stands below."""
    match = request.resolver_match
    if match and set(match.kwargs) == {"organization_id"} and request.method in ("GET", "HEAD"):
        return match.view_name
    return current.url_name if current else HOME


def choice_of(membership: Membership, page: str, places: Iterable[Place]) -> Choice:
    return Choice(membership.organization.name, url_in(membership, page, places))


def url_in(membership: Membership, page: str, places: Iterable[Place]) -> str:
    """That page of the organization, as far as this membership lets them in."""
    organization_id = membership.organization_id
    home = reverse(HOME, args=[organization_id])
    try:
        url = reverse(page, args=[organization_id])
    except NoReverseMatch:
        return home
    below = url.removeprefix(home)
    place = next((each for each in places if each.below and below.startswith(each.below)), None)
    if place is None or (place.organization_wide and not membership.sees_organization):
        return home
    # Pages below that one may need the right to write.
    return url if membership.can_write else reverse(place.url_name, args=[organization_id])
