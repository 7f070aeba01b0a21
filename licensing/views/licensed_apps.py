"""Systems Manager > Manage > VPP, tab Licensed applications."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import F, Sum
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from licensing import titles
from licensing.filters import title_matches
from licensing.models import LicensedApp
from licensing.tables import LicensedAppList
from organizations.access import AdminRequest, organization_view
from organizations.lists import render_listing
from organizations.models import Membership, Organization
from vpp_accounts.models import SyncRun, VppAccount
from vpp_accounts.permissions import why_not
from vpp_accounts.states import StateWords, words_for

ALL = "all"


@dataclass(frozen=True, slots=True)
class SyncLine:
    """How fresh one account's numbers are, and why it cannot be asked for newer ones."""

    account: VppAccount
    run: SyncRun | None
    words: StateWords
    obstacle: str

    @property
    def location(self) -> str:
        return self.account.location_name or self.account.name


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What another account holds of a title that the chosen one has not."""

    account: VppAccount
    licenses: int
    unlimited: bool
    url: str

    @property
    def words(self) -> str:
        """“12 licenses are”, “1 license is”, “unlimited licenses are”."""
        if self.unlimited:
            return "Unlimited licenses are"
        return "1 license is" if self.licenses == 1 else f"{self.licenses:,} licenses are"


@require_safe
@organization_view()
def vpp(request: AdminRequest, organization: Organization) -> HttpResponse:
    """The first tab, with what the address asks for."""
    query = request.META["QUERY_STRING"]
    address = reverse("licensing:licensed_app_list", args=[organization.pk])
    return redirect(f"{address}?{query}" if query else address)


@require_safe
@organization_view()
def licensed_app_list(request: AdminRequest, organization: Organization) -> HttpResponseBase:
    accounts = accounts_of(request.membership)
    chosen = chosen_accounts(request, accounts)
    listing = LicensedAppList(request.GET, request.membership, chosen)
    if listing.wants_csv:
        return listing.csv_response("licensed-applications", zone=organization.zone)
    context = {
        "accounts": accounts,
        "chosen": chosen,
        "account": chosen[0] if len(chosen) == 1 else None,
        "none_left_url": listing.address(licenses="none-left"),
    } | sync_context(request, chosen)
    if not listing.rows and not listing.is_filtered:
        context["missing"] = missing_step(request, context["syncs"])
    if not listing.rows and (text := listing.params.get("q")) and len(chosen) < len(accounts):
        others = [account for account in accounts if account not in chosen]
        context["elsewhere"] = elsewhere(request, others, text)
    return render_listing(request, listing, "licensing/licensed_app_list.html", context)


@require_safe
@organization_view()
def licensed_app_sync(request: AdminRequest, organization: Organization) -> HttpResponse:
    """How far the syncs are, asked for while one runs; its end makes the list load again."""
    accounts = accounts_of(request.membership)
    context = sync_context(request, chosen_accounts(request, accounts))
    response = render(request, "licensing/_licensed_app_sync.html", context)
    if context["running"] != request.GET.get("running"):
        response["HX-Trigger"] = "licenses-changed"
    return response


def licensed_app_or_404(
    request: AdminRequest, account_id: int, adam_id: str, pricing_param: str
) -> LicensedApp:
    """With what this admin may do in its account."""
    ours = LicensedApp.objects.visible_to(request.membership).select_related("app", "account")
    key = {"adam_id": adam_id, "pricing_param": pricing_param}
    found = get_object_or_404(ours, account=account_id, **key)
    found.account = found.account.with_rights_of(request.membership)
    return found


def accounts_of(membership: Membership) -> list[VppAccount]:
    return list(VppAccount.objects.open_to(membership).with_rights(membership))


def chosen_accounts(request: AdminRequest, accounts: list[VppAccount]) -> list[VppAccount]:
    """The one in the address; all of them where it names none that this admin may see."""
    wanted = request.GET.get("account", ALL)
    return [account for account in accounts if str(account.pk) == wanted] or accounts


def sync_context(request: AdminRequest, accounts: list[VppAccount]) -> dict[str, Any]:
    """`running` names the open runs, so that the end of one is noticed though another begins."""
    syncs = sync_lines(request, accounts)
    running = ",".join(str(line.run.pk) for line in syncs if line.run)
    organization = request.membership.organization
    query = {"account": request.GET.get("account", ALL), "running": running}
    poll = reverse("licensing:licensed_app_sync", args=[organization.pk])
    back = reverse("licensing:licensed_app_list", args=[organization.pk])
    return {
        "organization": organization,
        "syncs": syncs,
        "running": running,
        "poll_url": f"{poll}?{urlencode(query)}" if running else "",
        "back_url": f"{back}?{urlencode({'account': query['account']})}",
    }


def sync_lines(request: AdminRequest, accounts: list[VppAccount]) -> list[SyncLine]:
    open_runs = SyncRun.objects.open().filter(account__in=[account.pk for account in accounts])
    runs = {run.account_id: run for run in open_runs} if accounts else {}
    return [
        SyncLine(account, runs.get(account.pk), words_for(account), obstacle(request, account))
        for account in accounts
    ]


def obstacle(request: AdminRequest, account: VppAccount) -> str:
    if account.is_stopped:
        words = words_for(account)
        return f"{words.label}. {words.what_to_do}"
    return why_not(account, request.membership)


def missing_step(request: AdminRequest, syncs: list[SyncLine]) -> str:
    """What has to happen next before there can be titles."""
    if not syncs:
        # Also a network admin, who sees no accounts but those that are open to them.
        some = VppAccount.objects.filter(organization=request.membership.organization_id).exists()
        return "permission" if some else "account"
    if any(line.account.last_synced_at for line in syncs):
        return "titles"
    return "running" if any(line.run for line in syncs) else "sync"


def elsewhere(request: AdminRequest, accounts: list[VppAccount], text: str) -> list[Elsewhere]:
    """The search of the chosen account, done in the others; asked only when it found nothing."""
    found = (
        titles.titles_in(request.membership, accounts)
        .filter(title_matches(text))
        .values(holder=F("account"))
        .annotate(
            licenses=Sum("total_count", filter=~titles.IS_UNLIMITED, default=0),
            unlimited=titles.any_of(titles.IS_UNLIMITED),
        )
    )
    by_id = {account.pk: account for account in accounts}
    return [
        Elsewhere(
            account=by_id[row["holder"]],
            licenses=row["licenses"],
            unlimited=row["unlimited"],
            url=f"?{urlencode({'account': row['holder'], 'q': text})}",
        )
        for row in found
    ]
