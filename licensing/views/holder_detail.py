"""All licenses of one device or person in one account, and what was done about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from licensing import batches
from licensing.batches.boundaries import Boundaries
from licensing.batches.plans import runs_on
from licensing.batches.reasons import sentence_of
from licensing.holders import DEVICE, USER
from licensing.models import OPEN_ITEMS, Assignment, BatchItem, BatchKind, LicensedApp
from licensing.people.facts import name_of
from licensing.tables import HeldTitleList
from licensing.views.people import PLANNED
from licensing.views.person import person_context, plan_person
from licensing.views.selection import NO_NETWORK, make_plan, plan_url
from organizations.access import AdminRequest, organization_view
from organizations.lists import render_listing, wants_only_list
from organizations.models import Device, Membership, Organization
from organizations.refusals import Refusal
from users.models import VppUser
from vpp_accounts.models import VppAccount
from vpp_accounts.permissions import obstacle_of, refuse_strangers
from vpp_accounts.refusals import CannotDo

HISTORY = 50
UNREACHABLE = "Apple's list of users does not have this person, so a batch cannot reach them."


@dataclass(frozen=True, slots=True)
class Holder:
    """A serial number or clientUserId in an account, with what the inventory knows of it."""

    account: VppAccount
    kind: Assignment.HolderKind
    id: str
    device: Device | None = None
    user: VppUser | None = None

    @property
    def is_device(self) -> bool:
        return self.kind == DEVICE

    @property
    def is_known(self) -> bool:
        return bool(self.device or self.user)

    @property
    def name(self) -> str:
        if self.device:
            return str(self.device)
        return name_of(self.user) if self.user else self.id

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Label and value; empty means that nobody told."""
        if self.device:
            return [
                ("Serial number", self.id),
                ("Network", self.device.network.name),
                ("Owner", str(self.device.owner or "")),
                ("Platform", f"{self.device.platform} {self.device.os_version}".strip()),
                ("Model", self.device.model),
            ]
        return [("Serial number" if self.is_device else "Client user ID", self.id)]

    @property
    def assignments(self) -> QuerySet[Assignment]:
        """In all accounts of the organization."""
        return Assignment.objects.filter(
            organization=self.account.organization_id, holder=self.id, holder_kind=self.kind
        )

    @property
    def items(self) -> QuerySet[BatchItem]:
        return BatchItem.objects.filter(
            organization=self.account.organization_id,
            holder=self.id,
            holder_kind=self.kind,
            account=self.account,
        )

    @property
    def url(self) -> str:
        place = [self.account.organization_id, self.account.pk, self.kind.value, self.id]
        return reverse("licensing:holder_detail", args=place)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(network_writes=True)
def holder_detail(
    request: AdminRequest,
    organization: Organization,
    account_id: int,
    holder_kind: str,
    holder: str,
) -> HttpResponseBase:
    found = holder_or_404(request.membership, account_id, holder_kind, holder)
    if request.method == "POST":
        return plan_titles(request, found)
    listing = HeldTitleList(request.GET, found.account, found.kind, found.id)
    if listing.wants_csv:
        return listing.csv_response("licenses", zone=organization.zone)
    context = {
        "organization": organization,
        "holder": found,
        "account": found.account,
        **obstacles(found, request.membership),
    }
    if not wants_only_list(request, listing):
        context |= details(found, request.membership)
        context |= person_context(request, found.user, found.account) if found.user else {}
    template = "licensing/user_detail.html" if found.user else "licensing/holder_detail.html"
    return render_listing(request, listing, template, context)


def holder_or_404(membership: Membership, account_id: int, kind: str, id_: str) -> Holder:
    """Who is in the inventory, or has anything to do with the account's licenses."""
    accounts = VppAccount.objects.open_to(membership).with_rights(membership)
    account = get_object_or_404(accounts, pk=account_id)
    if kind == DEVICE.value:
        ours = Device.objects.visible_to(membership).select_related("network", "owner")
        found = Holder(account, DEVICE, id_, device=ours.filter(serial_number=id_).first())
    elif kind == USER.value:
        users = VppUser.objects.filter(account=account).select_related("owner")
        found = Holder(account, USER, id_, user=users.filter(client_user_id=id_).first())
    else:
        raise Http404
    holds = found.assignments.filter(account=account)
    if not (found.is_known or holds.exists() or found.items.exists()):
        raise Http404
    return found


