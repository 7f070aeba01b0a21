"""The way of an import with devices; what all imports have in common is in organizations/imports.

Devices that came with a file before and are not in one that is said to be the whole list are flagged
as missing. An import deletes none.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from organizations import audit, bulk, hooks
from organizations.audit import Actor
from organizations.devices import verdicts, writing
from organizations.devices.columns import DEVICES, DeviceFile
from organizations.devices.verdicts import Context
from organizations.imports import FileRow, Imports, ManyMissing
from organizations.models import (
    Device,
    DeviceImport,
    DeviceImportRow,
    DeviceSource,
    Network,
    Organization,
)
from organizations.refusals import Refusal

MANY, MANY_SHARE = 5, 0.2  # more of those that came with files than this need a second look
COUNTED = ("new", "update", "error", "missing", "owners")
TABLE, ROWS = Device._meta.db_table, DeviceImportRow._meta.db_table
Verdict = DeviceImportRow.Verdict


class DeviceImports(Imports[DeviceImport]):
    model = DeviceImport
    row = DeviceImportRow
    key = "device_import"
    columns = DEVICES
    bell = hooks.device_import_waits
    related = ("network",)

    def judge(self, file_import: DeviceImport, content: bytes) -> dict[str, Any]:
        file = DeviceFile(content)
        verdicts.stage(map(_line, file))
        verdicts.judge(_context(file_import))
        bulk.execute(_KEEP, _known(file_import))
        return _count(file_import) | {"notices": file.notices}

    def many_missing(self, missing: int) -> Refusal:
        return ManyMissing(f"{missing:,} devices that", "flagged as missing")

    def write(self, file_import: DeviceImport, *, by: Actor) -> None:
        context = _context(file_import)
        _stage_kept(file_import)
        verdicts.lock(context)
        verdicts.judge(context)
        file_import.counts |= _count(file_import)
        written = writing.write(context, by=by, cause="devices imported")
        file_import.counts["owners"] = len(written.owners)
        if file_import.counts["missing"]:
            bulk.execute(_FLAG_MISSING, _known(file_import))
        bulk.execute(_KEEP_CHANGED, _known(file_import))

    def record(self, file_import: DeviceImport, *, by: Actor) -> None:
        told = {name: count for name in COUNTED if (count := file_import.counts[name])}
        audit.record(
            "devices.imported",
            by=by,
            organization=file_import.organization,
            target=file_import,
            after={"import": str(file_import.pk), **told},
        )


IMPORTS = DeviceImports()
check, apply, confirm, cancel = IMPORTS.check, IMPORTS.apply, IMPORTS.confirm, IMPORTS.cancel
waiting, forget_old = IMPORTS.waiting, IMPORTS.forget_old


def start_import(
    *,
    by: Actor,
    organization: Organization,
    file_name: str,
    content: bytes,
    network: Network | None = None,
    is_complete: bool = False,
) -> DeviceImport:
    """Take a file; a worker reads it, and nothing is written before somebody confirms."""
    return IMPORTS.start(
        by=by,
        organization=organization,
        file_name=file_name,
        content=content,
        network=network,
        is_complete=is_complete,
    )


def missing_devices(file_import: DeviceImport) -> QuerySet[Device]:
    """Those that came with an earlier file, and that no row of this one is about."""
    came = Device.objects.filter(
        organization=file_import.organization_id,
        missing_since=None,
        sources__serial_number=DeviceSource.CSV,
    )
    rows = DeviceImportRow.objects.filter(device_import=file_import, device_id=OuterRef("pk"))
    return came.filter(~Exists(rows))


def _context(file_import: DeviceImport) -> Context:
    return Context(
        organization=file_import.organization,
        source=DeviceSource.CSV,
        network_id=file_import.network_id,
        nth="Row",
    )


def _known(file_import: DeviceImport) -> dict[str, Any]:
    return {"import": file_import.pk, "organization": file_import.organization_id}


def _line(row: FileRow) -> list[str | None]:
    """As the table of records has them; an empty cell says nothing."""
    *said, tags, network = [cell or None for cell in row.cells]
    serial, name, model, platform, version, supervised, owner = said
    told = [serial, name, model, platform, version, supervised, None, None, owner, tags]
    return [str(row.number), *told, None, network, row.problem]


def _stage_kept(file_import: DeviceImport) -> None:
    """What was an error at the check is left out, also where it would not be one any more."""
    verdicts.stage([])
    bulk.execute(_KEPT, _known(file_import))
    bulk.execute("ANALYZE device_record", [])


def _count(file_import: DeviceImport) -> dict[str, Any]:
    """Rows by verdict, and what a complete list lacks."""
    counts: dict[str, Any] = dict.fromkeys(Verdict.values, 0)
    found = bulk.returned("SELECT verdict, count(*) FROM device_verdict GROUP BY verdict", [])
    counts |= dict(found)
    counts["missing"], counts["misses_many"] = _missing(file_import, counts)
    return counts


def _missing(file_import: DeviceImport, counts: dict[str, int]) -> tuple[int, bool]:
    """A file without one good row says nothing about those that are not in it."""
    good = sum(counts.values()) - counts[Verdict.ERROR]
    if not (file_import.is_complete and good):
        return 0, False
    [(missing, of)] = bulk.returned(_COUNT_MISSING, _known(file_import))
    return missing, missing > MANY and missing > of * MANY_SHARE


_KEEP = f"""
    INSERT INTO {ROWS} (organization_id, device_import_id, number, serial_number, name, model,
                        platform, os_version, supervised, owner_email, tags, network, verdict, message,
                        device_id)
    SELECT %(organization)s, %(import)s, number, coalesce(serial_number, ''), coalesce(name, ''),
           coalesce(model, ''), coalesce(platform, ''), coalesce(os_version, ''),
           coalesce(supervised, ''), coalesce(owner_email, ''), coalesce(tags, ''),
           coalesce(network_named, ''), verdict, message, device_id
    FROM device_verdict ORDER BY number
