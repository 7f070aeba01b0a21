"""What the pages of all imports of files have in common."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.contrib import messages
from django.core.cache import cache
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django_htmx.http import HttpResponseClientRefresh

from organizations.access import AdminRequest
from organizations.lists.export import BYTE_ORDER_MARK
from organizations.models import Membership
from organizations.models.imports import FileImport
from organizations.refusals import Refusal
from organizations.tables.imports import FileColumn, FileWords

RECENT = 10
A_DOUBLE_CLICK = 10  # seconds
OPEN = (FileImport.State.CHECKING, FileImport.State.CHECKED)
Import = TypeVar("Import", bound=FileImport)


def refuse_network_admins(request: AdminRequest) -> None:
    """A file is about the whole organization."""
    if not request.membership.sees_organization:
        raise Http404


@transaction.atomic
def start_once(
    request: AdminRequest,
    imports: QuerySet[Import],
    start: Callable[..., Import],
    *,
    content: bytes,
    **details: Any,
) -> Import:
    """The same again within seconds is a double click, and leads to the import that runs already."""
    # The second of two requests waits here until the first has begun.
    Membership.objects.select_for_update(no_key=True).get(pk=request.membership.pk)
    chosen = {name: getattr(value, "pk", value) for name, value in details.items()}
    told = f"{imports.model.__name__} {request.membership.pk} {chosen}".encode()
    key = f"import:{hashlib.sha256(told + content).hexdigest()}"
    running = imports.filter(pk=cache.get(key), state__in=OPEN).first()
    if running:
        return running
    begun = start(
        by=request.actor, organization=request.membership.organization, content=content, **details
    )
    cache.set(key, begun.pk, A_DOUBLE_CLICK)
    return begun


def template_file(name: str, columns: Iterable[FileColumn]) -> HttpResponse:
    """A file with the header and one example, to be filled in."""
    response = HttpResponse(
        BYTE_ORDER_MARK,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}-template.csv"'},
    )
    shown = list(columns)
    writer = csv.writer(response)
    writer.writerow([column.name for column in shown])
    writer.writerow([column.example for column in shown])
    return response


def news(request: AdminRequest, words: FileWords) -> HttpResponse:
    """Asked for again and again until a worker is through; `?stand=` is what the screen shows."""
    if request.GET["stand"] == words.stand:
        return HttpResponse(status=204)
    return HttpResponseClientRefresh()


def tell_refusal(request: AdminRequest, act: Callable[[], None]) -> None:
    try:
        act()
    except Refusal as refusal:
        messages.error(request, str(refusal))
