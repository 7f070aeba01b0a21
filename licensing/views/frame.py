"""The part of the frame that refreshes itself."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from licensing.views.batch_news import ended_meanwhile
from organizations.access import AdminRequest, organization_view
from organizations.models import Organization


@require_safe
@organization_view()
def running_work(request: AdminRequest, organization: Organization) -> HttpResponse:
    """The running work and, beside it, banners and what ended; it asks again only while work runs."""
    return render(request, "_running_work_update.html", {"news": ended_meanwhile(request)})
