"""Systems Manager > Configure > Owners: the people of the organization."""

from __future__ import annotations

from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from organizations.access import AdminRequest, organization_view
from organizations.forms import done
from organizations.lists import render_listing
from organizations.models import Device, Organization, Owner
from organizations.models.inventory import OwnerQuerySet
from users.forms.owners import OwnerForm
from users.services import owners as services
from users.tables.owners import OwnerList, OwnerRow, rows_of

SHOWN_DEVICES = 50
# Apple's own, so that a shared Apple Account shows.
DEVICES_PER_APPLE_ACCOUNT = 10


def owners_of(request: AdminRequest) -> OwnerQuerySet:
    """Of the whole organization: for admins of networks there are no such pages."""
    if not request.membership.sees_organization:
        raise Http404
    return Owner.objects.visible_to(request.membership)


def row_or_404(request: AdminRequest, owner_id: int) -> OwnerRow:
    rows = rows_of(owners_of(request).filter(pk=owner_id), request.membership)
    if not rows:
        raise Http404
    return rows[0]


@require_safe
@organization_view()
def owner_list(request: AdminRequest, organization: Organization) -> HttpResponseBase:
    listing = OwnerList(request.GET, owners_of(request), request.membership)
    if listing.wants_csv:
        return listing.csv_response("owners", zone=organization.zone)
    context = {"organization": organization}
    return render_listing(request, listing, "users/owner_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True)
def owner_add(request: AdminRequest, organization: Organization) -> HttpResponse:
    form = OwnerForm(request.POST or None)
    known = form.known(organization)
    if known and "merge" in request.POST:
        act = partial(services.complete_owner, by=request.actor, owner=known)
        told = f"{known.name} was there already: what was missing is added."
    else:
        act = partial(services.add_owner, by=request.actor, organization=organization)
        told = f"{form.who} is added."
    if done(form, lambda: act(details=form.details)):
        messages.success(request, told)
        return redirect("users:owner_list", organization.pk)
    context = {"organization": organization, "form": form, "known": known}
    return render(request, "users/owner_add.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view()
def owner_edit(request: AdminRequest, organization: Organization, owner_id: int) -> HttpResponse:
    """Their page; whoever may not write sees the same, and cannot send it."""
    row = row_or_404(request, owner_id)
    owner = row.owner
    form = OwnerForm(request.POST or None, initial=row.told)
    edit = partial(services.edit_owner, by=request.actor, owner=owner)
    if done(form, lambda: edit(details=form.details)):
        messages.success(request, f"{form.who} is saved.")
        return redirect("users:owner_list", organization.pk)
    context = {
        "organization": organization,
        "row": row,
        "form": form,
        "known": form.known(organization, but=owner),
        "most_devices": DEVICES_PER_APPLE_ACCOUNT,
        **devices_of(owner, request),
    }
    return render(request, "users/owner_edit.html", context)


def devices_of(owner: Owner, request: AdminRequest) -> dict[str, Any]:
    theirs = Device.objects.visible_to(request.membership).filter(owner=owner)
    shown = theirs.select_related("network").order_by("name", "serial_number")[:SHOWN_DEVICES]
    return {"devices": list(shown)}


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True)
def owner_delete(request: AdminRequest, organization: Organization, owner_id: int) -> HttpResponse:
    row = row_or_404(request, owner_id)
    owner = row.owner
    form = forms.Form(request.POST if request.method == "POST" else None)
    delete = partial(services.delete_owner, by=request.actor, owner=owner)
    if done(form, delete):
        messages.success(request, f"{owner.name} is deleted.")
        return redirect("users:owner_list", organization.pk)
    context = {
        "organization": organization,
        "form": form,
        "row": row,
        "accounts": services.accounts_of(owner),
    }
    return render(request, "users/owner_delete.html", context)
