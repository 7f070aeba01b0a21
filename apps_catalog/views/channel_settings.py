"""Organization > MDM > Device channel: how apps reach devices, and whether that works."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from apps_catalog.channels import configuring
from apps_catalog.channels.simulated import faults
from apps_catalog.channels.standing import standing_of
from apps_catalog.forms.channel import ChannelForm
from apps_catalog.models import ChannelKind, ChannelSettings
from organizations.access import AdminRequest, organization_view
from organizations.forms import done
from organizations.models import Organization
from organizations.refusals import Refusal


def refuse_network_admins(request: AdminRequest) -> None:
    """How devices are reached is the whole organization's business."""
    if not request.membership.sees_organization:
        raise Http404


@require_safe
@organization_view()
def channel_settings(request: AdminRequest, organization: Organization) -> HttpResponse:
    return settings_page(request, organization)


def settings_page(
    request: AdminRequest, organization: Organization, form: ChannelForm | None = None
) -> HttpResponse:
    refuse_network_admins(request)
    chosen = configuring.settings_of(organization)
    locked = not request.membership.can_write
    context = {
        "organization": organization,
        "form": form or ChannelForm(chosen=chosen, locked=locked),
        "fleet": faults.card_of(organization.pk),
        **state_of(chosen),
    }
    return render(request, "apps_catalog/channel_settings.html", context)


def state_of(chosen: ChannelSettings) -> dict[str, Any]:
    standing = standing_of(chosen)
    names = ("enrolled", "chosen", "kind", "webhook_url", "is_being_checked", "push_is_ending")
    return {name: getattr(standing, name) for name in (*names, "troubles")} | {
        "is_nanomdm": standing.kind == ChannelKind.NANOMDM,
        "is_simulated": standing.kind == ChannelKind.SIMULATED,
        "is_none": standing.kind == ChannelKind.NONE,
    }


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True, recent=True)
def channel_edit(request: AdminRequest, organization: Organization) -> HttpResponse:
    if request.method != "POST":
        return redirect("apps_catalog:channel_settings", organization.pk)
    form = ChannelForm(request.POST, chosen=configuring.settings_of(organization))
    configure = partial(configuring.configure, by=request.actor, organization=organization)
    if not done(form, lambda: configure(details=form.details)):
        return settings_page(request, organization, form)
    messages.success(request, "The device channel is saved.")
    configuring.check_server(organization)
    return redirect("apps_catalog:channel_settings", organization.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True, recent=True)
def channel_key(request: AdminRequest, organization: Organization) -> HttpResponse:
    """The answer to the POST shows the key, and no other page ever does."""
    had_one = bool(configuring.settings_of(organization).webhook_key_ciphertext)
    context: dict[str, Any] = {"organization": organization, "had_one": had_one}
    if request.method == "POST":
        context["key"] = configuring.make_webhook_key(by=request.actor, organization=organization)
        chosen = configuring.settings_of(organization)
        context["webhook_url"] = configuring.webhook_url(chosen)
    return render(request, "apps_catalog/channel_key.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view()
def channel_check(request: AdminRequest, organization: Organization) -> HttpResponse:
    """The state of the connection, asked for again and again while a worker checks it."""
    refuse_network_admins(request)
    if request.method == "POST":
        try:
            configuring.ask_check(organization=organization)
        except Refusal as refusal:
            messages.error(request, str(refusal))
        if not request.htmx:
            return redirect("apps_catalog:channel_settings", organization.pk)
    elif not request.htmx:
        return redirect("apps_catalog:channel_settings", organization.pk)
    context = {"organization": organization, **state_of(configuring.settings_of(organization))}
    return render(request, "apps_catalog/_channel_check.html", context)
