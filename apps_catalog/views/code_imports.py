"""A sheet of redemption codes: uploaded, looked at, confirmed."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from apps_catalog.codes import importing
from apps_catalog.forms.codes import CodeSheetForm, ColumnForm
from apps_catalog.models import CodeImport, ManagedApp
from apps_catalog.views.codes import app_or_404, refuse_readers
from organizations.access import AdminRequest, organization_view
from organizations.forms import done
from organizations.models import Organization
from organizations.refusals import Refusal

MOST_MALFORMED = 20


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(network_writes=True)
def code_import_add(request: AdminRequest, organization: Organization, app_id: int) -> HttpResponse:
    managed_app = app_or_404(request, app_id)
    refuse_readers(request, managed_app)
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = CodeSheetForm(*sent)
    begun: list[CodeImport] = []

    def start() -> None:
        start_import = importing.start_import
        begun.append(start_import(by=request.actor, managed_app=managed_app, **form.details))

    if sent and done(form, start):
        return to_import(begun[0])
    context = {"organization": organization, "managed_app": managed_app, "form": form}
    return render(request, "apps_catalog/code_import_add.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_view(network_writes=True)
def code_import_detail(
    request: AdminRequest, organization: Organization, app_id: int, import_id: uuid.UUID
) -> HttpResponse:
    """What the sheet says, masked; then a column, a confirmation or an end."""
    managed_app = app_or_404(request, app_id)
    ours = CodeImport.objects.filter(managed_app=managed_app)
    code_import = get_object_or_404(ours.select_related("managed_app"), pk=import_id)
    refuse_readers(request, managed_app)
    try:
        table = importing.table_in(code_import)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return to_codes(managed_app)
    column = ColumnForm(request.POST if "column" in request.POST else None, table=table)
    if request.method == "POST":
        if answer := act(request, managed_app, code_import, column):
            return answer
        code_import.refresh_from_db()
    context = {
        "organization": organization,
        "managed_app": managed_app,
        "code_import": code_import,
        "form": column,
        **preview_in(code_import),
    }
    return render(request, "apps_catalog/code_import_detail.html", context)


def preview_in(code_import: CodeImport) -> dict[str, Any]:
    if code_import.finished_at:
        return {"finished": code_import.counts}
    preview = importing.preview_of(code_import)
    malformed = preview.sheet.malformed
    return {
        "preview": preview,
        "asks": preview.sheet.column is None,
        "malformed": malformed[:MOST_MALFORMED],
        "more_malformed": max(0, len(malformed) - MOST_MALFORMED),
    }


def act(
    request: AdminRequest, managed_app: ManagedApp, code_import: CodeImport, column: ColumnForm
) -> HttpResponse | None:
    """None: something is wrong with the column, which the page says beside it."""
    kind = request.POST.get("kind")
    if kind == "cancel":
        importing.cancel(code_import=code_import)
        messages.success(request, "The sheet is forgotten; nothing was imported.")
        return to_codes(managed_app)
    if kind == "confirm":
        return confirm(request, managed_app, code_import)
    chosen = done(
        column,
        lambda: importing.choose_column(
            code_import=code_import, column=column.cleaned_data["column"]
        ),
    )
    return to_import(code_import) if chosen else None


def confirm(
    request: AdminRequest, managed_app: ManagedApp, code_import: CodeImport
) -> HttpResponse:
    try:
        finished = importing.confirm(by=request.actor, code_import=code_import)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return to_import(code_import)
    added = finished.counts["added"]
    messages.success(request, f"{added:,} code{' is' if added == 1 else 's are'} imported.")
    return to_codes(managed_app)


def to_import(code_import: CodeImport) -> HttpResponse:
    place = (code_import.organization_id, code_import.managed_app_id, code_import.pk)
    return redirect("apps_catalog:code_import_detail", *place)


def to_codes(managed_app: ManagedApp) -> HttpResponse:
    return redirect("apps_catalog:code_list", managed_app.organization_id, managed_app.pk)
