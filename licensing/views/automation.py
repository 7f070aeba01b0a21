"""Automatic licensing of the whole organization, paused and resumed (VPP > Settings)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from licensing.automation import pausing
from organizations.access import AdminRequest, organization_view
from organizations.models import Organization

PAUSED = "Automatic licensing is paused: no rule grants or revokes anything until you resume it."
RESUMED = "Automatic licensing goes on."


@require_POST
@organization_view(writes=True)
def automation_pause(request: AdminRequest, organization: Organization) -> HttpResponse:
    pausing.pause(by=request.actor, organization=organization)
    messages.success(request, PAUSED)
    return redirect("licensing:settings", organization.pk)


@require_POST
@organization_view(writes=True)
def automation_resume(request: AdminRequest, organization: Organization) -> HttpResponse:
    pausing.resume(by=request.actor, organization=organization)
    messages.success(request, RESUMED)
    return redirect("licensing:settings", organization.pk)
