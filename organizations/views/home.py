"""The first page after signing in."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from organizations import switching
from organizations.admins import accepting
from organizations.models import Admin
from organizations.signin.limits import only_organization


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The organization, where there is only one; all of them; or why there is none."""
    ids = switching.enterable(request)
    admin = cast("Admin", request.user)
    invitations = [] if only_organization(request) else accepting.open_invitations(admin)
    if invitations or not ids:
        context = {"has_organizations": bool(ids), "invitations": invitations}
        return render(request, "organizations/home.html", context)
    if len(ids) == 1:
        return redirect("licensing:overview", ids[0])
    return redirect("licensing:organization_list")
