"""Configure > Owners > Import: a file is uploaded, looked at row by row, and confirmed."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from organizations.access import AdminRequest, organization_view
from organizations.forms import done
from organizations.lists import render_listing
from organizations.models import Organization
from organizations.views.imports import (
    RECENT,
    news,
    refuse_network_admins,
    start_once,
    tell_refusal,
    template_file,
)
from users import imports
from users.forms.imports import ImportForm
from users.models import PeopleImport
from users.tables.imports import COLUMNS, ImportRowList, ImportWords
from vpp_accounts.models import VppAccount


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view()
def import_add(request: AdminRequest, organization: Organization) -> HttpResponse:
    refuse_network_admins(request)
    accounts = VppAccount.objects.open_to(request.membership).order_by("name", "pk")
    account = account_of_address(request, accounts)
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    locked = not request.membership.can_write
    form = ImportForm(*sent, accounts=accounts, locked=locked, initial={"account": account})
    begun: list[PeopleImport] = []

    def start() -> None:
        begun.append(start_once(request, imports_of(request), imports.start_import, **form.details))

    if sent and done(form, start):
        return redirect("users:import_detail", organization.pk, begun[0].pk)
    recent = imports_of(request).order_by("-created_at")[:RECENT]
    context = {
        "organization": organization,
        "account": account,
        "form": form,
        "columns": COLUMNS,
        "recent": [ImportWords(each) for each in recent],
    }
    return render(request, "users/import_add.html", context)


@require_safe
@organization_view()
def import_template(request: AdminRequest, organization: Organization) -> HttpResponse:
    refuse_network_admins(request)
    return template_file("owners", COLUMNS)


@require_safe
@organization_view()
def import_detail(
    request: AdminRequest, organization: Organization, import_id: uuid.UUID
) -> HttpResponseBase:
    people_import = import_or_404(request, import_id)
    words = ImportWords(people_import)
    if request.htmx and "stand" in request.GET:
        return news(request, words)
    listing = ImportRowList(request.GET, words)
    if listing.wants_csv:
        return listing.csv_response("import", zone=organization.zone)
    context = {
        "organization": organization,
        "words": words,
        "people_import": people_import,
        "after": "users/_import_after.html",
    }
    return render_listing(request, listing, "users/import_detail.html", context)


@require_POST
@organization_view()
def import_confirm(
    request: AdminRequest, organization: Organization, import_id: uuid.UUID
) -> HttpResponse:
    people_import = import_or_404(request, import_id)
    confirm_missing = bool(request.POST.get("confirm_missing"))
    tell_refusal(
        request,
        lambda: imports.confirm(
            by=request.actor, people_import=people_import, confirm_missing=confirm_missing
        ),
    )
    return redirect("users:import_detail", organization.pk, people_import.pk)


@require_POST
@organization_view()
def import_cancel(
    request: AdminRequest, organization: Organization, import_id: uuid.UUID
) -> HttpResponse:
    people_import = import_or_404(request, import_id)
    tell_refusal(request, lambda: imports.cancel(by=request.actor, people_import=people_import))
    return redirect("users:import_detail", organization.pk, people_import.pk)


def account_of_address(request: AdminRequest, accounts: QuerySet[VppAccount]) -> VppAccount | None:
    """The one of `?account=`, of which the people become users too."""
    wanted = request.GET.get("account")
    if not wanted:
        return None
    found = {str(account.pk): account for account in accounts}
    if wanted not in found:
        raise Http404
    return found[wanted]


def imports_of(request: AdminRequest) -> QuerySet[PeopleImport]:
    """Without the files, which have up to 20 MB."""
    ours = PeopleImport.objects.visible_to(request.membership)
    return ours.select_related("account").defer("file")


def import_or_404(request: AdminRequest, import_id: uuid.UUID) -> PeopleImport:
    people_import: PeopleImport = get_object_or_404(imports_of(request), pk=import_id)
    return people_import
