"""A deleted organization, as long as that can be undone."""

from __future__ import annotations

from functools import partial

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from organizations import closing
from organizations.access import AdminRequest, organization_view
from organizations.forms import done
from organizations.models import Organization


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True, while_deleted=True)
def organization_deleted(request: AdminRequest, organization: Organization) -> HttpResponse:
    if organization.is_open:
        return redirect("licensing:overview", organization.pk)
    form = forms.Form(request.POST if request.method == "POST" else None)
    undo = partial(closing.undo_deletion, by=request.actor, organization=organization)
    if done(form, undo):
        messages.success(request, f"{organization.name} is no longer deleted.")
        return redirect("licensing:overview", organization.pk)
    context = {"organization": organization, "form": form}
    return render(request, "organizations/organization_deleted.html", context)
