"""Devices out of files, for programs: the steps of Monitor > Devices > Import."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from organizations.api.import_serializers import (
    ConfirmImportSerializer,
    DeviceImportRowSerializer,
    DeviceImportSerializer,
    UploadDevicesSerializer,
)
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
from organizations.devices import importing
from organizations.models import DeviceImport, DeviceImportRow, Network
from organizations.models.device_imports import DeviceImportQuerySet
from organizations.tables.device_imports import DeviceRowFilter

TAG = "Devices"
SUPERVISED = {"true": True, "false": False}


class DeviceFiles(FilesApiView):
    engine = importing.IMPORTS
    row_filter = DeviceRowFilter

    def imports(self) -> DeviceImportQuerySet:
        return DeviceImport.objects.visible_to(self.membership).defer("file")

    def own_json(self, file_import: DeviceImport) -> dict[str, Any]:
        return {
            "networkId": id_text(file_import.network_id),
            "ownersAdded": file_import.counts.get("owners"),
        }


class DeviceImportsView(DeviceFiles):
    largest_body = LARGEST_BODY

    @operation(
        "getOrganizationSmDevicesImports",
        "List the imports of devices of the last days",
        tag=TAG,
        answers={200: DeviceImportSerializer(many=True)},
        description="Newest first. An import is forgotten after a week.",
    )
    def get(self, request: Request, **path: str) -> Response:
        return self.listed()

    @operation(
        "createOrganizationSmDevicesImport",
        "Import devices out of a file",
        tag=TAG,
        body={"multipart/form-data": UploadDevicesSerializer},
        answers={202: DeviceImportSerializer},
        description=f"Devices are known by their serial number; an empty cell says nothing. {UPLOADED}",
    )
    def post(self, request: Request, **path: str) -> Response:
        given = UploadDevicesSerializer.checked(request)
        started = importing.start_import(
            by=self.actor,
            organization=self.organization,
            file_name=given["file"].name,
            content=given["file"].read(),
            network=self._network(given.get("networkId")),
            is_complete=given["wholeList"],
        )
        return self.begun(started)

    def _network(self, wanted: str | None) -> Network | None:
        if wanted is None:
            return None
        found = Network.objects.visible_to(self.membership).filter(pk=int(wanted)).first()
        if found is None:
            raise BadParameter("networkId", "must be the id of a network of this organization")
        return found


class DeviceImportView(DeviceFiles, FileApiView):
    @operation(
        "getOrganizationSmDevicesImport",
        "Show an import of devices",
        tag=TAG,
        answers={200: DeviceImportSerializer},
        description="Its state, how many rows have which verdict, and what confirming would flag.",
    )
    def get(self, request: Request, **path: str) -> Response:
        return self.told()


class DeviceImportRowsView(DeviceFiles, FileApiView):
    @operation(
        "getOrganizationSmDevicesImportRows",
        "List the rows of an import of devices with their verdicts",
        tag=TAG,
        answers={200: DeviceImportRowSerializer(many=True)},
        parameters=row_parameters(),
        description="In the order of the file. Empty until the file is checked.",
    )
    def get(self, request: Request, **path: str) -> HttpResponseBase:
        return self.rows_listed(request)

    @staticmethod
    def row_json(row: DeviceImportRow) -> dict[str, Any]:
        return row_said(row) | {
            "serialNumber": row.serial_number,
            "name": row.name,
            "model": row.model,
            "platform": row.platform,
            "osVersion": row.os_version,
            "supervised": SUPERVISED.get(row.supervised),
            "ownerEmail": row.owner_email,
            "tags": row.tags.split(),
            "network": row.network,
            "deviceId": id_text(row.device_id),
        }


class ConfirmDeviceImportView(DeviceFiles, FileApiView):
    @operation(
        "confirmOrganizationSmDevicesImport",
        "Write what a file of devices says",
        tag=TAG,
        body=ConfirmImportSerializer,
        answers={202: DeviceImportSerializer},
        description=CONFIRMED,
    )
    def post(self, request: Request, **path: str) -> Response:
        return self.confirmed(request)


class CancelDeviceImportView(DeviceFiles, FileApiView):
    @operation(
        "cancelOrganizationSmDevicesImport",
        "Cancel an import of devices",
        tag=TAG,
        answers={200: DeviceImportSerializer},
        description=CANCELLED,
    )
    def post(self, request: Request, **path: str) -> Response:
        return self.cancelled()
