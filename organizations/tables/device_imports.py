"""An import of devices in words, and the list of its rows."""

from __future__ import annotations

from typing import Any

import django_filters as filters
from django.db.models import Q, QuerySet
from django.http import QueryDict

from organizations.devices.importing import missing_devices
from organizations.lists import Column, Listing, Total, search_field
from organizations.models import Device, DeviceImport, DeviceImportRow
from organizations.tables.imports import FileColumn, FileWords, RowWords, Verdict

COLUMNS = (
    FileColumn("serialNumber", "Which device it is. Capitals do not matter.", "DMQX7RA1PLK3"),
    FileColumn("name", "How the device is called.", "Cart 1, iPad 7"),
    FileColumn("model", "Where no platform is given, it says which one it is.", "iPad Air"),
    FileColumn("platform", "iOS, iPadOS, macOS, tvOS, watchOS or visionOS.", "iPadOS"),
    FileColumn("osVersion", "The version of its system.", "18.2"),
    FileColumn("supervised", "Whether the device is supervised: yes or no.", "yes"),
    FileColumn(
        "ownerEmail",
        "The owner. Somebody whom nobody knows yet is added to the owners.",
        "ann.lee@example.org",
    ),
    FileColumn(
        "tags", "Separated by spaces. They take the place of the device's tags.", "cart-1 grade-4"
    ),
    FileColumn("network", "In which network it is. Another one moves the device.", ""),
)


class DeviceImportWords(FileWords):
    route = "organizations:device_import"
    one, many, this_one = "device", "devices", "it"
    nobody = "No device was written."
    all_or_none = "All of the devices are written or, should anything go wrong, none."
    all_known = "every device without an error is known already, as the file says."
    outcome = "flagged as missing"
    flagging = "flag {} as missing"

    file_import: DeviceImport

    @property
    def place(self) -> str:
        return self.file_import.network.name if self.file_import.network else ""

    def missing_rows(self) -> QuerySet[Device]:
        return missing_devices(self.file_import)


class DeviceRowFilter(filters.FilterSet):
    q = search_field("Serial number, name, owner, message", method="matching")
    verdict = filters.ChoiceFilter(label="Verdict", empty_label="All", choices=Verdict.choices)

    def matching(self, rows: QuerySet[Any, Any], name: str, value: str) -> QuerySet[Any, Any]:
        return rows.filter(
            Q(serial_number__icontains=value)
            | Q(name__icontains=value)
            | Q(owner_email__icontains=value)
            | Q(message__icontains=value)
        )


class DeviceRowList(Listing[RowWords]):
    template = "organizations/_device_import_row_list.html"
    columns = (
        Column("row", "Row", sort=("number",)),
        Column("serial", "Serial number"),
        Column("name", "Name"),
        Column("verdict", "Verdict", sort=("verdict",)),
    )
    # The file's own columns first: mended, the rows can be uploaded again as they are.
    export = {
        "serialNumber": lambda row: row.row.serial_number,
        "name": lambda row: row.row.name,
        "model": lambda row: row.row.model,
        "platform": lambda row: row.row.platform,
        "osVersion": lambda row: row.row.os_version,
        "supervised": lambda row: row.row.supervised,
        "ownerEmail": lambda row: row.row.owner_email,
        "tags": lambda row: row.row.tags,
        "network": lambda row: row.row.network,
        "row": lambda row: row.row.number,
        "verdict": lambda row: row.verdict,
        "message": lambda row: row.row.message,
    }
    filterset = DeviceRowFilter
    default_sort = "row"
    unique = ("number",)
    counted_column = "number"

    def __init__(self, params: QueryDict, words: DeviceImportWords) -> None:
        rows = DeviceImportRow.objects.filter(device_import=words.file_import)
        super().__init__(params, rows, known_total=Total(words.total))

    def dress(self, rows: list[DeviceImportRow]) -> list[RowWords]:
        return [RowWords(row) for row in rows]
