"""How the windows of Organization > MDM answer: inside the dialog with htmx, as pages without."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from licensing.views.account_rows import account_rows
from organizations.access import AdminRequest
from organizations.models import Organization
from vpp_accounts.models import VppAccount


def account_or_404(request: AdminRequest, account_id: int) -> VppAccount:
    visible = VppAccount.objects.visible_to(request.membership)
    return get_object_or_404(visible.with_rights(request.membership), pk=account_id)


def open_account_or_404(request: AdminRequest, account_id: int) -> VppAccount:
    """For what tells of its users and licenses."""
    account = account_or_404(request, account_id)
    if not account.is_open:
        raise Http404
    return account


def window(request: AdminRequest, template: str, heading: str, **context: Any) -> HttpResponse:
    """A window's own template extends the dialog or the page, whichever asked for it."""
    if "form" in context:
        _focus_first(context["form"])
    layout = "licensing/_account_dialog.html" if request.htmx else "licensing/_account_page.html"
    return render(
        request, f"licensing/{template}", {"heading": heading, "layout": layout, **context}
    )


def back_to_table(
    request: AdminRequest, organization: Organization, *, in_place: bool
) -> HttpResponse:
    """The table with its news; `in_place` of the old one where the rest of the page stays true."""
    address = reverse("licensing:mdm", args=[organization.pk])
    if not request.htmx:
        return redirect(address)
    if not in_place or _path(request.htmx.current_url_abs_path) != address:
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    response = render(request, "licensing/_account_table_update.html", table_context(request))
    response["HX-Retarget"] = "#accounts"
    response["HX-Reswap"] = "outerHTML"
    response["HX-Trigger"] = "close-window, work-started"
    return response


def table_context(request: AdminRequest) -> dict[str, Any]:
    accounts = VppAccount.objects.visible_to(request.membership)
    return {
        "rows": account_rows(request.membership, accounts),
        "minutes": settings.SYNC_EVERY_MINUTES,
    } | row_context(request)


def row_context(request: AdminRequest) -> dict[str, Any]:
    return {
        "organization": request.membership.organization,
        "can_write": request.membership.can_write,
    }


def _path(url: str | None) -> str:
    return urlsplit(url or "").path


def _focus_first(form: Form) -> None:
    """The cursor starts in the first field that is wrong, else in the first one."""
    names = list(form.fields)
    first = next((name for name in names if form.is_bound and form.has_error(name)), names[0])
    form.fields[first].widget.attrs["autofocus"] = True
