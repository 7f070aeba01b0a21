"""Organization > Settings: its name and time zone, and the way to its deletion."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from organizations.access import AdminRequest, organization_view
from organizations.closing import DAYS_TO_UNDO
from organizations.details import edit_organization
from organizations.forms import done
from organizations.forms.settings import OrganizationForm
from organizations.models import Organization


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view()
def settings(request: AdminRequest, organization: Organization) -> HttpResponse:
    """Whoever may not write sees the same, and cannot send it."""
    if not request.membership.sees_organization:
        raise Http404
    told = {"name": organization.name, "time_zone": organization.time_zone}
    form = OrganizationForm(request.POST or None, initial=told)
    if not request.membership.can_write:
        for field in form.fields.values():
            field.disabled = True

    def edit() -> None:
        edit_organization(by=request.actor, organization=organization, **form.cleaned_data)

    if request.method == "POST" and done(form, edit):
        messages.success(request, "The settings are saved.")
        return redirect("organizations:settings", organization.pk)
    context = {"form": form, "days_to_undo": DAYS_TO_UNDO}
    return render(request, "organizations/settings.html", context)
