"""A person's data: given out as a file, and erased."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from licensing.forms.personal_data import EraseForm
from licensing.personal_data import erase, export, plan_erasure
from organizations.access import AdminRequest, organization_view
from organizations.forms import done
from organizations.models import Organization
from users.views.owners import owners_of


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(writes=True, recent=True)
def owner_data(request: AdminRequest, organization: Organization, owner_id: int) -> HttpResponse:
    owner = get_object_or_404(owners_of(request), pk=owner_id)
    form = EraseForm(request.POST or None)
    typed = form.data.get("typed", "")
    begin = partial(erase, by=request.actor, membership=request.membership, owner=owner)
    if done(form, lambda: begin(typed=typed)):
        messages.success(request, "The person's data are erased; Apple is being told.")
        return redirect("users:owner_list", organization.pk)
    context = {
        "organization": organization,
        "owner": owner,
        "erasure": plan_erasure(owner, request.membership),
        "form": form,
    }
    return render(request, "licensing/owner_data.html", context)


@require_POST
@organization_view(writes=True, recent=True)
def owner_data_export(
    request: AdminRequest, organization: Organization, owner_id: int
) -> HttpResponse:
    owner = get_object_or_404(owners_of(request), pk=owner_id)
    told = export(by=request.actor, membership=request.membership, owner=owner)
    response = JsonResponse(told, json_dumps_params={"indent": 2, "ensure_ascii": False})
    name = f"personal-data-{owner.pk}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
