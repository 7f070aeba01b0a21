"""Organization > MDM: the table of Apple VPP accounts, and their syncs as they run."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from apps_catalog.channels.choosing import kind_of
from licensing.views.account_answers import account_or_404, row_context, table_context
from licensing.views.account_rows import AccountRow, account_rows
from organizations.access import AdminRequest, organization_view
from organizations.models import Organization
from organizations.refusals import Refusal
from vpp_accounts.models import SyncRun, VppAccount
from vpp_accounts.permissions import refuse_strangers
from vpp_accounts.runs import request_sync


@organization_view()
@require_safe
def mdm(request: AdminRequest, organization: Organization) -> HttpResponse:
    sees_channel = request.membership.sees_organization
    context = {
        "sees_channel": sees_channel,
        "channel_kind": kind_of(organization.pk) if sees_channel else None,
    }
    return render(request, "licensing/mdm.html", table_context(request) | context)


@organization_view()
@require_safe
def account_row(request: AdminRequest, organization: Organization, account_id: int) -> HttpResponse:
    """Asked for again and again while a run is open; `?run=` is the one on the screen."""
    account = account_or_404(request, account_id)
    row = _row(request, account)
    run = _run_on_the_screen(request, account)
    if run and not run.is_open:
        _tell_outcome(request, row, run)
    return _row_answer(request, row)


@organization_view(network_writes=True)
@require_POST
def account_sync(
    request: AdminRequest, organization: Organization, account_id: int
) -> HttpResponse:
    account = account_or_404(request, account_id)
    refuse_strangers(account, request.membership)
    try:
        request_sync(by=request.actor, account=account, trigger=SyncRun.Trigger.MANUAL)
    except Refusal as refusal:
        messages.error(request, f"{account.name} was not synced. {refusal}")
    if request.htmx and request.htmx.target == f"account-{account.pk}":
        return _row_answer(request, _row(request, account))
    return redirect(_where_they_came_from(request, organization))


def _row(request: AdminRequest, account: VppAccount) -> AccountRow:
    return account_rows(request.membership, VppAccount.objects.filter(pk=account.pk))[0]


def _row_answer(request: AdminRequest, row: AccountRow) -> HttpResponse:
    context = {"row": row} | row_context(request)
    return render(request, "licensing/_account_row_update.html", context)


def _run_on_the_screen(request: AdminRequest, account: VppAccount) -> SyncRun | None:
    run_id = request.GET.get("run", "")
    if not (run_id.isascii() and run_id.isdigit() and len(run_id) < 19):
        return None
    return SyncRun.objects.filter(account=account, pk=int(run_id)).first()


def _tell_outcome(request: AdminRequest, row: AccountRow, run: SyncRun) -> None:
    if run.outcome == SyncRun.Outcome.FAILED:
        messages.error(request, f"{row.account.name} could not be synced. {run.message}")
    elif row.holdings is None:
        messages.success(request, f"{row.account.name} is synced.")
    else:
        address = reverse("licensing:licensed_app_list", args=[row.account.organization_id])
        messages.success(
            request,
            format_html(
                "{} is synced: {}. "
                '<a class="alert-link" href="{}?account={}">See its licenses under Manage > VPP</a>',
                row.account.name,
                row.holdings.in_words,
                address,
                row.account.pk,
            ),
        )


def _where_they_came_from(request: AdminRequest, organization: Organization) -> str:
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}):
        return wanted
    return reverse("licensing:mdm", args=[organization.pk])