"""  # noqa: S608  table names are the models'

_KEPT = f"""
    INSERT INTO device_record (number, serial_number, name, model, platform, os_version, supervised,
                               owner_email, tags, network, problem)
    SELECT number, nullif(serial_number, ''), nullif(name, ''), nullif(model, ''),
           nullif(platform, ''), nullif(os_version, ''), nullif(supervised, ''),
           nullif(owner_email, ''), nullif(tags, ''), nullif(network, ''),
           CASE WHEN verdict = '{Verdict.ERROR}' THEN message ELSE '' END
    FROM {ROWS} WHERE device_import_id = %(import)s
"""  # noqa: S608

_KEEP_CHANGED = f"""
    UPDATE {ROWS} AS kept
    SET verdict = verdict.verdict, message = verdict.message, device_id = verdict.device_id
    FROM device_verdict AS verdict
    WHERE kept.device_import_id = %(import)s AND kept.number = verdict.number
      AND (kept.verdict, kept.message, kept.device_id)
          IS DISTINCT FROM (verdict.verdict, verdict.message, verdict.device_id)
"""  # noqa: S608

# Of those that a file brought, and that are not flagged yet.
_CAME = f"""
    organization_id = %(organization)s AND missing_since IS NULL
    AND sources->>'serial_number' = '{DeviceSource.CSV}'
"""
_COUNT_MISSING = f"""
    SELECT count(*) FILTER (WHERE told.device_id IS NULL), count(*)
    FROM {TABLE} AS device
    LEFT JOIN (SELECT DISTINCT device_id FROM device_verdict) AS told ON told.device_id = device.id
    WHERE {_CAME}
"""  # noqa: S608

_FLAG_MISSING = f"""
    UPDATE {TABLE} AS device SET missing_since = now(), missing_from = '{DeviceSource.CSV}'
    WHERE {_CAME} AND NOT EXISTS (SELECT FROM device_verdict WHERE device_id = device.id)
"""  # noqa: S608
