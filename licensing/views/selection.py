"""What was chosen in a list of holders becomes a plan, and the page of that plan is shown."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse

from licensing import batches, titles
from licensing.batches.planning import Wish
from licensing.holders import DEVICE
from licensing.models import Assignment, BatchKind, BatchPlan, LicensedApp
from licensing.tables.holders import CandidateList
from organizations.access import AdminRequest
from organizations.models import Device, Membership
from organizations.refusals import Refusal
from vpp_accounts.models import AssignableNetworks, VppAccount
from vpp_accounts.permissions import obstacle_of, refuse_strangers
from vpp_accounts.refusals import CannotDo

ONLY_PEOPLE = (
    "The developer of this title has not allowed licenses for devices; grant it to people instead."
)
NO_NETWORK = (
    "No network is assignable for this account, so devices get none of its licenses. A full admin can"
    " change that on Organization > MDM."
)
FOR_GOOD = "Licenses of this title are permanent and cannot be taken back."


@dataclass(frozen=True, slots=True)
class Action:
    """A button of a list; disabled with its reason where it cannot be used."""

    kind: str
    label: str
    obstacle: str


def actions_for(
    title: LicensedApp, holder_kind: Assignment.HolderKind, membership: Membership
) -> list[Action]:
    """Of what is permanent there is nothing to take back, and no button for it."""
    whom = "device(s)" if holder_kind == DEVICE else "user(s)"
    obstacle = obstacle_of(title.account, membership) or _obstacle_of_title(title)
    no_devices = no_devices_because(title) if holder_kind == DEVICE else ""
    grant = Action(BatchKind.GRANT, f"+ Grant license to {whom}", obstacle or no_devices)
    revoke = Action(BatchKind.REVOKE, f"Revoke license from {whom}", obstacle)
    return [grant] if title.is_irrevocable else [grant, revoke]


def no_devices_because(title: LicensedApp) -> str:
    if not title.device_assignable:
        return ONLY_PEOPLE
    nowhere = title.account.assignable_networks == AssignableNetworks.NONE
    return NO_NETWORK if nowhere else ""


def _obstacle_of_title(title: LicensedApp) -> str:
    return f"Apple no longer lists this title in {title.account.name}." if title.gone_at else ""


def plan_selection(request: AdminRequest, listing: CandidateList) -> HttpResponse:
    """A plan for those who were chosen, or for all that match the filters in the address."""
    here = f"{request.path}{listing.here_url}"
    refuse_strangers(listing.title.account, request.membership)
    try:
        kind = allowed_kind(request.POST.get("kind", ""), listing)
        chosen = chosen_rows(request.POST, listing)
        plan = make_plan(request, listing.title.account, wish_for(kind, listing, chosen))
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(here)
    return redirect(plan_url(plan, back=here))


def allowed_kind(kind: str, listing: CandidateList) -> str:
    actions = actions_for(listing.title, listing.holder_kind, listing.membership)
    action = next((action for action in actions if action.kind == kind), None)
    if action is None:
        raise CannotDo(FOR_GOOD if kind == BatchKind.REVOKE else "Say whether to grant or revoke.")
    if action.obstacle:
        raise CannotDo(action.obstacle)
    return action.kind


def chosen_rows(posted: QueryDict, listing: CandidateList) -> list[dict[str, Any]]:
    """`holder`: the boxes of the page; `selected`: those of other pages; `all`: whoever matches."""
    ids = [*posted.getlist("holder"), *posted.get("selected", "").split()]
    rows = list(listing.filtered if posted.get("all") else listing.picked(ids))
    if not rows:
        raise CannotDo(f"Choose at least one {listing.noun[0]}: tick the boxes, or all that match.")
    return rows


def wish_for(kind: str, listing: CandidateList, rows: Iterable[dict[str, Any]]) -> Wish:
    chosen = list(rows)
    why = f"From the page of “{titles.name_of(listing.title)}”."
    if listing.holder_kind != DEVICE:
        users = [row["row"] for row in chosen if row["row"]]
        return batches.wish_for(kind=kind, titles=[listing.title], users=users, why=why)
    without_serial = [row["row"] for row in chosen if not row["holder"]]
    return batches.wish_for(
        kind=kind,
        titles=[listing.title],
        serials=[row["holder"] for row in chosen if row["holder"]],
        devices=Device.objects.filter(pk__in=without_serial) if without_serial else (),
        why=why,
    )


def make_plan(request: AdminRequest, account: VppAccount, wish: Wish) -> BatchPlan:
    return batches.make_plan(
        by=request.actor, membership=request.membership, account=account, wish=wish
    )


def plan_url(plan: BatchPlan, **query: object) -> str:
    address = reverse("licensing:plan_detail", args=[plan.organization_id, plan.pk])
    return f"{address}?{urlencode(query)}"


def chosen_before(request: AdminRequest) -> set[str]:
    """Serial numbers, and ids of people, of the plan that one comes back from (`?chosen=`)."""
    try:
        plan_id = uuid.UUID(request.GET.get("chosen", ""))
    except ValueError:
        return set()
    plan = BatchPlan.objects.visible_to(request.membership).filter(pk=plan_id).first()
    if plan is None:
        return set()
    return {*plan.request["serials"], *map(str, plan.request["users"])}
