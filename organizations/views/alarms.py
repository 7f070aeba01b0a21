"""Alarms by mail: the admin's own switch, and the link in each mail that switches them off."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from organizations.access import AdminRequest, organization_view
from organizations.audit import Actor
from organizations.forms import AlarmsForm
from organizations.models import Organization
from organizations.preferences import membership_of_token, switch_alarms


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(own=True)
def alarms(request: AdminRequest, organization: Organization) -> HttpResponse:
    membership = request.membership
    form = AlarmsForm(
        request.POST if request.method == "POST" else None,
        initial={"wants_alarms": membership.wants_alarms},
    )
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data["wants_alarms"]
        switch_alarms(by=request.actor, membership=membership, wanted=wanted)
        sentence = "Alarms are mailed to you." if wanted else "No alarm is mailed to you any more."
        messages.success(request, sentence)
        return redirect("organizations:alarms", organization.pk)
    return render(request, "organizations/alarms.html", {"form": form})


# Mail programs post here by themselves (RFC 8058), without a page of ours and without its token.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def alarms_off(request: HttpRequest, token: str) -> HttpResponse:
    """Looking changes nothing, because scanners of mail follow every link."""
    membership = membership_of_token(token)
    if membership is None:
        raise Http404("No such link.")
    if request.method == "POST":
        by = Actor.system(f"Link in a mail to {membership.admin.email}")
        switch_alarms(by=by, membership=membership, wanted=False)
    return render(request, "organizations/alarms_off.html", {"membership": membership})
