"""Manage > Apps > an app > Redemption codes: the list, handing out, showing one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from apps_catalog.codes import changing
from apps_catalog.codes.counting import counts_of, lacking
from apps_catalog.codes.handing_out import (
    MOST_AT_ONCE,
    hand_out,
    owners_in_scope,
    recipients,
)
from apps_catalog.codes.refusals import NothingSaid
from apps_catalog.models import CodeImport, ManagedApp, RedemptionCode
from apps_catalog.reasons import Reason
from apps_catalog.tables.codes import CodeList, RecipientList
from organizations.access import AdminRequest, organization_view
from organizations.lists import render_listing
from organizations.models import Organization
from organizations.refusals import Refusal

NOT_YOUR_NETWORK = "You have no write access to the network of this app."
READ_ONLY = (
    "You have read-only access to the network of this app; an admin who may write there can do it."
)
REDEEMED, TAKE_BACK, DELETE = "redeemed", "take_back", "delete"
ACTS: dict[str, tuple[Callable[..., int], str]] = {
    REDEEMED: (changing.mark_redeemed, "marked as redeemed"),
    TAKE_BACK: (
        changing.take_back,
        "taken back. Whoever was sent one can still redeem it: Apple cannot be told",
    ),
    DELETE: (changing.delete_unused, "deleted"),
}


@dataclass(frozen=True, slots=True)
class Action:
    kind: str
    label: str
    obstacle: str


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(network_writes=True)
def code_list(request: AdminRequest, organization: Organization, app_id: int) -> HttpResponseBase:
    managed_app = app_or_404(request, app_id)
    obstacle = why_read_only(request, managed_app)
    listing = CodeList(request.GET, managed_app, obstacle)
    if request.method == "POST":
        refuse_readers(request, managed_app)
        return act(request, managed_app, listing)
    if listing.wants_csv:
        return listing.csv_response("redemption-codes", zone=organization.zone)
    missing = lacking(managed_app)
    counts = counts_of(managed_app)
    waiting = CodeImport.objects.filter(managed_app=managed_app, finished_at=None)
    context = {
        "organization": organization,
        "managed_app": managed_app,
        "obstacle": obstacle,
        "counts": counts,
        "lacking": missing,
        "no_code": Reason.NO_CODE if missing and not counts.unused else None,
        "waiting": waiting.order_by("-created_at")[:5],
        "actions": [
            Action(REDEEMED, "Mark as redeemed", obstacle),
            Action(TAKE_BACK, "Take back", obstacle),
            Action(DELETE, "Delete unused", obstacle),
        ],
    }
    return render_listing(request, listing, "apps_catalog/code_list.html", context)


def act(request: AdminRequest, managed_app: ManagedApp, listing: CodeList) -> HttpResponse:
    try:
        told = carry_out(request, managed_app, listing)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, told)
    return redirect(f"{request.path}{listing.here_url}")


def carry_out(request: AdminRequest, managed_app: ManagedApp, listing: CodeList) -> str:
    kind = request.POST.get("kind", "")
    if kind not in ACTS:
        raise NothingSaid
    service, told = ACTS[kind]
    number = service(
        by=request.actor, managed_app=managed_app, code_ids=listing.chosen(request.POST)
    )
    return f"{number:,} code{'' if number == 1 else 's'} {told}."


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(network_writes=True)
def code_hand_out(
    request: AdminRequest, organization: Organization, app_id: int
) -> HttpResponseBase:
    managed_app = app_or_404(request, app_id)
    refuse_readers(request, managed_app)
    owners = recipients(request.membership)
    listing = RecipientList(request.GET, managed_app, owners, owners_in_scope(managed_app))
    if request.method == "POST":
        return give(request, managed_app, listing)
    context = {
        "organization": organization,
        "managed_app": managed_app,
        "counts": counts_of(managed_app),
        "most": MOST_AT_ONCE,
        "actions": [Action("hand_out", "Hand out one code each", "")],
    }
    return render_listing(request, listing, "apps_catalog/code_hand_out.html", context)


def give(request: AdminRequest, managed_app: ManagedApp, listing: RecipientList) -> HttpResponse:
    try:
        codes = hand_out(
            by=request.actor,
            membership=request.membership,
            managed_app=managed_app,
            owner_ids=listing.chosen(request.POST),
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(f"{request.path}{listing.here_url}")
    number = len(codes)
    told = (
        "1 code is handed out; its mail goes"
        if number == 1
        else f"{number:,} codes are handed out; their mails go"
    )
    messages.success(request, f"{told} out now. A mail that fails is marked in the list.")
    return redirect("apps_catalog:code_list", managed_app.organization_id, managed_app.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(network_writes=True, recent=True)
def code_show(
    request: AdminRequest, organization: Organization, app_id: int, code_id: int
) -> HttpResponse:
    """The answer to the POST shows the code, and no other page ever does."""
    managed_app = app_or_404(request, app_id)
    ours = RedemptionCode.objects.filter(managed_app=managed_app).select_related("owner")
    code = get_object_or_404(ours, pk=code_id)
    refuse_readers(request, managed_app)
    context: dict[str, Any] = {
        "organization": organization,
        "managed_app": managed_app,
        "code": code,
    }
    if request.method == "POST":
        try:
            context["text"] = changing.show(by=request.actor, code=code)
        except Refusal as refusal:
            messages.error(request, str(refusal))
    return render(request, "apps_catalog/code_show.html", context)


def app_or_404(request: AdminRequest, app_id: int) -> ManagedApp:
    ours = ManagedApp.objects.visible_to(request.membership)
    found = ours.select_related("app", "network", "organization")
    managed_app: ManagedApp = get_object_or_404(found, pk=app_id)
    return managed_app


def why_read_only(request: AdminRequest, managed_app: ManagedApp) -> str:
    """Empty where this admin may change the app."""
    mine = ManagedApp.objects.writable_by(request.membership).filter(pk=managed_app.pk)
    if mine.exists():
        return ""
    return NOT_YOUR_NETWORK if request.membership.can_write_somewhere else READ_ONLY


def refuse_readers(request: AdminRequest, managed_app: ManagedApp) -> None:
    if why := why_read_only(request, managed_app):
        raise PermissionDenied(why)
