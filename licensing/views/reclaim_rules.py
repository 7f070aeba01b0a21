"""The rules of VPP > Reclaim, what they would find, and whom nothing is taken from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from licensing.forms.reclaim import ProtectForm, RulesForm
from licensing.models import LicensedApp, ProtectedHolder, ReclaimCause
from licensing.reclaim import protection
from licensing.reclaim.finding import Count, Reach, candidates, count
from licensing.reclaim.rules import MOST_DAYS, Rule, departure_of, rules_of, save_rules
from licensing.reclaim.telling import why_not_full
from licensing.tables.reclaim import CandidateList, candidate_rows
from licensing.tables.reclaim_protected import ProtectedList
from organizations.access import AdminRequest, organization_view
from organizations.forms import done
from organizations.lists import render_listing
from organizations.models import Organization

MOST_SHOWN = 5000


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view()
def reclaim_rules(request: AdminRequest, organization: Organization) -> HttpResponse:
    form = RulesForm(
        request.POST if request.method == "POST" else None,
        rules=rules_of(organization.pk),
        departure=departure_of(organization.pk),
        locked=not request.membership.can_write,
    )
    found: dict[str, Count] = {}
    if request.method == "POST" and "preview" in request.POST:
        found = would_find(request, form.rules) if form.is_valid() else {}
    elif request.method == "POST" and done(form, lambda: save(request, organization, form)):
        messages.success(request, "The rules are saved. What they find is planned in a moment.")
        return redirect("licensing:reclaim", organization.pk)
    context = {
        "organization": organization,
        "form": form,
        "lines": form.lines(found),
        "is_previewed": bool(found),
        "obstacle": why_not_full(request.membership),
    }
    return render(request, "licensing/reclaim_rules.html", context)


def save(request: AdminRequest, organization: Organization, form: RulesForm) -> None:
    save_rules(
        by=request.actor,
        membership=request.membership,
        organization=organization,
        rules=form.rules,
        departure=form.departure,
    )


def would_find(request: AdminRequest, rules: Iterable[Rule]) -> dict[str, Count]:
    reach = Reach.of(request.membership)
    return {rule.cause: count(reach, rule.cause, rule.days) for rule in rules}


@require_safe
@organization_view()
def reclaim_preview(request: AdminRequest, organization: Organization) -> HttpResponseBase:
    """The list behind “would find 34 licenses of 12 devices now”."""
    cause, days = asked(request)
    reach = Reach.of(request.membership)
    found = candidates(reach, cause, days, MOST_SHOWN)
    listing = CandidateList(request.GET, candidate_rows(found))
    if listing.wants_csv:
        return listing.csv_response(f"reclaim-{cause}", zone=organization.zone)
    context = {
        "organization": organization,
        "rule": Rule(cause, days=days),
        "is_capped": len(found) == MOST_SHOWN,
        "most": MOST_SHOWN,
    }
    return render_listing(request, listing, "licensing/reclaim_preview.html", context)


def asked(request: AdminRequest) -> tuple[str, int]:
    cause, days = request.GET.get("cause", ReclaimCause.UNENROLLED), request.GET.get("days", "30")
    is_number = days.isascii() and days.isdigit() and len(days) < 5
    if cause not in ReclaimCause.values or not is_number or int(days) > MOST_DAYS:
        raise Http404
    return cause, int(days)


# --- Who is protected -----------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view()
def reclaim_protected(request: AdminRequest, organization: Organization) -> HttpResponseBase:
    refuse_network_admins(request)
    form = ProtectForm(
        request.POST if request.method == "POST" else None, titles=titles_of(request)
    )

    def protect() -> None:
        told: dict[str, Any] = form.cleaned_data
        protection.protect(
            by=request.actor,
            membership=request.membership,
            organization=organization,
            whom=protection.named(organization, told["holder"], told["adam_id"]),
            reason=told["reason"],
        )

    if request.method == "POST" and done(form, protect):
        messages.success(request, f"{form.cleaned_data['holder']} is protected.")
        return redirect("licensing:reclaim_protected", organization.pk)
    rows = ProtectedHolder.objects.visible_to(request.membership)
    listing = ProtectedList(request.GET, rows, request.membership)
    if listing.wants_csv:
        return listing.csv_response("protected", zone=organization.zone)
    context = {"organization": organization, "form": form}
    context["obstacle"] = why_not_full(request.membership)
    return render_listing(request, listing, "licensing/reclaim_protected.html", context)


def titles_of(request: AdminRequest) -> Iterable[LicensedApp]:
    ours = LicensedApp.objects.visible_to(request.membership).present()
    return ours.select_related("app")


@require_POST
@organization_view()
def reclaim_unprotect(
    request: AdminRequest, organization: Organization, protected_id: int
) -> HttpResponse:
    ours = ProtectedHolder.objects.visible_to(request.membership).select_related("organization")
    row = get_object_or_404(ours, pk=protected_id)
    protection.unprotect(by=request.actor, membership=request.membership, row=row)
    messages.success(request, f"{row} is no longer protected.")
    return redirect("licensing:reclaim_protected", organization.pk)


def refuse_network_admins(request: AdminRequest) -> None:
    """Of the whole organization: for admins of networks there is no such page."""
    if not request.membership.sees_organization:
        raise Http404
