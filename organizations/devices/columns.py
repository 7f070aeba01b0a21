"""What a file says about devices, by the many names that its columns may have."""

from __future__ import annotations

from organizations.devices.records import LENGTHS, DeviceRecord, RecordWrong, checked
from organizations.imports import Columns, TableFile
from organizations.imports.tags import checked_cell
from organizations.models import DeviceSource

# The fields of a row, each with its name in the template.
FIELDS = {
    "serial_number": "serialNumber",
    "name": "name",
    "model": "model",
    "platform": "platform",
    "os_version": "osVersion",
    "supervised": "supervised",
    "owner_email": "ownerEmail",
    "tags": "tags",
    "network": "network",
}
MOST_ROWS = 200_000

DEVICES = Columns(
    each="device",
    nobody="no device",
    fields=FIELDS,
    synonyms={
        "serialnumber": "serial_number",
        "serial": "serial_number",
        "serialno": "serial_number",
        "serialnr": "serial_number",
        "serialnum": "serial_number",
        "deviceserial": "serial_number",
        "deviceserialnumber": "serial_number",
        "hardwareserialnumber": "serial_number",
        "sn": "serial_number",
        "name": "name",
        "devicename": "name",
        "displayname": "name",
        "computername": "name",
        "hostname": "name",
        "model": "model",
        "devicemodel": "model",
        "modelname": "model",
        "systemmodel": "model",
        "hardwaremodel": "model",
        "producttype": "model",
        "platform": "platform",
        "os": "platform",
        "osname": "platform",
        "ostype": "platform",
        "operatingsystem": "platform",
        "deviceos": "platform",
        "systemtype": "platform",
        "osversion": "os_version",
        "systemversion": "os_version",
        "operatingsystemversion": "os_version",
        "version": "os_version",
        "supervised": "supervised",
        "issupervised": "supervised",
        "supervision": "supervised",
        "owneremail": "owner_email",
        "owner": "owner_email",
        "owneremailaddress": "owner_email",
        "email": "owner_email",
        "emailaddress": "owner_email",
        "useremail": "owner_email",
        "assignedto": "owner_email",
        "tags": "tags",
        "tag": "tags",
        "devicetags": "tags",
        "network": "network",
        "networkname": "network",
        "site": "network",
        "school": "network",
    },
    lengths={
        "serial_number": 32,
        "name": LENGTHS["name"],
        "model": LENGTHS["model"],
        "platform": 20,
        "os_version": LENGTHS["os_version"],
        "supervised": 5,
        "owner_email": 254,
        "tags": 2000,
        "network": 200,
    },
    needed=("serial_number",),
    most_rows=MOST_ROWS,
)
YES = ("yes", "y", "true", "1", "x", "on", "supervised")
NO = ("no", "n", "false", "0", "off", "unsupervised", "notsupervised")


class DeviceFile(TableFile):
    def __init__(self, content: bytes) -> None:
        super().__init__(content, DEVICES, _refuse)


def _refuse(said: dict[str, str]) -> None:
    """What a page would refuse as well."""
    if tags := said.get("tags"):
        said["tags"] = checked_cell(tags)
    if supervised := said.get("supervised"):
        said["supervised"] = _truth(supervised)
    record = checked(
        DeviceRecord(
            serial_number=said.get("serial_number"),
            name=said.get("name"),
            model=said.get("model"),
            platform=said.get("platform"),
            os_version=said.get("os_version"),
            owner_email=said.get("owner_email"),
        ),
        source=DeviceSource.CSV,
    )
    for field in ("serial_number", "platform", "os_version"):
        if value := getattr(record, field):
            said[field] = value


def _truth(text: str) -> str:
    word = "".join(text.casefold().split())
    if word not in (*YES, *NO):
        raise RecordWrong(f"“{text[:40]}” in the column “supervised” is neither yes nor no.")
    return "true" if word in YES else "false"
