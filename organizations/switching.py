"""Between organizations: which ones this session opens, and the few that were used last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from django.http import HttpRequest

from organizations import lookups, tenancy
from organizations.models import Admin, Membership
from organizations.models.people import MembershipQuerySet
from organizations.signin import conditions, factors, limits

RECENT = "recent_organizations"  # in the session: ids, the last used first
REMEMBERED = 6  # the one at hand, and five beside it


def enterable(request: HttpRequest) -> list[int]:
    """The ids of all organizations that this session may enter."""
    found = lookups.accepted_memberships_of.all(_admin(request).pk)
    return limits.within(request, [each.organization_id for each in found])


def memberships(request: HttpRequest, ids: Iterable[int]) -> MembershipQuerySet:
    """Their own in these organizations; to be read `among` them."""
    return Membership.objects.of(_admin(request)).filter(organization__in=list(ids))


def has_several(request: HttpRequest) -> bool:
    """Asked once for each request."""
    if not hasattr(request, "_has_several"):
        found = lookups.two_memberships_of.all(_admin(request).pk)
        is_limited = limits.only_organization(request) is not None
        request._has_several = len(found) > 1 and not is_limited  # type: ignore[attr-defined]
    return bool(request._has_several)  # type: ignore[attr-defined]


def recent(request: HttpRequest, *, but: int) -> list[Membership]:
    """Of the last used organizations, but for the one at hand, those that still let them in."""
    ids = [pk for pk in request.session.get(RECENT, []) if pk != but]
    if not ids:
        return []
    with tenancy.among(ids):
        found = {each.organization_id: each for each in memberships(request, ids)}
    return [found[pk] for pk in ids if pk in found]


def note_visit(request: HttpRequest, organization_id: int) -> None:
    """Written only when it is another organization than before, and by whole pages: parts of two
    pages that are open side by side come every few seconds.
    """
    before: list[int] = request.session.get(RECENT, [])
    is_page = request.method == "GET" and not getattr(request, "htmx", False)
    if before[:1] == [organization_id] or not is_page or not has_several(request):
        return
    others = [pk for pk in before if pk != organization_id]
    request.session[RECENT] = [organization_id, *others][:REMEMBERED]


def opened(request: HttpRequest, theirs: Iterable[Membership]) -> list[Membership]:
    """Those whose doors would let this session in (closing, signin.requirements): a summary of
    several organizations must not show what its own pages would ask a better sign-in for.
    """
    return [each for each in met(request, theirs) if each.organization.is_open]


def met(request: HttpRequest, theirs: Iterable[Membership]) -> list[Membership]:
    """Those that ask for no other sign-in than this one, whether they are open or closed."""
    has_factor = factors.has_second_factor(_admin(request))
    return [each for each in theirs if _is_met(request, each, has_factor=has_factor)]


def _is_met(request: HttpRequest, membership: Membership, *, has_factor: bool) -> bool:
    return (
        not conditions.is_ended(request, membership)
        and not conditions.lacks_single_sign_on(request, membership)
        and (has_factor or not conditions.asks_for_second_factor(request, membership))
    )


def _admin(request: HttpRequest) -> Admin:
    return cast("Admin", request.user)
