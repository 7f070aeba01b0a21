"""Batches: their list, one's page with its live bar, and what a person can do with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from licensing import batches
from licensing.batches.pauses import reason_to_stop
from licensing.managing.deployed import add_url, undeployed_of
from licensing.models import Batch, BatchKind, LicensedApp, Writer
from licensing.tables import BatchItemList, BatchList, BatchRow
from licensing.views.batch_news import tell_started
from licensing.views.batch_summary import causes_of
from licensing.views.handover import after_of, handover_of
from organizations.access import AdminRequest, organization_view
from organizations.lists import render_listing, wants_only_list
from organizations.models import Membership, Organization
from organizations.refusals import Refusal
from vpp_accounts.models import VppAccount

A_LONG_WAIT = timedelta(minutes=1)


@require_safe
@organization_view()
def batch_list(request: AdminRequest, organization: Organization) -> HttpResponseBase:
    accounts = VppAccount.objects.open_to(request.membership).order_by("name", "pk")
    listing = BatchList(request.GET, request.membership, accounts)
    if listing.wants_csv:
        return listing.csv_response("batches", zone=organization.zone)
    context = {"organization": organization}
    return render_listing(request, listing, "licensing/batch_list.html", context)


@require_safe
@organization_view()
def batch_detail(
    request: AdminRequest, organization: Organization, batch_id: int
) -> HttpResponseBase:
    batch = batch_or_404(request, batch_id)
    listing = BatchItemList(request.GET, batch, request.membership)
    if listing.wants_csv:
        return listing.csv_response(f"batch-{batch.pk}", zone=organization.zone)
    context = {"organization": organization, "batch": batch}
    if not wants_only_list(request, listing):
        context |= progress(batch, request.membership) | {
            "handover": handover_of(batch),
            "after": after_of(batch),
            "undeployed": [
                (title, add_url(title)) for title in undeployed(batch, request.membership)
            ],
        }
    return render_listing(request, listing, "licensing/batch_detail.html", context)


def undeployed(batch: Batch, membership: Membership) -> Sequence[LicensedApp]:
    """Only what a grant has given can be deployed next."""
    is_grant = batch.kind == BatchKind.GRANT and batch.succeeded
    return undeployed_of(batch, membership) if is_grant else ()


@require_safe
@organization_view()
def batch_progress(
    request: AdminRequest, organization: Organization, batch_id: int
) -> HttpResponse:
    """What moves on the page; asked for again and again until the batch is over.

    `?can=` is what the buttons on the screen offer: they are exchanged only when that changes, so
    that none is taken from under somebody's finger.
    """
    context = progress(batch_or_404(request, batch_id), request.membership)
    context |= {"organization": organization, "swapped": True}
    context["changed"] = request.GET.get("can") != context["can"]
    response = render(request, "licensing/_batch_progress_update.html", context)
    if context["batch"].finished_at:
        trigger_client_event(response, "batch-over")
    return response


@require_POST
@organization_view(network_writes=True)
def batch_cancel(request: AdminRequest, organization: Organization, batch_id: int) -> HttpResponse:
    batch = batch_or_404(request, batch_id)
    try:
        number = batches.cancel(by=request.actor, batch=batch, membership=request.membership)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        what = "1 item" if number == 1 else f"{number:,} items"
        when = "the mail was written" if batch.kind == BatchKind.INVITE else "Apple was asked"
        still = " What was sent already runs to its end." if batch.pending else ""
        messages.success(request, f"{what} cancelled before {when}.{still}")
    return redirect("licensing:batch_detail", organization.pk, batch.pk)


@require_POST
@organization_view(network_writes=True)
def batch_retry(request: AdminRequest, organization: Organization, batch_id: int) -> HttpResponse:
    batch = batch_or_404(request, batch_id)
    again = batch.retries.order_by("-pk").first()
    if again is not None:
        messages.info(request, f"What failed in #{batch.pk} was tried again already, here.")
        return redirect("licensing:batch_detail", organization.pk, again.pk)
    try:
        again = batches.retry(by=request.actor, membership=request.membership, batch=batch)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("licensing:batch_detail", organization.pk, batch.pk)
    tell_started(request, again)
    return redirect("licensing:batch_detail", organization.pk, again.pk)


def batch_or_404(request: AdminRequest, batch_id: int) -> Batch:
    ours = Batch.objects.visible_to(request.membership)
    batch: Batch = get_object_or_404(ours.select_related("account", "retry_of"), pk=batch_id)
    return batch


def progress(batch: Batch, membership: Membership) -> dict[str, Any]:
    """Everything that changes while a batch runs; the counts are those of its row."""
    again = batch.retries.order_by("-pk").first() if batch.failed else None
    runs = batch.finished_at is None
    writer = Writer.objects.filter(account=batch.account_id).first() if runs else None
    unsent = batch.planned + batch.waiting
    stopped = reason_to_stop(batch.account)
    is_held_up = bool(stopped) and batch.kind != BatchKind.INVITE  # mail needs no Apple
    can_retry = batch.failed > 0 and again is None and not is_held_up
    return {
        "batch": batch,
        "row": BatchRow(batch),
        "causes": causes_of(batch),
        "writer": writer,
        "nobody_works": nobody_works(writer),
        "unsent": unsent,
        "again": again,
        "stopped": stopped,
        "can_retry": can_retry,
        "obstacle": batches.why_not_control(batch, membership),
        "can": f"{unsent > 0:d}{can_retry:d}",
    }


def nobody_works(writer: Writer | None) -> bool:
    """Called for so long that probably no worker runs."""
    if writer is None or writer.next_work_at is None:
        return False
    now = timezone.now()
    is_held = writer.lease_until is not None and writer.lease_until > now
    return not is_held and writer.next_work_at < now - A_LONG_WAIT
