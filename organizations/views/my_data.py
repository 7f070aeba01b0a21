"""What is kept of the person who is signed in, as a file."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from organizations.models import Admin
from organizations.personal_data import my_data as gathered
from organizations.signin.recent import reauthenticate_before


@require_http_methods(["GET", "HEAD", "POST"])
@reauthenticate_before
def my_data(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "account/my_data.html")
    told = gathered(cast("Admin", request.user))
    response = JsonResponse(told, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return response
