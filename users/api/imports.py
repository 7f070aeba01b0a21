"""Owners out of files, for programs: the steps of Configure > Owners > Import."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from organizations.api.import_serializers import ConfirmImportSerializer
from organizations.api.imports import (
    CANCELLED,
    CONFIRMED,
    LARGEST_BODY,
    UPLOADED,
    FileApiView,
    FilesApiView,
    id_text,
    row_parameters,
    row_said,
)
from organizations.api.openapi import operation
from organizations.api.parameters import BadParameter
from users.api.import_serializers import (
    OwnerImportRowSerializer,
    OwnerImportSerializer,
    UploadOwnersSerializer,
)
from users.imports import stages
from users.models import ImportRow, PeopleImport
from users.tables.imports import ImportRowFilter
from vpp_accounts.models import VppAccount

TAG = "Owners"


class OwnerFiles(FilesApiView):
    engine = stages.IMPORTS
    row_filter = ImportRowFilter

    def imports(self) -> QuerySet[PeopleImport]:
        return PeopleImport.objects.visible_to(self.membership).defer("file")

    def own_json(self, file_import: PeopleImport) -> dict[str, Any]:
        return {
            "vppAccountId": id_text(file_import.account_id),
            "invite": file_import.invites,
            "registerBatchId": id_text(file_import.register_batch_id),
            "inviteBatchId": id_text(file_import.invite_batch_id),
        }


class OwnerImportsView(OwnerFiles):
    largest_body = LARGEST_BODY

    @operation(
        "getOrganizationSmOwnersImports",
        "List the imports of owners of the last days",
        tag=TAG,
        answers={200: OwnerImportSerializer(many=True)},
        description="Newest first. An import is forgotten after a week.",
    )
    def get(self, request: Request, **path: str) -> Response:
        return self.listed()

    @operation(
        "createOrganizationSmOwnersImport",
        "Import owners out of a file",
        tag=TAG,
        body={"multipart/form-data": UploadOwnersSerializer},
        answers={202: OwnerImportSerializer},
        description=(
            "An owner is known by the e-mail address, else by the Managed Apple Account, else by the"
            f" username; an empty cell says nothing. {UPLOADED}"
        ),
    )
    def post(self, request: Request, **path: str) -> Response:
        given = UploadOwnersSerializer.checked(request)
        account = self._account(given.get("vppAccountId"))
        if given["invite"] and account is None:
            raise BadParameter(
                "invite", "needs “vppAccountId”: invitations come from a VPP account"
            )
        started = stages.start_import(
            by=self.actor,
            organization=self.organization,
            file_name=given["file"].name,
            content=given["file"].read(),
            account=account,
            invites=given["invite"],
            is_complete=given["wholeList"],
        )
        return self.begun(started)

    def _account(self, wanted: str | None) -> VppAccount | None:
        if wanted is None:
            return None
        account = VppAccount.objects.open_to(self.membership).filter(pk=int(wanted)).first()
        if account is None:
            raise BadParameter(
                "vppAccountId", "must be the id of a VPP account whose users are open to you"
            )
        return account


class OwnerImportView(OwnerFiles, FileApiView):
    @operation(
        "getOrganizationSmOwnersImport",
        "Show an import of owners",
        tag=TAG,
        answers={200: OwnerImportSerializer},
        description="Its state, how many rows have which verdict, and what confirming would flag.",
    )
    def get(self, request: Request, **path: str) -> Response:
        return self.told()


class OwnerImportRowsView(OwnerFiles, FileApiView):
    @operation(
        "getOrganizationSmOwnersImportRows",
        "List the rows of an import of owners with their verdicts",
        tag=TAG,
        answers={200: OwnerImportRowSerializer(many=True)},
        parameters=row_parameters(),
        description="In the order of the file. Empty until the file is checked.",
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        return self.rows_listed(request)

    @staticmethod
    def row_json(row: ImportRow) -> dict[str, Any]:
        return row_said(row) | {
            "name": row.name,
            "email": row.email,
            "username": row.username,
            "tags": row.tags.split(),
            "managedAppleAccount": row.managed_apple_account,
            "ownerId": id_text(row.owner_id),
        }


class ConfirmOwnerImportView(OwnerFiles, FileApiView):
    @operation(
        "confirmOrganizationSmOwnersImport",
        "Write what a file of owners says",
        tag=TAG,
        body=ConfirmImportSerializer,
        answers={202: OwnerImportSerializer},
        description=CONFIRMED,
    )
    def post(self, request: Request, **path: str) -> Response:
        return self.confirmed(request)


class CancelOwnerImportView(OwnerFiles, FileApiView):
    @operation(
        "cancelOrganizationSmOwnersImport",
        "Cancel an import of owners",
        tag=TAG,
        answers={200: OwnerImportSerializer},
        description=CANCELLED,
    )
    def post(self, request: Request, **path: str) -> Response:
        return self.cancelled()
