"""What is done for one person with one click: invited, the link copied, registered again."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from licensing import batches
from licensing.batches.reasons import Reason
from licensing.models import BatchKind, BatchPlan
from licensing.people import acting
from licensing.people.facts import Person, people_of, url_of
from licensing.people.next_steps import next_step
from licensing.tables.people import users_in
from licensing.views.licensed_apps import accounts_of
from licensing.views.selection import make_plan
from organizations.access import AdminRequest, organization_view
from organizations.models import Organization
from organizations.refusals import Refusal
from users.invitations import links
from vpp_accounts.permissions import obstacle_of, refuse_strangers
from vpp_accounts.refusals import CannotDo


@require_POST
@organization_view(network_writes=True)
def user_invite(request: AdminRequest, organization: Organization, user_id: int) -> HttpResponse:
    """A plan of one, begun at once."""
    return answered(request, person_or_404(request, user_id), invite)


@require_POST
@organization_view(network_writes=True)
def user_register(request: AdminRequest, organization: Organization, user_id: int) -> HttpResponse:
    """Again: after they were retired, or after Apple refused them."""
    return answered(request, person_or_404(request, user_id), register)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True, network_writes=True)
def user_link(request: AdminRequest, organization: Organization, user_id: int) -> HttpResponse:
    """The link itself is only for those who may invite: whoever has it can accept."""
    person = person_or_404(request, user_id)
    refuse_strangers(person.account, request.membership)
    if request.method == "POST":
        action = LINK_ACTIONS.get(request.POST.get("action", ""), make_link)
        answered(request, person, action)
        return redirect(request.path)
    invitation = acting.open_invitation(person.user)
    context = {
        "organization": organization,
        "person": person,
        "invitation": invitation,
        "link": links.url_of(invitation) if invitation and person.can_accept else "",
        "step": next_step(person, invitation),
        "obstacle": obstacle_of(person.account, request.membership),
    }
    return render(request, "licensing/user_link.html", context)


def person_or_404(request: AdminRequest, user_id: int) -> Person:
    accounts = accounts_of(request.membership)
    user = get_object_or_404(users_in(request.membership, accounts), pk=user_id)
    (person,) = people_of([user], accounts)
    return person


Action = Callable[[AdminRequest, Person], str]


def answered(request: AdminRequest, person: Person, act: Action) -> HttpResponse:
    """Do it, say what came of it where the button was pressed."""
    refuse_strangers(person.account, request.membership)
    try:
        acting.refuse_obstacle(person, request.membership)
        told = act(request, person)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, told)
    return redirect(where_from(request, person))


def where_from(request: AdminRequest, person: Person) -> str:
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if is_ours and wanted.startswith("/") else url_of(person.user)


# --- The actions ----------------------------------------------------------------------------------


def invite(request: AdminRequest, person: Person) -> str:
    wish = batches.wish_for(
        kind=BatchKind.INVITE, titles=(), users=[person.user.pk], why="From User management."
    )
    plan = make_plan(request, person.account, wish)
    if not plan.summary["go"]:
        raise CannotDo(f"{person.name}: {reason_in(plan)}")
    batches.start(by=request.actor, membership=request.membership, plan=plan)
    return f"The invitation to {person.name} is on its way to {person.email}."


def reason_in(plan: BatchPlan) -> str:
    reasons = [Reason(value).sentence for value in plan.summary["reasons"]]
    return reasons[0] if reasons else "An invitation is on its way already."


def register(request: AdminRequest, person: Person) -> str:
    if acting.register(by=request.actor, membership=request.membership, person=person):
        return f"{person.name} is being registered at Apple again; invite them afterwards."
    return f"Apple is asked again about {person.name}."


def make_link(request: AdminRequest, person: Person) -> str:
    acting.make_link(by=request.actor, person=person)
    return f"This link is for {person.name} only."


def renew_link(request: AdminRequest, person: Person) -> str:
    acting.renew_link(by=request.actor, person=person)
    return "This is another link. Whoever has an earlier one can do nothing with it any more."


def withdraw(request: AdminRequest, person: Person) -> str:
    acting.withdraw(by=request.actor, person=person)
    return f"The invitation of {person.name} is withdrawn; its links lead nowhere any more."


LINK_ACTIONS: dict[str, Action] = {"renew": renew_link, "withdraw": withdraw}
