"""The page of a plan: what would come of it, before anything is sent."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from licensing import batches
from licensing.batches.planning import ABOUT_PEOPLE
from licensing.batches.refusals import PlanGotWorse
from licensing.models import BatchKind, BatchPlan
from licensing.tables.license_plans import LicenseWords
from licensing.tables.people_plans import InviteWords, RetireWords
from licensing.tables.plans import PlanWords
from licensing.views.batch_news import tell_started
from licensing.views.selection import plan_url
from organizations.access import AdminRequest, organization_view
from organizations.lists import csv_response
from organizations.models import Membership, Organization
from organizations.refusals import Refusal
from organizations.signin.requirements import ask_again
from vpp_accounts.permissions import obstacle_of, refuse_strangers, why_not

WORDS: dict[str, type[PlanWords]] = {
    BatchKind.GRANT: LicenseWords,
    BatchKind.REVOKE: LicenseWords,
    BatchKind.RETIRE: RetireWords,
    BatchKind.INVITE: InviteWords,
}
MANY = 100  # taken away at once: whoever does it shows again who they are


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(network_writes=True)
def plan_detail(
    request: AdminRequest, organization: Organization, plan_id: uuid.UUID
) -> HttpResponseBase:
    ours = BatchPlan.objects.visible_to(request.membership).select_related("account", "batch")
    plan = get_object_or_404(ours, pk=plan_id)
    words = WORDS[plan.kind](plan, request.membership)
    if request.method == "POST":
        return confirm(request, plan, words)
    if request.GET.get("format") == "csv":
        return csv_response("plan", words.export, words.outcomes(), zone=organization.zone)
    before = earlier_plan(request, plan)
    context: dict[str, Any] = {
        "organization": organization,
        "plan": plan,
        "words": words,
        "obstacle": obstacle_to(plan, request.membership),
        "back_url": back_url(request, plan),
        "changed": words.changed_since(before) if before else [],
    }
    return render(request, "licensing/plan_detail.html", context)


def obstacle_to(plan: BatchPlan, membership: Membership) -> str:
    """Mail goes out whatever holds up the work at Apple."""
    if plan.kind == BatchKind.INVITE:
        return why_not(plan.account, membership)
    return obstacle_of(plan.account, membership)


def confirm(request: AdminRequest, plan: BatchPlan, words: PlanWords) -> HttpResponse:
    refuse_strangers(plan.account, request.membership)
    if takes_much_away(plan) and (asked := ask_again(request)):
        return asked
    if plan.batch_id is None and not words.changes:
        messages.error(request, "There is nothing to do: this plan changes nothing.")
        return redirect(request.get_full_path())
    try:
        batch = batches.start(
            by=request.actor,
            membership=request.membership,
            plan=plan,
            confirm_irrevocable=bool(request.POST.get("confirm_irrevocable")),
        )
    except PlanGotWorse as worse:
        messages.warning(request, str(worse))
        back = request.GET.get("back", "")
        return redirect(plan_url(worse.plan, instead_of=plan.pk, back=back))
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect(request.get_full_path())
    tell_started(request, batch)
    return redirect("licensing:batch_detail", batch.organization_id, batch.pk)


def takes_much_away(plan: BatchPlan) -> bool:
    return plan.kind in (BatchKind.REVOKE, BatchKind.RETIRE) and plan.summary["go"] > MANY


def back_url(request: AdminRequest, plan: BatchPlan) -> str:
    """Where the choice was made, with the same ones chosen; the list of them where nobody says."""
    home = reverse("licensing:vpp", args=[plan.organization_id])
    homes = (home, reverse("licensing:device_list", args=[plan.organization_id]))
    back = request.GET.get("back", "")
    if not back.startswith(homes) or not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        about_people = plan.kind in ABOUT_PEOPLE
        page = reverse("licensing:user_list", args=[plan.organization_id]) if about_people else home
        return f"{page}?account={plan.account_id}"
    place = urlsplit(back)
    query = QueryDict(place.query, mutable=True)
    query["chosen"] = str(plan.pk)
    return f"{place.path}?{query.urlencode()}"


def earlier_plan(request: AdminRequest, plan: BatchPlan) -> BatchPlan | None:
    """The one that was confirmed too late (`?instead_of=`), to show what changed since."""
    try:
        plan_id = uuid.UUID(request.GET.get("instead_of", ""))
    except ValueError:
        return None
    ours = BatchPlan.objects.visible_to(request.membership)
    return ours.filter(pk=plan_id, account=plan.account_id, kind=plan.kind).first()