def obstacles(holder: Holder, membership: Membership) -> dict[str, str]:
    """Why nothing can be done for this holder, and why nothing can be granted; empty where it can."""
    obstacle = obstacle_of(holder.account, membership)
    if holder.kind == USER:
        unreachable = "" if holder.user else UNREACHABLE
        return dict.fromkeys(("obstacle", "grant_obstacle"), unreachable or obstacle)
    boundaries = Boundaries.of(holder.account, membership)
    network = holder.device.network_id if holder.device else None
    obstacle = obstacle or sentence_of(boundaries.of_a_revoke.barrier(network))
    return {"obstacle": obstacle, "grant_obstacle": obstacle or why_no_grant(boundaries, network)}


def why_no_grant(boundaries: Boundaries, network: int | None) -> str:
    nowhere = boundaries.assignable is not None and not boundaries.assignable
    return NO_NETWORK if nowhere else sentence_of(boundaries.barrier(network))


def details(holder: Holder, membership: Membership) -> dict[str, Any]:
    """What stands around the list of titles."""
    newest = holder.items.select_related("licensed_app__app", "batch").order_by("-pk")
    under_way = newest.filter(state__in=OPEN_ITEMS, kind=BatchKind.GRANT)
    return {
        "under_way": under_way,
        "history": newest.exclude(state__in=OPEN_ITEMS)[:HISTORY],
        "elsewhere": elsewhere(holder, membership) if holder.is_device else [],
        "grantable": grantable(holder),
        "titles_held": holder.assignments.filter(account=holder.account).count(),
    }


def elsewhere(holder: Holder, membership: Membership) -> list[tuple[VppAccount, int, str]]:
    """Other accounts in which the same serial number holds licenses, how many, and where to look."""
    counted = holder.assignments.values("account").annotate(n=Count("*"))
    numbers = dict(counted.values_list("account", "n"))
    others = VppAccount.objects.open_to(membership).filter(pk__in=numbers)
    return [
        (other, numbers[other.pk], Holder(other, holder.kind, holder.id).url)
        for other in others.exclude(pk=holder.account.pk)
    ]


def grantable(holder: Holder) -> list[LicensedApp]:
    """Titles that could be granted as well, by name."""
    titles = LicensedApp.objects.present().filter(account=holder.account).select_related("app")
    if holder.is_device:
        titles = titles.filter(device_assignable=True)
    held = holder.assignments.filter(account=holder.account).values("licensed_app")
    platform = holder.device.platform if holder.device else ""
    found = [t for t in titles.exclude(pk__in=held) if runs_on(frozenset(t.platforms), platform)]
    return sorted(found, key=lambda title: str(title.app).casefold())


def plan_titles(request: AdminRequest, holder: Holder) -> HttpResponse:
    """A plan for the chosen titles of this holder, or for everything that they hold."""
    refuse_strangers(holder.account, request.membership)
    everything = bool(request.POST.get("everything"))
    kind = request.POST.get("kind", "")
    if kind in PLANNED and holder.user:
        return plan_person(request, holder.user, holder.account)
    try:
        refuse_impossible(kind, obstacles(holder, request.membership))
        wish = batches.wish_for(
            kind=kind,
            titles=wanted_titles(request, holder, everything=everything),
            serials=[holder.id] if holder.is_device else [],
            users=[holder.user] if holder.user else [],
            everything=everything,
            why=f"From the page of {holder.name}.",
        )
        plan = make_plan(request, holder.account, wish)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(request.get_full_path())
    return redirect(plan_url(plan, back=request.get_full_path()))


def refuse_impossible(kind: str, obstacles: dict[str, str]) -> None:
    if kind not in (BatchKind.GRANT, BatchKind.REVOKE):
        raise CannotDo("Say whether to grant or revoke.")
    if obstacle := obstacles["grant_obstacle" if kind == BatchKind.GRANT else "obstacle"]:
        raise CannotDo(obstacle)


def wanted_titles(
    request: AdminRequest, holder: Holder, *, everything: bool
) -> QuerySet[LicensedApp]:
    ours = LicensedApp.objects.filter(account=holder.account)
    if everything:
        held = holder.assignments.filter(account=holder.account).values("licensed_app")
        open_ = holder.items.filter(state__in=OPEN_ITEMS).values("licensed_app")
        return ours.filter(Q(pk__in=held) | Q(pk__in=open_))
    ids = [text for text in request.POST.getlist("title") if text.isascii() and text.isdigit()]
    chosen = ours.filter(pk__in=[int(text) for text in ids if len(text) < 19])
    if not chosen:
        raise CannotDo("Choose at least one title.")
    return chosen
