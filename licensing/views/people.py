"""Systems Manager > Manage > VPP, tab User management: the list, and what becomes of a choice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from licensing import batches
from licensing.models import BatchKind, BatchPlan
from licensing.people.attention import Attention, noticed, with_notices
from licensing.people.facts import Person, people_of
from licensing.people.next_steps import Step
from licensing.tables.people import UserList, selection_key, users_in
from licensing.views.licensed_apps import ALL, chosen_accounts
from licensing.views.selection import Action, chosen_before, make_plan, plan_url
from organizations.access import AdminRequest, organization_view
from organizations.lists import render_listing
from organizations.models import Membership, Organization
from organizations.refusals import Refusal
from vpp_accounts.models import VppAccount
from vpp_accounts.permissions import obstacle_of, refuse_strangers, why_no_owners
from vpp_accounts.refusals import CannotDo

PLANNED = {BatchKind.INVITE: Step.INVITE, BatchKind.RETIRE: Step.RETIRE}
ONE_ACCOUNT = "Choose one VPP account above first: a batch goes to one account."
NOTICES = {
    Attention.LEFT: ("person is", "people are", "no longer in the owners' source."),
    Attention.ASKED: ("person has", "people have", "asked for a new invitation."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(network_writes=True)
def user_list(request: AdminRequest, organization: Organization) -> HttpResponseBase:
    ours = VppAccount.objects.open_to(request.membership).order_by("name", "pk")
    accounts = list(with_notices(ours.with_rights(request.membership), request.membership))
    chosen = chosen_accounts(request, accounts)
    listing = UserList(request.GET, request.membership, chosen)
    if request.method == "POST":
        return plan_selection(request, listing)
    if listing.wants_csv:
        return listing.csv_response("users", zone=organization.zone)
    account = chosen[0] if len(chosen) == 1 else None
    context = {
        "organization": organization,
        "accounts": accounts,
        "account": account,
        "missing": missing_step(request.membership, accounts),
        "actions": actions_for(account, request.membership),
        "owner_obstacle": why_no_owners(request.membership),
        "chosen": chosen_before(request),
        "key": selection_key(account.pk) if account else "",
        "notices": notices_of(listing),
    } | row_context(request, listing.rows)
    return render_listing(request, listing, "licensing/user_list.html", context)


@require_safe
@organization_view()
def user_status(request: AdminRequest, organization: Organization) -> HttpResponse:
    """The rows of those in sight who have changed by themselves."""
    ours = VppAccount.objects.open_to(request.membership).with_rights(request.membership)
    accounts = chosen_accounts(request, list(ours))
    shown = dict(
        each.split("-", 1) for each in request.GET.get("shown", "").split(".") if "-" in each
    )
    ids = [int(id_) for id_ in shown if is_id(id_)]
    users = users_in(request.membership, accounts).filter(pk__in=ids)
    people = people_of(list(users), accounts)
    changed = [person for person in people if person.fingerprint != shown.get(person.key)]
    if shown and not changed:
        return HttpResponse(status=204)
    context = {
        "organization": organization,
        "people": changed,
        "account": accounts[0] if len(accounts) == 1 else None,
    } | row_context(request, people)
    return render(request, "licensing/_user_status_update.html", context)


def is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def row_context(request: AdminRequest, people: Sequence[Person]) -> dict[str, Any]:
    """`changeable`: the accounts of these people in which this admin can change something now."""
    accounts = {person.account.pk: person.account for person in people}
    return {
        "poll_url": poll_url(request, people),
        "users_url": reverse("licensing:user_list", args=[request.membership.organization_id]),
        "changeable": {
            pk for pk, account in accounts.items() if not obstacle_of(account, request.membership)
        },
    }


def poll_url(request: AdminRequest, people: Sequence[Person]) -> str:
    """Empty while nobody in sight could change by themselves."""
    if not any(person.may_change for person in people):
        return ""
    address = reverse("licensing:user_status", args=[request.membership.organization_id])
    shown = ".".join(f"{person.key}-{person.fingerprint}" for person in people)
    return f"{address}?{urlencode({'account': request.GET.get('account', ALL), 'shown': shown})}"


def missing_step(membership: Membership, accounts: Sequence[VppAccount]) -> str:
    """What has to happen before there can be people; empty where it has."""
    if accounts:
        return ""
    some = VppAccount.objects.filter(organization=membership.organization_id).exists()
    return "permission" if some else "account"


def actions_for(account: VppAccount | None, membership: Membership) -> list[Action]:
    obstacle = obstacle_of(account, membership) if account else ONE_ACCOUNT
    return [Action(kind, step.value, obstacle) for kind, step in PLANNED.items()]


def notices_of(listing: UserList) -> list[tuple[str, str]]:
    """“12 people are no longer in the owners' source.”, with the address that lists them."""
    told: list[tuple[str, str]] = []
    if listing.params.get("attention") in {what.value for what in NOTICES}:
        return told  # just those are listed
    for what, number in noticed(listing.accounts).items():
        one, many, rest = NOTICES[what]
        address = listing.address(attention=what.value, q="", status="")
        told.append((f"{number:,} {one if number == 1 else many} {rest}", address))
    return told


# --- What becomes of a choice ---------------------------------------------------------------------


def plan_selection(request: AdminRequest, listing: UserList) -> HttpResponse:
    here = f"{request.path}{listing.here_url}"
    try:
        if len(listing.accounts) != 1:
            raise CannotDo(ONE_ACCOUNT)
        chosen = chosen_users(request.POST, listing)
        plan = plan_for(request, listing.accounts[0], chosen, why="From User management.")
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(here)
    return redirect(plan_url(plan, back=here))


def chosen_users(posted: QueryDict, listing: UserList) -> list[int]:
    """`holder`: the boxes of the page; `selected`: those of other pages; `all`: whoever matches."""
    ids = [*posted.getlist("holder"), *posted.get("selected", "").split()]
    users = listing.filtered if posted.get("all") else listing.picked(ids)
    found = sorted(row["pk"] for row in users.values("pk"))
    if not found:
        raise CannotDo("Choose at least one user: tick the boxes, or all that match.")
    return found


def plan_for(
    request: AdminRequest, account: VppAccount, user_ids: Collection[int], *, why: str
) -> BatchPlan:
    """A plan of what the pressed button says: invite or retire."""
    kind = request.POST.get("kind", "")
    refuse_strangers(account, request.membership)
    if kind not in PLANNED:
        raise CannotDo("Say whether to send invitations or to retire.")
    if obstacle := obstacle_of(account, request.membership):
        raise CannotDo(obstacle)
    wish = batches.wish_for(kind=kind, titles=(), users=list(user_ids), why=why)
    return make_plan(request, account, wish)


def list_url(organization_id: int, account: VppAccount | None = None) -> str:
    address = reverse("licensing:user_list", args=[organization_id])
    return f"{address}?{urlencode({'account': account.pk if account else ALL})}"
