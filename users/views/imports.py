"""Configure > Owners > Import: a file is uploaded, looked at row by row, and confirmed."""

from __future__ import annotations

import csv
import hashlib
import uuid
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from organizations.access import AdminRequest, organization_view
from organizations.forms import done
from organizations.lists import render_listing
from organizations.lists.export import BYTE_ORDER_MARK
from organizations.models import Membership, Organization
from organizations.refusals import Refusal
from users import imports
from users.forms.imports import ImportForm
from users.models import PeopleImport
from users.tables.imports import COLUMNS, ImportRowList, ImportWords
from vpp_accounts.models import VppAccount

RECENT = 10
A_DOUBLE_CLICK = 10  # seconds
OPEN = (PeopleImport.State.CHECKING, PeopleImport.State.CHECKED)


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
        begun.append(start_once(request, organization, **form.details))

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


@transaction.atomic
def start_once(
    request: AdminRequest,
    organization: Organization,
    *,
    account: VppAccount | None,
    content: bytes,
    **details: Any,
) -> PeopleImport:
    """The same again within seconds is a double click, and leads to the import that runs already."""
    # The second of two requests waits here until the first has begun.
    Membership.objects.select_for_update(no_key=True).get(pk=request.membership.pk)
    told = f"{request.membership.pk} {account.pk if account else 0} {details}".encode()
    key = f"people-import:{hashlib.sha256(told + content).hexdigest()}"
    running = imports_of(request).filter(pk=cache.get(key), state__in=OPEN).first()
    if running:
        return running
    begun = imports.start_import(
        by=request.actor, organization=organization, account=account, content=content, **details
    )
    cache.set(key, begun.pk, A_DOUBLE_CLICK)
    return begun


@require_safe
@organization_view()
def import_template(request: AdminRequest, organization: Organization) -> HttpResponse:
    """A file with the header and one person, to be filled in."""
    refuse_network_admins(request)
    response = HttpResponse(
        BYTE_ORDER_MARK,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="owners-template.csv"'},
    )
    writer = csv.writer(response)
    writer.writerow([column.name for column in COLUMNS])
    writer.writerow([column.example for column in COLUMNS])
    return response


@require_safe
@organization_view()
def import_detail(
    request: AdminRequest, organization: Organization, import_id: uuid.UUID
) -> HttpResponseBase:
    words = ImportWords(import_or_404(request, import_id))
    if request.htmx and "stand" in request.GET:
        return news(request, words)
    listing = ImportRowList(request.GET, words)
    if listing.wants_csv:
        return listing.csv_response("import", zone=organization.zone)
    context = {"organization": organization, "words": words, "people_import": words.people_import}
    return render_listing(request, listing, "users/import_detail.html", context)


def news(request: AdminRequest, words: ImportWords) -> HttpResponse:
    """Asked for again and again until a worker is through; `?stand=` is what the screen shows."""
    if request.GET["stand"] == words.stand:
        return HttpResponse(status=204)
    return HttpResponseClientRefresh()


@require_POST
@organization_view()
def import_confirm(
    request: AdminRequest, organization: Organization, import_id: uuid.UUID
) -> HttpResponse:
    people_import = import_or_404(request, import_id)
    confirm_missing = bool(request.POST.get("confirm_missing"))
    try:
        imports.confirm(
            by=request.actor, people_import=people_import, confirm_missing=confirm_missing
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("users:import_detail", organization.pk, people_import.pk)


@require_POST
@organization_view()
def import_cancel(
    request: AdminRequest, organization: Organization, import_id: uuid.UUID
) -> HttpResponse:
    people_import = import_or_404(request, import_id)
    try:
        imports.cancel(by=request.actor, people_import=people_import)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("users:import_detail", organization.pk, people_import.pk)


def refuse_network_admins(request: AdminRequest) -> None:
    """People belong to the whole organization."""
    if not request.membership.sees_organization:
        raise Http404


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
