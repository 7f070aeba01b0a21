"""Systems Manager > Manage > Apps: the list, and what is done to one app in one click."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps_catalog.managing import (
    delete_app,
    empty_scope,
    pause_app,
    removal_consequences,
    resume_app,
)
from apps_catalog.models import ManagedApp, ManagedPlatform
from licensing.automation import holds
from licensing.forms.apps import REMOVE_FIRST, RemoveAppForm
from licensing.models import AutomationHold
from licensing.tables.apps import AppList
from organizations.access import AdminRequest, organization_view
from organizations.forms import done
from organizations.lists import render_listing
from organizations.models import Organization
from organizations.network_choice import chosen_network
from organizations.refusals import Refusal

NOT_YOUR_NETWORK = "You have no write access to the network of this app."
DELETE_LATER = "Delete it when no device has it any more: this page shows how many have."
READ_ONLY = (
    "You have read-only access to the network of this app; an admin who may write there can do it."
)


@require_safe
@organization_view()
def app_list(request: AdminRequest, organization: Organization) -> HttpResponseBase:
    apps = ManagedApp.objects.visible_to(request.membership)
    listing = AppList(request.GET, apps, request.membership, chosen_network(request))
    if listing.wants_csv:
        return listing.csv_response("apps", zone=organization.zone)
    context = {
        "organization": organization,
        "platforms": ManagedPlatform.choices,
        "may_add": request.membership.can_write_somewhere,
    }
    return render_listing(request, listing, "licensing/app_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(network_writes=True)
def app_delete(request: AdminRequest, organization: Organization, app_id: int) -> HttpResponse:
    managed_app = app_or_404(request, app_id)
    refuse_readers(request, managed_app)
    form = RemoveAppForm(request.POST if request.method == "POST" else None)
    if done(form, lambda: end(request, managed_app, form.cleaned_data["what"])):
        if form.cleaned_data["what"] == REMOVE_FIRST:
            messages.success(request, f"{managed_app} now goes from all devices. {DELETE_LATER}")
            return redirect("licensing:app_detail", organization.pk, managed_app.pk)
        messages.success(request, f"{managed_app} is deleted from {managed_app.network}.")
        return redirect("licensing:app_list", organization.pk)
    context = {
        "organization": organization,
        "managed_app": managed_app,
        "form": form,
        "consequences": removal_consequences(managed_app),
    }
    return render(request, "licensing/app_delete.html", context)


def end(request: AdminRequest, managed_app: ManagedApp, what: str) -> None:
    if what == REMOVE_FIRST:
        empty_scope(by=request.actor, membership=request.membership, managed_app=managed_app)
    else:
        delete_app(by=request.actor, managed_app=managed_app, licenses=what)


@require_POST
@organization_view(network_writes=True)
def app_pause(request: AdminRequest, organization: Organization, app_id: int) -> HttpResponse:
    managed_app = app_or_404(request, app_id)
    refuse_readers(request, managed_app)
    pause_app(by=request.actor, managed_app=managed_app)
    messages.success(request, f"{managed_app}: automatic licensing is paused.")
    return redirect("licensing:app_detail", organization.pk, managed_app.pk)


@require_POST
@organization_view(network_writes=True)
def app_resume(request: AdminRequest, organization: Organization, app_id: int) -> HttpResponse:
    managed_app = app_or_404(request, app_id)
    refuse_readers(request, managed_app)
    resume_app(by=request.actor, managed_app=managed_app)
    messages.success(request, f"{managed_app}: automatic licensing goes on.")
    return redirect("licensing:app_detail", organization.pk, managed_app.pk)


@require_POST
@organization_view(network_writes=True)
def app_decide(request: AdminRequest, organization: Organization, app_id: int) -> HttpResponse:
    """Allow or refuse what the app's rule waits with."""
    managed_app = app_or_404(request, app_id)
    refuse_readers(request, managed_app)
    ours = AutomationHold.objects.visible_to(request.membership).waiting()
    hold = ours.filter(managed_app=managed_app).first()
    allow = request.POST.get("allow") == "yes"
    if hold is None:
        messages.info(request, "Nothing waits for a decision any more.")
        return redirect("licensing:app_detail", organization.pk, managed_app.pk)
    try:
        holds.decide(by=request.actor, hold=hold, allow=allow, membership=request.membership)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, decided(hold, allow=allow))
    return redirect("licensing:app_detail", organization.pk, managed_app.pk)


def decided(hold: AutomationHold, *, allow: bool) -> str:
    licenses = f"{hold.revokes:,} license{'' if hold.revokes == 1 else 's'}"
    return f"Allowed: {licenses} go back." if allow else f"Refused: {licenses} stay."


def app_or_404(request: AdminRequest, app_id: int) -> ManagedApp:
    ours = ManagedApp.objects.visible_to(request.membership)
    return get_object_or_404(ours.select_related("app", "network", "organization"), pk=app_id)


def why_read_only(request: AdminRequest, managed_app: ManagedApp) -> str:
    """Empty where this admin may change the app."""
    mine = ManagedApp.objects.writable_by(request.membership).filter(pk=managed_app.pk)
    if mine.exists():
        return ""
    return NOT_YOUR_NETWORK if request.membership.can_write_somewhere else READ_ONLY


def refuse_readers(request: AdminRequest, managed_app: ManagedApp) -> None:
    if why := why_read_only(request, managed_app):
        raise PermissionDenied(why)
