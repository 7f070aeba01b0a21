"""A title's page: what it is, how many licenses there are, who holds them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from licensing import titles
from licensing.charts import chart_of
from licensing.holders import DEVICE, USER, elsewhere, holders_of
from licensing.models import LicenseCount, LicensedApp
from licensing.tables import DeviceHolderList, UserHolderList
from organizations.access import AdminRequest, organization_view
from organizations.lists import Total, capped_count, render_listing, wants_only_list
from organizations.models import Organization

HISTORY = timedelta(days=365)
HolderList = DeviceHolderList | UserHolderList


@require_safe
@organization_view()
def licensed_app_detail(
    request: AdminRequest,
    organization: Organization,
    account_id: int,
    adam_id: str,
    pricing_param: str,
) -> HttpResponseBase:
    ours = LicensedApp.objects.visible_to(request.membership).select_related("app", "account")
    licensed_app = get_object_or_404(
        ours, account=account_id, adam_id=adam_id, pricing_param=pricing_param
    )
    numbers = {
        kind: capped_count(holders_of(licensed_app, kind), "holder") for kind in (DEVICE, USER)
    }
    listing = holder_list(request, licensed_app, numbers)
    if listing.wants_csv:
        return listing.csv_response(f"{adam_id}-{listing.noun[1]}", zone=organization.zone)
    context = {"organization": organization, "numbers": tabs(listing, numbers)}
    if not wants_only_list(request, listing):
        context |= details(request, licensed_app)
    context |= {"licensed_app": licensed_app, "account": licensed_app.account}
    return render_listing(request, listing, "licensing/licensed_app_detail.html", context)


def holder_list(
    request: AdminRequest, licensed_app: LicensedApp, numbers: dict[Any, Total]
) -> HolderList:
    """Devices, unless users are asked for or are the only ones there can be."""
    fallback = "devices" if numbers[DEVICE].number or not numbers[USER].number else "users"
    if licensed_app.is_book:
        fallback = "users"
    if request.GET.get("holders", fallback) == "users":
        return UserHolderList(request.GET, licensed_app, numbers[USER])
    return DeviceHolderList(request.GET, licensed_app, numbers[DEVICE], request.membership)


def tabs(listing: HolderList, numbers: dict[Any, Total]) -> list[tuple[str, str, Total, bool]]:
    """Label, value in the address, number of holders, whether it is the one shown."""
    users_shown = isinstance(listing, UserHolderList)
    return [
        ("Users", "users", numbers[USER], users_shown),
        ("Devices", "devices", numbers[DEVICE], not users_shown),
    ]


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
        "facts": facts(title, licensed_app),
        "flags": titles.flags_of(licensed_app),
        "history": [(count.day, titles.Counts.of_day(count)) for count in counts],
        "chart": chart_of(counts),
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
