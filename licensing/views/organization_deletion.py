"""Organization > Settings > Delete this organization."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from licensing.batches import taking_back
from licensing.forms.organizations import OrganizationDeleteForm
from organizations import closing
from organizations.access import AdminRequest, organization_view
from organizations.forms import done
from organizations.models import Organization


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True, recent=True)
def organization_delete(request: AdminRequest, organization: Organization) -> HttpResponse:
    form = OrganizationDeleteForm(request.POST or None, name=organization.name)

    def delete() -> None:
        closing.ask_deletion(by=request.actor, organization=organization, **form.cleaned_data)

    if request.method == "POST" and done(form, delete):
        return redirect("organizations:organization_deleted", organization.pk)
    held = taking_back.held(request.membership)
    context = {
        "organization": organization,
        "form": form,
        "held": held,
        "revocable": sum(each.revocable for each in held if not each.obstacle),
        "permanent": sum(each.permanent for each in held),
        "days_to_undo": closing.DAYS_TO_UNDO,
    }
    return render(request, "licensing/organization_delete.html", context)
