"""Holders that no inventory knows: how many, who, and all their licenses taken back."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from licensing import unknown
from licensing.forms.unknown_holders import ChosenField, RevokeForm
from licensing.holders import DEVICE, USER
from licensing.models import BatchKind
from licensing.tables.unknown_holders import UnknownHolderList
from licensing.views.selection import Action, make_plan, plan_url
from organizations.access import AdminRequest, organization_view
from organizations.lists import Total, render_listing
from organizations.models import Organization
from organizations.refusals import Refusal
from vpp_accounts.models import VppAccount
from vpp_accounts.permissions import obstacle_of, refuse_strangers
from vpp_accounts.refusals import CannotDo

REVOKE = "Revoke all licenses of the chosen"


@dataclass(frozen=True, slots=True)
class AccountCount:
    account: VppAccount
    devices: Total
    users: Total

    @property
    def total(self) -> Total:
        number = self.devices.number + self.users.number
        return Total(number, self.devices.is_capped)


@require_safe
@organization_view()
def unknown_holder_counts(request: AdminRequest, organization: Organization) -> HttpResponse:
    """How many there are in each account; other pages ask for it once they are shown."""
    survey = unknown.survey(organization.pk)
    rows = [
        AccountCount(
            account,
            Total(len(survey.of(account, DEVICE)), survey.is_capped),
            Total(len(survey.of(account, USER)), survey.is_capped),
        )
        for account in VppAccount.objects.open_to(request.membership)
    ]
    context = {
        "organization": organization,
        "rows": rows,
        "some": [row for row in rows if row.total.number],
        "as_of": survey.as_of,
        "total": Total(sum(row.total.number for row in rows), survey.is_capped),
    }
    template = "_unknown_holder_counts" if request.htmx else "unknown_holder_counts"
    return render(request, f"licensing/{template}.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(network_writes=True)
def unknown_holders(
    request: AdminRequest, organization: Organization, account_id: int
) -> HttpResponseBase:
    ours = VppAccount.objects.open_to(request.membership).with_rights(request.membership)
    account = get_object_or_404(ours, pk=account_id)
    kind = USER if request.GET.get("holders") == "users" else DEVICE
    listing = UnknownHolderList(request.GET, account, kind)
    if request.method == "POST":
        return revoke(request, listing)
    if listing.wants_csv:
        return listing.csv_response(f"unknown-{listing.noun[1]}", zone=organization.zone)
    context = {
        "organization": organization,
        "account": account,
        "listing": listing,
        "tabs": tabs(listing),
        "actions": [Action(BatchKind.REVOKE, REVOKE, obstacle_of(account, request.membership))],
    }
    return render_listing(request, listing, "licensing/unknown_holders.html", context)


def tabs(listing: UnknownHolderList) -> list[tuple[str, str, Total, bool]]:
    """Label, value in the address, number of holders, whether it is the one shown."""
    kinds = (("Devices", "devices", DEVICE), ("Users", "users", USER))
    return [
        (label, value, number_of(listing.account, kind), kind == listing.kind)
        for label, value, kind in kinds
    ]


def number_of(account: VppAccount, kind: str) -> Total:
    survey = unknown.survey_of(account, kind)
    return Total(len(survey.of(account, kind)), survey.is_capped)


# --- Taking back ----------------------------------------------------------------------------------


def revoke(request: AdminRequest, listing: UnknownHolderList) -> HttpResponse:
    """First what was chosen is shown, to be confirmed by typing; then the plan of it."""
    here = f"{request.path}{listing.here_url}"
    refuse_strangers(listing.account, request.membership)
    obstacle = obstacle_of(listing.account, request.membership)
    chosen = chosen_names(request, listing)
    form = RevokeForm(
        request.POST if "typed" in request.POST else None,
        account=listing.account.name,
        number=len(chosen),
        initial={"chosen": chosen},
    )
    try:
        if obstacle:
            raise CannotDo(obstacle)
        if not chosen:
            raise CannotDo("Nobody was chosen, or they hold nothing any more. Tick somebody first.")
        if form.is_valid():
            wish = unknown.wish_to_revoke(listing.account, listing.kind, chosen)
            return redirect(plan_url(make_plan(request, listing.account, wish), back=here))
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(here)
    return confirmation(request, listing, chosen, form)


def chosen_names(request: AdminRequest, listing: UnknownHolderList) -> list[str]:
    """Those of the list that were chosen, whatever else was sent; in its order."""
    posted = request.POST
    if "typed" in posted:
        chosen = set(ChosenField(required=False).to_python(posted.get("chosen")))
    elif posted.get("all"):
        return list(listing.names)
    else:
        chosen = {*posted.getlist("holder"), *posted.get("selected", "").split()}
    return [name for name in listing.unfiltered if name in chosen]


def confirmation(
    request: AdminRequest, listing: UnknownHolderList, chosen: list[str], form: RevokeForm
) -> HttpResponse:
    account = listing.account
    held = unknown.licenses_of(account, listing.kind, chosen)
    context = {
        "organization": request.membership.organization,
        "account": account,
        "form": form,
        "number": len(chosen),
        "noun": listing.noun[0] if len(chosen) == 1 else listing.noun[1],
        "names": chosen[:10],
        "more": max(0, len(chosen) - 10),
        "back_url": f"{request.path}{listing.here_url}",
        **held.aggregate(licenses=Count("*"), titles=Count("licensed_app", distinct=True)),
    }
    return render(request, "licensing/unknown_holders_revoke.html", context)
