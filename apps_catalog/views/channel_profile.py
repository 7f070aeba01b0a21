"""Organization > MDM > Device channel > Enrollment profile: a template to sign and to hand out."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from apps_catalog.channels import configuring
from apps_catalog.channels.profile import PROFILE, ProfileDetails, enrollment_profile, file_name
from apps_catalog.forms.channel import ProfileForm
from organizations.access import AdminRequest, organization_view
from organizations.models import Network, Organization


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True)
def channel_profile(request: AdminRequest, organization: Organization) -> HttpResponse:
    sent = request.POST if request.method == "POST" else None
    form = ProfileForm(sent, chosen=configuring.settings_of(organization))
    if form.is_valid():
        return download(organization, **form.cleaned_data)
    context = {"organization": organization, "form": form}
    return render(request, "apps_catalog/channel_profile.html", context)


def download(organization: Organization, *, network: Network, **told: str) -> HttpResponse:
    details = ProfileDetails(
        organization=organization.name, network=network.name, network_id=network.pk, **told
    )
    name = file_name(network.name, network.pk)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(enrollment_profile(details), content_type=PROFILE, headers=headers)
