"""Organization > Administrators."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from organizations import keys
from organizations.access import AdminRequest, organization_view
from organizations.admins import changing, inviting
from organizations.forms import done
from organizations.forms.admins import ConfirmForm, EditForm, InviteForm
from organizations.lists import render_listing
from organizations.models import Membership, Organization
from organizations.refusals import Refusal
from organizations.tables.admins import AdminList, AdminRow, rows_of


def refuse_network_admins(request: AdminRequest) -> None:
    """Of the whole organization: for admins of networks there are no such pages."""
    if not request.membership.sees_organization:
        raise Http404


def row_or_404(request: AdminRequest, admin_id: int) -> AdminRow:
    refuse_network_admins(request)
    rows = rows_of(request.membership.organization, pk=admin_id)
    if not rows:
        raise Http404
    return rows[0]


def member_or_404(request: AdminRequest, admin_id: int) -> Membership:
    refuse_network_admins(request)
    ours = Membership.objects.filter(organization=request.membership.organization_id)
    return get_object_or_404(ours.select_related("organization", "admin"), pk=admin_id)


@require_safe
@organization_view()
def admin_list(request: AdminRequest, organization: Organization) -> HttpResponseBase:
    refuse_network_admins(request)
    listing = AdminList(request.GET, organization)
    if listing.wants_csv:
        return listing.csv_response("administrators", zone=organization.zone)
    context = {"organization": organization}
    return render_listing(request, listing, "organizations/admin_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True, recent=True)
def admin_add(request: AdminRequest, organization: Organization) -> HttpResponse:
    form = InviteForm(request.POST or None, organization=organization)

    def invite() -> None:
        inviting.invite(
            by=request.actor,
            organization=organization,
            email=form.cleaned_data["email"],
            name=form.cleaned_data["name"],
            rights=form.rights,
        )

    if done(form, invite):
        messages.success(request, f"An invitation goes to {form.cleaned_data['email']} by mail.")
        return redirect("organizations:admin_list", organization.pk)
    context = {"organization": organization, "form": form}
    return render(request, "organizations/admin_add.html", context)


@require_safe
@organization_view()
def admin_detail(request: AdminRequest, organization: Organization, admin_id: int) -> HttpResponse:
    row = row_or_404(request, admin_id)
    context = {
        "organization": organization,
        "row": row,
        "keys": keys.opening(row.membership),
        "is_oneself": row.membership.pk == request.membership.pk,
    }
    return render(request, "organizations/admin_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True, recent=True)
def admin_edit(request: AdminRequest, organization: Organization, admin_id: int) -> HttpResponse:
    membership = member_or_404(request, admin_id)
    form = EditForm(request.POST or None, membership=membership)
    change = partial(changing.change, by=request.actor, membership=membership)
    if done(form, lambda: change(rights=form.rights, name=form.name_told)):
        messages.success(request, f"{membership} is saved.")
        if membership.pk == request.membership.pk:
            return redirect("home")  # perhaps they have just shut this page to themselves
        return redirect("organizations:admin_detail", organization.pk, membership.pk)
    context = {"organization": organization, "form": form, "membership": membership}
    return render(request, "organizations/admin_edit.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True, recent=True)
def admin_remove(request: AdminRequest, organization: Organization, admin_id: int) -> HttpResponse:
    """Of somebody invited, the invitation."""
    membership = member_or_404(request, admin_id)
    if membership.pk == request.membership.pk:
        return redirect("organizations:leave", organization.pk)
    form = ConfirmForm(request.POST or None, email=membership.admin.email)
    act = inviting.withdraw if membership.is_invited else changing.remove
    if done(form, partial(act, by=request.actor, membership=membership)):
        what = "The invitation is withdrawn" if membership.is_invited else "Removed"
        messages.success(request, f"{what}: {membership}.")
        return redirect("organizations:admin_list", organization.pk)
    context = {
        "organization": organization,
        "form": form,
        "membership": membership,
        "consequences": changing.removal_consequences(membership),
    }
    return render(request, "organizations/admin_remove.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(own=True, recent=True)
def leave(request: AdminRequest, organization: Organization) -> HttpResponse:
    """An admin of any kind ends their own access."""
    membership = request.membership
    form = ConfirmForm(request.POST or None, email=membership.admin.email)
    if done(form, partial(changing.leave, by=request.actor, membership=membership)):
        messages.success(request, f"You have left {organization.name}.")
        return redirect("home")
    context = {
        "organization": organization,
        "form": form,
        "membership": membership,
        "consequences": changing.removal_consequences(membership),
    }
    return render(request, "organizations/leave.html", context)


# --- Buttons --------------------------------------------------------------------------------------


@require_POST
@organization_view(writes=True)
def admin_invite_again(
    request: AdminRequest, organization: Organization, admin_id: int
) -> HttpResponse:
    membership = member_or_404(request, admin_id)
    told = f"A new invitation goes to {membership}; the earlier link is void."
    return acted(request, membership, inviting.invite_again, told)


@require_POST
@organization_view(writes=True)
def admin_sign_out(
    request: AdminRequest, organization: Organization, admin_id: int
) -> HttpResponse:
    membership = member_or_404(request, admin_id)
    told = f"{membership} has to sign in again in every browser."
    return acted(request, membership, changing.force_sign_out, told)


@require_POST
@organization_view(writes=True)
def admin_unlock(request: AdminRequest, organization: Organization, admin_id: int) -> HttpResponse:
    membership = member_or_404(request, admin_id)
    return acted(request, membership, changing.unlock, f"{membership} can sign in at once.")


@require_POST
@organization_view(writes=True)
def admin_key_revoke(
    request: AdminRequest, organization: Organization, admin_id: int, key_id: int
) -> HttpResponse:
    membership = member_or_404(request, admin_id)
    key = get_object_or_404(keys.revocable_by_others(membership), pk=key_id)
    keys.revoke(by=request.actor, key=key)
    messages.success(request, f"The API key {key} is revoked.")
    return redirect("organizations:admin_detail", organization.pk, membership.pk)


def acted(
    request: AdminRequest, membership: Membership, act: Callable[..., object], told: str
) -> HttpResponse:
    try:
        act(by=request.actor, membership=membership)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, told)
    return redirect("organizations:admin_detail", membership.organization_id, membership.pk)
