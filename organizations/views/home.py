"""The first page after signing in."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from organizations.models import Admin, Membership


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The organization, where there is only one; otherwise the choice, or why there is none."""
    admin = cast("Admin", request.user)
    memberships = list(Membership.objects.of(admin).order_by("organization__name", "pk"))
    if len(memberships) == 1:
        return redirect("licensing:overview", memberships[0].organization_id)
    return render(request, "organizations/home.html", {"memberships": memberships})
