"""Organization > Networks."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from organizations import services
from organizations.access import AdminRequest, organization_view
from organizations.forms import NetworkDeleteForm, NetworkForm, done
from organizations.models import Network, Organization


@require_safe
@organization_view()
def network_list(request: AdminRequest, organization: Organization) -> HttpResponse:
    networks = Network.objects.visible_to(request.membership).annotate(
        device_count=Count("devices", distinct=True)
    )
    found = networks.order_by("name", "pk")
    return render(request, "organizations/network_list.html", {"networks": found})


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True)
def network_add(request: AdminRequest, organization: Organization) -> HttpResponse:
    form = NetworkForm(request.POST or None, initial={"time_zone": organization.time_zone})
    add = partial(services.add_network, by=request.actor, organization=organization)
    if request.method == "POST" and done(form, lambda: add(details=form.details)):
        messages.success(request, f"{form.details.name} is added.")
        return redirect("organizations:network_list", organization.pk)
    return render(request, "organizations/network_add.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True)
def network_edit(
    request: AdminRequest, organization: Organization, network_id: int
) -> HttpResponse:
    network = get_object_or_404(Network.objects.visible_to(request.membership), pk=network_id)
    told = {
        "name": network.name,
        "time_zone": network.time_zone,
        "tags": " ".join(network.tags),
        "notes": network.notes,
    }
    form = NetworkForm(request.POST or None, initial=told)
    edit = partial(services.edit_network, by=request.actor, network=network)
    if request.method == "POST" and done(form, lambda: edit(details=form.details)):
        messages.success(request, f"{form.details.name} is saved.")
        return redirect("organizations:network_list", organization.pk)
    return render(request, "organizations/network_edit.html", {"form": form, "network": network})


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True)
def network_delete(
    request: AdminRequest, organization: Organization, network_id: int
) -> HttpResponse:
    ours = Network.objects.visible_to(request.membership)
    network = get_object_or_404(ours, pk=network_id)
    devices = network.devices.count()
    others = ours.exclude(pk=network.pk).order_by("name")
    form = NetworkDeleteForm(request.POST or None, network=network, others=others, devices=devices)
    delete = partial(services.delete_network, by=request.actor, network=network)
    if request.method == "POST" and done(
        form, lambda: delete(move_devices_to=form.cleaned_data.get("move_devices_to"))
    ):
        messages.success(request, f"{network.name} is deleted.")
        return redirect("organizations:network_list", organization.pk)
    context = {
        "form": form,
        "network": network,
        "devices": devices,
        "consequences": services.deletion_consequences(network),
        "has_others": others.exists(),
    }
    return render(request, "organizations/network_delete.html", context)
