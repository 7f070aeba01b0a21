"""Files with many rows over REST: uploaded, checked by a worker, confirmed, applied.

Each kind of file (devices here, owners in users/api) says what is its own in a subclass of
`FilesApiView`, and describes its operations.
"""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters as filters
from django.db.models import QuerySet
from django.http import Http404, HttpResponseBase
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from organizations.api import paging, parameters
from organizations.api.doors import OrganizationApiView
from organizations.api.import_serializers import ConfirmImportSerializer
from organizations.api.openapi import paged, query
from organizations.api.paging import PageSize
from organizations.imports import LARGEST_FILE, Imports
from organizations.models.imports import FileImport, FileImportRow

ROWS = PageSize(default=1000, largest=1000)
LARGEST_BODY = LARGEST_FILE + 64 * 1024  # what a form has around the file

UPLOADED = (
    "A worker checks each row; nothing is written before the import is confirmed. Poll the import"
    " until its state is checked or failed, look at its rows, and confirm or cancel it. It is kept for"
    " a week."
)
CONFIRMED = (
    "A worker writes all of the rows without an error or, should anything go wrong, none; poll the"
    " import until its state is finished. To confirm twice is to confirm once. Refused with 409 and the"
    " code many_missing where a whole list lacks many, unless confirmMissing is sent."
)
CANCELLED = "Nothing is written. What is being written already, or is written, stays (409)."


def row_parameters() -> list[OpenApiParameter]:
    return [
        query("verdict", "Only rows with this verdict.", enum=FileImportRow.Verdict.values),
        query("search", "A part of what the row says, or of its message."),
        *paged(ROWS),
    ]


class FilesApiView(OrganizationApiView):
    """A file is about the whole organization."""

    organization_wide = True

    engine: ClassVar[Imports[Any]]
    row_filter: ClassVar[type[filters.FilterSet]]

    def imports(self) -> QuerySet[Any, Any]:
        """Those that this key may see, without the files, which have up to 20 MB."""
        raise NotImplementedError

    def own_json(self, file_import: Any) -> dict[str, Any]:
        """What only this kind of imports has."""
        raise NotImplementedError

    def import_json(self, file_import: Any) -> dict[str, Any]:
        return shared_json(file_import) | self.own_json(file_import)

    def listed(self) -> Response:
        """Of one week: no more than some hundreds."""
        newest = self.imports().order_by("-created_at", "pk")
        return Response([self.import_json(each) for each in newest])

    def begun(self, file_import: FileImport) -> Response:
        return Response(self.import_json(file_import), status=202)


class FileApiView(FilesApiView):
    """Everything below …/imports/{importId}."""

    file_import: Any

    def enter(self) -> None:
        super().enter()
        found = self.imports().filter(pk=self.kwargs["importId"]).first()
        if found is None:
            raise Http404
        self.file_import = found

    def told(self, *, status: int = 200) -> Response:
        """As it is now: a worker may have gone on."""
        self.file_import = self.imports().filter(pk=self.file_import.pk).first() or self.file_import
        return Response(self.import_json(self.file_import), status=status)

    def rows_listed(self, request: Request) -> HttpResponseBase:
        asked = {
            "verdict": parameters.choice(request, "verdict", FileImportRow.Verdict.values),
            "q": parameters.text(request, "search"),
        }
        rows = self.engine.row._default_manager.filter(**{self.engine.key: self.file_import.pk})
        found = self.row_filter(asked, rows).qs
        return paging.listed(request, found, size=ROWS, shape=paging.each(self.row_json))

    @staticmethod
    def row_json(row: Any) -> dict[str, Any]:
        raise NotImplementedError

    def confirmed(self, request: Request) -> Response:
        given = ConfirmImportSerializer.checked(request)
        self.engine.confirm(
            by=self.actor, file_import=self.file_import, confirm_missing=given["confirmMissing"]
        )
        return self.told(status=202)

    def cancelled(self) -> Response:
        self.engine.cancel(by=self.actor, file_import=self.file_import)
        return self.told()


# --- On the wire ------------------------------------------------------------------------------------


def shared_json(file_import: FileImport) -> dict[str, Any]:
    counts: dict[str, Any] = file_import.counts
    verdicts = {verdict: counts.get(verdict, 0) for verdict in FileImportRow.Verdict.values}
    return {
        "id": file_import.pk,
        "fileName": file_import.file_name,
        "state": file_import.state,
        "problem": file_import.problem or None,
        "counts": verdicts if counts else None,
        "wholeList": file_import.is_complete,
        "missing": counts.get("missing"),
        "needsConfirmMissing": bool(counts.get("misses_many")),
        "notices": counts.get("notices", []),
        "createdBy": file_import.actor_name,
        "createdAt": file_import.created_at,
        "checkedAt": file_import.checked_at,
        "finishedAt": file_import.finished_at,
    }


def row_said(row: FileImportRow) -> dict[str, Any]:
    return {"row": row.number, "verdict": row.verdict, "message": row.message}


def id_text(number: int | None) -> str | None:
    return None if number is None else str(number)
