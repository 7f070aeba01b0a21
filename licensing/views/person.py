"""A person's page: what goes around the list of what they hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect

from licensing.holders import USER
from licensing.models import BatchItem
from licensing.people.acting import open_invitation
from licensing.people.facts import COLOURS, Person, name_of, people_of, url_of
from licensing.people.next_steps import Step, next_step
from licensing.people.timeline import Happening, timeline_of
from licensing.tables.people import users_in
from licensing.views.people import plan_for
from licensing.views.selection import plan_url
from organizations.access import AdminRequest
from organizations.models import AuditEvent, Device, Membership
from organizations.models.audit import PERSON
from organizations.refusals import Refusal
from users.models import VppUser
from users.states import PersonStatus, status_of
from vpp_accounts.models import VppAccount
from vpp_accounts.permissions import obstacle_of, why_no_owners

MOST_DEVICES_SHOWN = 25
MOST_HAPPENINGS = 100


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another account, and the same person there; None where they are not in it."""

    account: VppAccount
    user: VppUser | None

    @property
    def url(self) -> str:
        return url_of(self.user) if self.user else ""

    @property
    def status(self) -> PersonStatus | None:
        return status_of(self.user) if self.user else None

    @property
    def colour(self) -> str:
        return COLOURS[self.status] if self.status else ""


def person_context(request: AdminRequest, user: VppUser, account: VppAccount) -> dict[str, Any]:
    (person,) = people_of(users_in(request.membership, [account]).filter(pk=user.pk), [account])
    invitation = open_invitation(user)
    step = next_step(person, invitation)
    return {
        "person": person,
        "facts": facts_of(person),
        "invitation": invitation,
        "step": step,
        "steps": {each.name: each.value for each in step.possible},
        "devices": devices_of(user, request.membership)[:MOST_DEVICES_SHOWN],
        "accounts_elsewhere": list(elsewhere(user, request.membership)),
        "timeline": happenings(user, request.membership),
        "step_names": Step,
        "edit_obstacle": why_no_owners(request.membership)
        or obstacle_of(account, request.membership),
    }


def facts_of(person: Person) -> list[tuple[str, str]]:
    """Label and value; empty means that nobody told."""
    owner = person.user.owner
    return [
        ("Email", person.email),
        ("Username", owner.username if owner else ""),
        ("Managed Apple Account", owner.managed_apple_account if owner else ""),
        ("VPP account", person.account.name),
        ("Client user ID", person.user.client_user_id),
    ]


def devices_of(user: VppUser, membership: Membership) -> QuerySet[Device]:
    if user.owner_id is None:
        return Device.objects.none()
    owned = Device.objects.visible_to(membership).filter(owner=user.owner_id)
    return owned.select_related("network").order_by("name", "pk")


def elsewhere(user: VppUser, membership: Membership) -> Iterator[Elsewhere]:
    """The accounts that the admin may use too, with the person's active record in each."""
    if user.owner_id is None:
        return
    others = VppAccount.objects.open_to(membership).exclude(pk=user.account_id)
    records = VppUser.objects.filter(owner=user.owner_id).order_by("pk")
    active_last = sorted(records, key=lambda record: not record.is_retired)
    known = {record.account_id: record for record in active_last}
    for account in others.order_by("name", "pk"):
        yield Elsewhere(account, known.get(account.pk))


def happenings(user: VppUser, membership: Membership) -> list[Happening]:
    items = BatchItem.objects.filter(
        organization=user.organization_id,
        account=user.account_id,
        holder_kind=USER,
        holder=user.client_user_id,
    )
    told_of = AuditEvent.objects.visible_to(membership).filter(
        target_kind=PERSON, target_id=user.pk
    )
    newest = items.select_related("licensed_app__app", "batch").order_by("-pk")
    return timeline_of(
        user,
        user.invitations.order_by("-pk")[:MOST_HAPPENINGS],
        newest[:MOST_HAPPENINGS],
        told_of.order_by("-pk")[:MOST_HAPPENINGS],
    )


def plan_person(request: AdminRequest, user: VppUser, account: VppAccount) -> HttpResponse:
    """Invite or retire them: the plan is shown first."""
    here = request.get_full_path()
    try:
        plan = plan_for(request, account, [user.pk], why=f"From the page of {name_of(user)}.")
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(here)
    return redirect(plan_url(plan, back=here))
