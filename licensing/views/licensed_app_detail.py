"""A title's page: what it is, how many licenses there are, who holds them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from licensing import titles
from licensing.charts import chart_of
from licensing.holders import DEVICE, USER, elsewhere, holders_of, pending_of
from licensing.managing.deployed import add_url, deployed_as
from licensing.models import Assignment, BatchKind, LicenseCount, LicensedApp
from licensing.tables import DeviceHolderList, UserHolderList, queue_of
from licensing.views.licensed_apps import licensed_app_or_404
from licensing.views.selection import actions_for, chosen_before, plan_selection
from organizations.access import AdminRequest, organization_view
from organizations.lists import Total, capped_count, render_listing, wants_only_list
from organizations.models import Organization
from organizations.network_choice import chosen_network
from vpp_accounts.permissions import why_not

HISTORY = timedelta(days=365)
HolderList = DeviceHolderList | UserHolderList


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(network_writes=True)
def licensed_app_detail(
    request: AdminRequest,
    organization: Organization,
    account_id: int,
    adam_id: str,
    pricing_param: str,
) -> HttpResponseBase:
    licensed_app = licensed_app_or_404(request, account_id, adam_id, pricing_param)
    numbers = {
        kind: capped_count(holders_of(licensed_app, kind), "holder") for kind in (DEVICE, USER)
    }
    listing = holder_list(request, licensed_app, numbers)
    if request.method == "POST":
        return plan_selection(request, listing)
    if listing.wants_csv:
        return listing.csv_response(f"{adam_id}-{listing.noun[1]}", zone=organization.zone)
    context = {"organization": organization, "tabs": tabs(listing, numbers)}
    if not wants_only_list(request, listing):
        context |= details(request, licensed_app)
    context |= {"licensed_app": licensed_app, "account": licensed_app.account}
    context |= selection(request, listing)
    return render_listing(request, listing, "licensing/licensed_app_detail.html", context)


def holder_list(
    request: AdminRequest, licensed_app: LicensedApp, numbers: dict[Any, Total]
) -> HolderList:
    """Devices, unless users are asked for or are the only ones there can be."""
    if which_tab(request, licensed_app, numbers) == "users":
        return UserHolderList(request.GET, licensed_app, request.membership)
    network = chosen_network(request)
    return DeviceHolderList(request.GET, licensed_app, request.membership, network)


def which_tab(request: AdminRequest, title: LicensedApp, numbers: dict[Any, Total]) -> str:
    """Books have one tab only."""
    asked = request.GET.get("holders", "")
    if title.is_book:
        return "users"
    if asked in ("devices", "users"):
        return asked
    some_devices = bool(numbers[DEVICE].number)
    only_people = bool(numbers[USER].number) or not title.device_assignable
    return "users" if only_people and not some_devices else "devices"


@dataclass(frozen=True, slots=True)
class Tab:
    """`number`: how many of them hold a license."""

    label: str
    value: str
    number: Total
    is_shown: bool


def tabs(listing: HolderList, numbers: dict[Any, Total]) -> list[Tab]:
    def tab(label: str, kind: Assignment.HolderKind) -> Tab:
        return Tab(label, label.lower(), numbers[kind], listing.holder_kind == kind)

    users, devices = tab("Users", USER), tab("Devices", DEVICE)
    return [users] if listing.title.is_book else [users, devices]


def selection(request: AdminRequest, listing: HolderList) -> dict[str, Any]:
    """What the check boxes and the buttons above them need."""
    needless = dict.fromkeys(str(row.needless.pk) for row in listing.rows if row.needless)
    actions = actions_for(listing.title, listing.holder_kind, request.membership)
    return {
        "actions": actions,
        "may_revoke": any(each.kind == BatchKind.REVOKE and not each.obstacle for each in actions),
        "chosen": chosen_before(request),
        "needless": list(needless),
    }


def details(request: AdminRequest, licensed_app: LicensedApp) -> dict[str, Any]:
    """Everything on the page that stands around the list of holders."""
    since = timezone.localdate() - HISTORY
    counts = list(
        LicenseCount.objects.filter(licensed_app=licensed_app, day__gt=since).order_by("-day")
    )
    others = elsewhere(licensed_app, request.membership)
    title = titles.title_of([licensed_app])
    return {
        "title": title,
        "obstacle": why_not(licensed_app.account, request.membership),
        "facts": facts(title, licensed_app),
        "flags": titles.flags_of(licensed_app),
        "history": [(count.day, titles.Counts.of_day(count)) for count in counts],
        "chart": chart_of(counts),
        "queue": queue_of(licensed_app),
        "pending": pending_of(licensed_app),
        "deployed": deployed_as([licensed_app.adam_id], request.membership).get(
            licensed_app.adam_id, []
        ),
        "deploy_url": add_url(licensed_app),
        "others": [(other, titles.title_of([other])) for other in others],
    }


def facts(title: titles.Title, licensed_app: LicensedApp) -> list[tuple[str, str]]:
    """Label and value; empty means that the store does not tell."""
    known = [
        ("Adam ID", title.adam_id),
        ("Bundle ID", title.bundle_id),
        ("Platforms", title.platforms),
        ("Minimum OS", licensed_app.app.minimum_os),
        ("Price class", title.price_class),
    ]
    return [fact for fact in known if fact[0] != "Minimum OS" or not title.is_book]
