"""All my organizations: what needs somebody in which of them, and the way from one to another."""

from __future__ import annotations

from typing import TypeVar

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from licensing.elsewhere import HOME, choice_of
from licensing.frame import PAGES
from licensing.overview_all import overview
from licensing.tables.organizations import OrganizationList
from organizations import switching, tenancy
from organizations.lists import render_listing

FOUND = 20  # at a time, by the search of the switcher
Answer = TypeVar("Answer", bound=HttpResponseBase)


@require_safe
@login_required
def organization_list(request: HttpRequest) -> HttpResponseBase:
    ids = switching.enterable(request)
    with tenancy.among(ids):
        theirs = list(switching.memberships(request, ids))
        rows = overview(theirs, switching.opened(request, theirs))
    listing = OrganizationList(request.GET, rows)
    if listing.wants_csv:
        return private(listing.csv_response("organizations", zone=timezone.get_default_timezone()))
    context = {"now": timezone.now()}
    return private(render_listing(request, listing, "licensing/organization_list.html", context))


@require_safe
@login_required
def organization_search(request: HttpRequest) -> HttpResponse:
    """For the switcher: the names that match, as links to the same page there."""
    text = request.GET.get("q", "").replace("\0", "").strip()[:200]
    page, here = request.GET.get("page", HOME), request.GET.get("here", "")
    ids = switching.enterable(request)
    with tenancy.among(ids):
        theirs = switching.memberships(request, [pk for pk in ids if str(pk) != here])
        matching = theirs.filter(organization__name__icontains=text)
        found = list(matching.order_by("organization__name", "pk")[: FOUND + 1])
    context = {
        "choices": [choice_of(membership, page, PAGES) for membership in found[:FOUND]],
        "has_more": len(found) > FOUND,
        "searched": True,
    }
    return private(render(request, "licensing/_organization_choices.html", context))


def private(response: Answer) -> Answer:
    patch_cache_control(response, private=True, no_store=True)
    return response
