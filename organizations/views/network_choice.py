"""Which network the pages of this organization are narrowed to: the admin's own choice."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from organizations.access import AdminRequest, organization_view
from organizations.models import Network, Organization
from organizations.network_choice import choose, chosen_network, visible_networks

SHOWN = 50


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(own=True)
def network_choose(request: AdminRequest, organization: Organization) -> HttpResponse:
    """With htmx only the networks that match, for the drop-down of the frame."""
    back = back_to(request, organization)
    if request.method == "POST":
        choose(request, wanted(request))
        return redirect(back)
    text = request.GET.get("q", "").replace("\0", "").strip()[:200]
    found = list(visible_networks(request, text)[: SHOWN + 1])
    context = {
        "organization": organization,
        "networks": found[:SHOWN],
        "has_more": len(found) > SHOWN,
        "chosen": chosen_network(request),
        "text": text,
        "back": back,
    }
    part = "organizations/_network_choices.html"
    return render(request, part if request.htmx else "organizations/network_choose.html", context)


def wanted(request: AdminRequest) -> Network | None:
    asked = request.POST.get("network", "")
    if not asked:
        return None
    pk = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0
    return get_object_or_404(Network.objects.visible_to(request.membership), pk=pk)


def back_to(request: AdminRequest, organization: Organization) -> str:
    """The page on which it was chosen, if that is one of this organization."""
    asked = request.POST.get("next") or request.GET.get("next", "")
    home = reverse("licensing:overview", args=[organization.pk])
    is_ours = asked.startswith(home) and url_has_allowed_host_and_scheme(asked, allowed_hosts=None)
    return asked if is_ours else home
