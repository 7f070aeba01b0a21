"""Systems Manager > Monitor > Devices: the list, and adding one by hand."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from licensing.forms.device_details import DeviceAddForm
from licensing.tables.devices import DeviceList
from licensing.views.device_choice import listing_of
from organizations.access import AdminRequest, organization_view
from organizations.devices.editing import add_device
from organizations.forms import done
from organizations.lists import render_listing
from organizations.models import Device, Membership, Network, Organization, Owner
from organizations.models.inventory import OwnerQuerySet
from organizations.network_choice import chosen_network
from vpp_accounts.models import VppAccount
from vpp_accounts.permissions import OWNERS, READ_ONLY

SUGGESTED = 50
FULL_ADMINS = "A file may name devices of any network; ask an admin with full access."
NO_ACCOUNT = "No VPP account is open to you. A full admin can change that on Organization > MDM."


@dataclass(frozen=True, slots=True)
class Act:
    """A button above the list; disabled with its reason where it cannot be used."""

    label: str
    url: str
    obstacle: str
    icon: str = ""
    is_danger: bool = False


@require_safe
@organization_view()
def device_list(request: AdminRequest, organization: Organization) -> HttpResponseBase:
    listing = listing_of(request)
    if listing.wants_csv:
        return listing.csv_response("devices", zone=organization.zone)
    obstacle = why_not_write(request.membership)
    context = {
        "organization": organization,
        "missing": missing_step(request.membership, listing),
        "obstacle": obstacle,
        "import_obstacle": why_no_import(request.membership),
        **acts_of(request.membership, obstacle),
    }
    return render_listing(request, listing, "licensing/device_list.html", context)


def acts_of(membership: Membership, obstacle: str, query: str = "") -> dict[str, list[Act]]:
    """The first in sight, the others in a menu. `obstacle`: why none of them can be used."""
    accounts = VppAccount.objects.open_to(membership).exists()
    licenses = obstacle or ("" if accounts else NO_ACCOUNT)
    owners = obstacle or ("" if membership.sees_organization else OWNERS)

    def act(label: str, name: str, why: str, **more: object) -> Act:
        url = reverse(f"licensing:{name}", args=[membership.organization_id])
        return Act(label, url + query, why, **more)  # type: ignore[arg-type]

    return {
        "acts": [
            act("+ Grant license to device(s)", "device_grant", licenses),
            act("Revoke license from device(s)", "device_revoke", licenses),
            act("Install app", "device_install", obstacle),
        ],
        "more_acts": [
            act("Add or remove tags", "device_tags", obstacle, icon="tags"),
            act("Assign owner", "device_owner", owners, icon="user-circle"),
            act("Move to network", "device_move", obstacle, icon="sitemap"),
            act("Mark unenrolled", "device_unenroll", obstacle, icon="x"),
            act("Delete", "device_delete", obstacle, icon="trash", is_danger=True),
        ],
    }


def why_not_write(membership: Membership) -> str:
    return "" if membership.can_write_somewhere else READ_ONLY


def why_no_import(membership: Membership) -> str:
    """A file may name devices of any network."""
    return "" if membership.can_write else FULL_ADMINS


def missing_step(membership: Membership, listing: DeviceList) -> str:
    """What has to be there before there can be devices; empty where it is, or some are shown."""
    if listing.rows or listing.is_filtered:
        return ""
    if not Network.objects.visible_to(membership).exists():
        return "network"
    if listing.network and Device.objects.visible_to(membership).exists():
        return "chosen"
    return "device"


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True, network_writes=True)
def device_add(request: AdminRequest, organization: Organization) -> HttpResponse:
    networks = Network.objects.writable_by(request.membership).order_by("name", "pk")
    chosen = chosen_network(request)
    form = DeviceAddForm(
        request.POST or None,
        networks=networks,
        organization=organization,
        knows_owners=request.membership.sees_organization,
        initial={"network": chosen.pk if chosen else None},
    )
    added: list[Device] = []

    def add() -> None:
        device = add_device(
            by=request.actor,
            network=form.cleaned_data["network"],
            serial_number=form.cleaned_data["serial_number"],
            details=form.details,
        )
        added.append(device)

    if done(form, add):
        messages.success(request, f"{form.who} is added.")
        return redirect("licensing:device_detail", organization.pk, added[0].pk)
    context = {
        "organization": organization,
        "form": form,
        "has_networks": networks.exists(),
        "owners": suggested_owners(request.membership),
    }
    return render(request, "licensing/device_add.html", context)


def suggested_owners(membership: Membership) -> OwnerQuerySet:
    return Owner.objects.visible_to(membership).order_by("name", "pk")[:SUGGESTED]
