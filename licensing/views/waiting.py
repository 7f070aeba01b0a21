"""The waiting list of a title: looked at, shortened, put in another order."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from licensing import batches
from licensing.models import BatchItem, LicensedApp
from licensing.tables import WaitingList, queue_of
from licensing.tables.waiting import waiting_for
from licensing.titles import name_of, url_of
from licensing.views.licensed_apps import licensed_app_or_404
from organizations.access import AdminRequest, organization_view
from organizations.lists import render_listing
from organizations.models import Organization
from organizations.network_choice import chosen_network
from organizations.refusals import Refusal
from vpp_accounts.permissions import refuse_strangers, why_not

STEPS = {"raise": 1, "lower": -1}


class NothingWanted(Refusal):
    def __init__(self) -> None:
        super().__init__("Press one of the buttons above the list to say what is to be done.")


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(network_writes=True)
def waiting_list(
    request: AdminRequest,
    organization: Organization,
    account_id: int,
    adam_id: str,
    pricing_param: str,
) -> HttpResponseBase:
    title = licensed_app_or_404(request, account_id, adam_id, pricing_param)
    if request.method == "POST":
        return change(request, title)
    listing = WaitingList(request.GET, title, request.membership, chosen_network(request))
    if listing.wants_csv:
        return listing.csv_response(f"{adam_id}-waiting", zone=organization.zone)
    context = {
        "organization": organization,
        "licensed_app": title,
        "name": name_of(title),
        "title_url": url_of(title),
        "queue": queue_of(title),
        "obstacle": why_not(title.account, request.membership),
        "order_obstacle": batches.why_not_order(title.account, request.membership),
    }
    return render_listing(request, listing, "licensing/waiting_list.html", context)


def change(request: AdminRequest, title: LicensedApp) -> HttpResponse:
    """Do with the chosen ones what the pressed button says, and show the same list again."""
    refuse_strangers(title.account, request.membership)
    chosen = chosen_of(request.POST, title)
    try:
        told = carry_out(request, chosen)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, told)
    return redirect(request.get_full_path())


def carry_out(request: AdminRequest, chosen: QuerySet[BatchItem]) -> str:
    action = request.POST.get("action", "")
    who: Any = {"by": request.actor, "membership": request.membership}
    if action == "take-off":
        number = batches.take_off(items=chosen, **who)
        return f"{number:,} taken off the waiting list."
    if action in STEPS:
        number = batches.move_in_queue(items=chosen, step=STEPS[action], **who)
        return f"Priority of {number:,} changed."
    raise NothingWanted


def chosen_of(posted: QueryDict, title: LicensedApp) -> QuerySet[BatchItem]:
    """Ids of anything else than this title's waiting list choose nobody."""
    waiting = waiting_for(title)
    if posted.get("everyone"):
        return waiting
    texts = [text for text in posted.getlist("item") if text.isascii() and text.isdigit()]
    return waiting.filter(pk__in=[int(text) for text in texts if len(text) < 19])
