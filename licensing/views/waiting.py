"""The waiting list of a title: looked at, shortened, put in another order."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from licensing import batches
from licensing.models import BatchItem, LicensedApp
from licensing.tables import WaitingList, queue_of
from licensing.tables.waiting import waiting_for
from licensing.titles import name_of, url_of
from organizations.access import AdminRequest, organization_view
from organizations.audit import Actor
from organizations.lists import render_listing
from organizations.models import Organization
from organizations.refusals import Refusal

STEPS = {"raise": 1, "lower": -1}


class NothingWanted(Refusal):
    def __init__(self) -> None:
        super().__init__("Press one of the buttons above the list to say what is to be done.")


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view()
def waiting_list(
    request: AdminRequest,
    organization: Organization,
    account_id: int,
    adam_id: str,
    pricing_param: str,
) -> HttpResponseBase:
    ours = LicensedApp.objects.visible_to(request.membership).select_related("app", "account")
    title = get_object_or_404(
        ours, account=account_id, adam_id=adam_id, pricing_param=pricing_param
    )
    if request.method == "POST":
        return change(request, title)
    listing = WaitingList(request.GET, title, request.membership)
    if listing.wants_csv:
        return listing.csv_response(f"{adam_id}-waiting", zone=organization.zone)
    context = {
        "organization": organization,
        "licensed_app": title,
        "name": name_of(title),
        "title_url": url_of(title),
        "queue": queue_of(title),
    }
    return render_listing(request, listing, "licensing/waiting_list.html", context)


def change(request: AdminRequest, title: LicensedApp) -> HttpResponse:
    """Do with the chosen ones what the pressed button says, and show the same list again."""
    chosen = chosen_of(request.POST, title)
    try:
        told = carry_out(request.POST.get("action", ""), request.actor, chosen)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, told)
    return redirect(request.get_full_path())


def carry_out(action: str, by: Actor, chosen: QuerySet[BatchItem]) -> str:
    if action == "take-off":
        number = batches.take_off(by=by, items=chosen)
        return f"{number:,} taken off the waiting list."
    if action in STEPS:
        number = batches.move_in_queue(by=by, items=chosen, step=STEPS[action])
        return f"Priority of {number:,} changed."
    raise NothingWanted


def chosen_of(posted: QueryDict, title: LicensedApp) -> QuerySet[BatchItem]:
    """Ids of anything else than this title's waiting list choose nobody."""
    waiting = waiting_for(title)
    if posted.get("everyone"):
        return waiting
    texts = [text for text in posted.getlist("item") if text.isascii() and text.isdigit()]
    return waiting.filter(pk__in=[int(text) for text in texts if len(text) < 19])
