"""Organization > Activity > Retention."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from organizations.access import AdminRequest, organization_view
from organizations.audit_log import retention
from organizations.forms.audit_retention import FOR_GOOD, RetentionForm
from organizations.models import Organization


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True, recent=True)
def audit_retention(request: AdminRequest, organization: Organization) -> HttpResponse:
    now = str(organization.audit_kept_months or FOR_GOOD)
    form = RetentionForm(
        request.POST if request.method == "POST" else None,
        initial={"months": now},
        organization=organization,
    )
    if request.method == "POST" and form.is_valid() and kept(request, organization, form):
        messages.success(request, "How long the activity is kept is saved.")
        return redirect("licensing:organization_activity", organization.pk)
    return render(request, "organizations/audit_retention.html", {"form": form})


def kept(request: AdminRequest, organization: Organization, form: RetentionForm) -> bool:
    try:
        retention.keep_for(
            by=request.actor,
            organization=organization,
            months=form.wanted,
            confirmed=form.is_confirmed,
        )
    except retention.RemovesEvents as going:
        form.ask(going)
        return False
    return True
