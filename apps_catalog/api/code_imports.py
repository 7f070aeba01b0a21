"""A sheet of redemption codes over REST: uploaded, looked at, confirmed."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from apps_catalog.api.code_serializers import (
    CodeColumnSerializer,
    CodeImportDetailSerializer,
    CodeImportSerializer,
    CodeSheetSerializer,
)
from apps_catalog.api.codes import TAG
from apps_catalog.api.doors import NetworkAppApiView
from apps_catalog.codes import importing
from apps_catalog.codes.importing import Preview
from apps_catalog.codes.reading import LARGEST, Row, columns_of
from apps_catalog.models import CodeImport
from organizations.api.openapi import operation

BESIDE_THE_FILE = 64 * 1024  # what a form has around it
MOST_MALFORMED = 100  # told one by one
MOST_LISTED = 1000

described = partial(operation, tag=TAG, deprecated=True)


class CodeImportsView(NetworkAppApiView):
    largest_body = LARGEST + BESIDE_THE_FILE

    @described(
        "getNetworkSmAppCodesImports",
        "List the sheets of codes that wait to be confirmed",
        answers={200: CodeImportSerializer(many=True)},
        description="Newest first. One that nobody confirms is forgotten after seven days.",
    )
    def get(self, request: Request, **path: str) -> Response:
        waiting = CodeImport.objects.filter(managed_app=self.managed_app, finished_at=None)
        newest = waiting.defer("rows_ciphertext").order_by("-created_at", "pk")[:MOST_LISTED]
        return Response([import_json(each) for each in newest])

    @described(
        "createNetworkSmAppCodesImport",
        "Upload a sheet of codes",
        body={"multipart/form-data": CodeSheetSerializer},
        answers={201: CodeImportDetailSerializer},
        description="Nothing is imported yet: the answer says what confirming would do.",
    )
    def post(self, request: Request, **path: str) -> Response:
        upload = CodeSheetSerializer.checked(request)["file"]
        code_import = importing.start_import(
            by=self.actor,
            managed_app=self.managed_app,
            file_name=upload.name,
            content=upload.read(),
        )
        return Response(detail_json(code_import), status=201)


class CodeImportApiView(NetworkAppApiView):
    code_import: CodeImport

    def enter(self) -> None:
        super().enter()
        rows = CodeImport.objects.filter(managed_app=self.managed_app)
        found = rows.select_related("managed_app").filter(pk=self.kwargs["codeImportId"]).first()
        if found is None:
            raise Http404
        self.code_import = found

    def told(self) -> Response:
        self.code_import.refresh_from_db()
        return Response(detail_json(self.code_import))


class CodeImportView(CodeImportApiView):
    @described(
        "getNetworkSmAppCodesImport",
        "Show what a sheet of codes would do",
        answers={200: CodeImportDetailSerializer},
        description="For those who may confirm it: who may write in the network.",
    )
    def get(self, request: Request, **path: str) -> Response:
        self.refuse_network_readers()
        return Response(detail_json(self.code_import))

    @described(
        "updateNetworkSmAppCodesImport",
        "Say in which column of a sheet the codes stand",
        body=CodeColumnSerializer,
        answers={200: CodeImportDetailSerializer},
        description="Refused with 409 and the code import_over once it is confirmed.",
    )
    def put(self, request: Request, **path: str) -> Response:
        column = CodeColumnSerializer.checked(request)["column"]
        importing.choose_column(code_import=self.code_import, column=column)
        return self.told()

    @described(
        "deleteNetworkSmAppCodesImport",
        "Forget a sheet of codes without importing it",
        answers={204: None},
        description="One that is confirmed stays as it is.",
    )
    def delete(self, request: Request, **path: str) -> Response:
        importing.cancel(code_import=self.code_import)
        return Response(status=204)


class ConfirmCodeImportView(CodeImportApiView):
    @described(
        "confirmNetworkSmAppCodesImport",
        "Import the codes of a sheet",
        answers={200: CodeImportDetailSerializer},
        description="Codes that are here already are not added again; those of ours that the sheet"
        " calls redeemed are marked so. To confirm twice is to confirm once.",
    )
    def post(self, request: Request, **path: str) -> Response:
        importing.confirm(by=self.actor, code_import=self.code_import)
        return self.told()


def import_json(code_import: CodeImport) -> dict[str, Any]:
    return {
        "id": str(code_import.pk),
        "appId": str(code_import.managed_app_id),
        "fileName": code_import.file_name,
        "createdAt": code_import.created_at,
        "createdBy": code_import.created_by,
        "finishedAt": code_import.finished_at,
    }


def detail_json(code_import: CodeImport) -> dict[str, Any]:
    told = import_json(code_import)
    if code_import.finished_at:
        return told | {"preview": None, "counts": code_import.counts}
    table = importing.table_in(code_import)
    return told | {
        "preview": preview_json(importing.preview_of(code_import), table),
        "counts": None,
    }


def preview_json(preview: Preview, table: list[Row]) -> dict[str, Any]:
    sheet = preview.sheet
    return {
        "column": sheet.column,
        "columns": columns_of(table),
        "order": sheet.order or None,
        "adamId": sheet.adam_id or None,
        "isForAnotherApp": preview.other_app,
        "codes": len(sheet.codes),
        "new": len(preview.new),
        "unused": preview.unused,
        "known": preview.known,
        "redeemed": preview.redeemed,
        "newlyRedeemed": len(preview.news),
        "examples": preview.masked,
        "malformedCount": len(sheet.malformed),
        "malformed": [
            {"row": each.number, "reason": each.reason} for each in sheet.malformed[:MOST_MALFORMED]
        ],
    }
