"""From an upload to its end. Each stage is one transaction, under a lock of the import's row.

A stage that is killed has not happened, and the sweep rings for it again.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any, Generic, TypeVar

import structlog
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.dispatch import Signal
from django.utils import timezone

from organizations.audit import Actor
from organizations.imports.columns import Columns
from organizations.imports.kinds import refuse_no_table
from organizations.imports.refusals import FileWrong, NothingToImport, NotWaiting
from organizations.models import OF_OPEN, AuditEvent, Organization
from organizations.models.imports import FileImport, FileImportRow
from organizations.refusals import Refusal

log = structlog.get_logger(__name__)

State, Verdict = FileImport.State, FileImportRow.Verdict
IMPORTS_ARE_KEPT = timedelta(days=7)
# What no worker can read within a day would keep all of them busy without end.
GIVEN_UP_AFTER = timedelta(days=1)
RUNG_FOR = 100  # at once

Import = TypeVar("Import", bound=FileImport)


class Imports(Generic[Import]):
    """One kind of imports. What is its own stands in the methods of the second half."""

    model: type[Import]
    row: type[FileImportRow]
    key: str  # by which a row names its import
    columns: Columns
    bell: Signal  # an import waits for a worker; sent after the commit, with its `import_id`
    related: tuple[str, ...] = ()  # of the import's row
    written: tuple[str, ...] = ()  # what `write` puts on it beside the counts

    def start(
        self, *, by: Actor, organization: Organization, file_name: str, content: bytes, **own: Any
    ) -> Import:
        """Take a file; a worker reads it, and nothing is written before somebody confirms."""
        refuse_no_table(content, each=self.columns.each)
        file_import = self.model(
            organization=organization,
            file_name=file_name.replace("\0", "")[-200:],
            file=content,
            **own,
            **_columns_of(by),
        )
        self.refuse_in_vain(file_import)
        file_import.save(force_insert=True)
        self._ring(file_import)
        return file_import

    @transaction.atomic
    def check(self, import_id: uuid.UUID | str, *, waits: bool = False) -> Import | None:
        """Read the file and decide about each of its rows; None where another worker does."""
        file_import = self._locked(import_id, waits=waits, with_file=True)
        if file_import is None or file_import.state != State.CHECKING:
            return file_import
        try:
            with transaction.atomic():
                file_import.counts = self.judge(file_import, bytes(file_import.file or b""))
            file_import.state = State.CHECKED
        except FileWrong as refusal:
            file_import.problem = str(refusal)[:500]
            file_import.state = State.FAILED
        file_import.file = None
        file_import.checked_at = timezone.now()
        file_import.save(update_fields=["counts", "state", "problem", "file", "checked_at"])
        return file_import

    @transaction.atomic
    def confirm(self, *, by: Actor, file_import: Import, confirm_missing: bool = False) -> None:
        """Write it, in a worker. To confirm twice is to confirm once."""
        current = self._current(file_import)
        if current.state in (State.APPLYING, State.FINISHED):
            return
        if current.state != State.CHECKED:
            raise NotWaiting(current.get_state_display())
        if not any(current.counts[each] for each in Verdict.values if each != Verdict.ERROR):
            raise NothingToImport
        if current.counts["misses_many"] and not confirm_missing:
            raise self.many_missing(current.counts["missing"])
        self.refuse_in_vain(current)
        # Who confirms answers for it, whoever uploaded the file.
        self._set(file_import, state=State.APPLYING, **_columns_of(by))
        self._ring(file_import)

    @transaction.atomic
    def cancel(self, *, by: Actor, file_import: Import) -> None:
        """Nothing is written. What is being written already, or is written, stays."""
        current = self._current(file_import)
        if current.state in (State.APPLYING, State.FINISHED):
            raise NotWaiting(current.get_state_display())
        if current.state in (State.CHECKING, State.CHECKED):
            self._set(file_import, state=State.CANCELLED, file=None, finished_at=timezone.now())
            log.info("import.cancelled", import_id=str(file_import.pk), by=by.name)

    @transaction.atomic
    def apply(self, import_id: uuid.UUID | str, *, waits: bool = False) -> Import | None:
        """Write what the rows say, as the world is now; None where another worker does."""
        file_import = self._locked(import_id, waits=waits)
        if file_import is None or file_import.state != State.APPLYING:
            return file_import
        # Two imports of one organization could be about the same; and nobody closes it meanwhile.
        locked = Organization.objects.select_for_update(no_key=True)
        if not locked.get(pk=file_import.organization_id).is_open:
            return file_import
        by = _actor_of(file_import)
        self.write(file_import, by=by)
        file_import.state = State.FINISHED
        file_import.finished_at = timezone.now()
        file_import.save(update_fields=["counts", "state", "finished_at", *self.written])
        self.record(file_import, by=by)
        return file_import

    def waiting(self) -> list[uuid.UUID]:
        """Imports that a worker should be at, of all organizations: the system role's question."""
        young = Q(created_at__gt=timezone.now() - GIVEN_UP_AFTER)
        # Somebody may have confirmed it days after the upload, until it is forgotten.
        work = Q(state=State.APPLYING) | Q(young, state=State.CHECKING)
        imports = self.model._default_manager.using("system").filter(OF_OPEN, work)
        return list(imports.order_by("created_at").values_list("pk", flat=True)[:RUNG_FOR])

    def forget_old(self) -> int:
        """Of all organizations: the system role's work. Also rows whose import is gone otherwise."""
        before = timezone.now() - IMPORTS_ARE_KEPT
        imports = self.model._default_manager.using("system")
        forgotten, _ = imports.filter(created_at__lt=before).delete()
        kept = imports.filter(pk=OuterRef(f"{self.key}_id"))
        rows: Any = self.row._default_manager.using("system").filter(~Exists(kept))
        rows._raw_delete(using="system")
        return forgotten

    # --- What each kind says ------------------------------------------------------------------------

    def refuse_in_vain(self, file_import: Import) -> None:
        """Raise where writing it could not come to anything."""

    def judge(self, file_import: Import, content: bytes) -> dict[str, Any]:
        """Read the file and keep its rows with their verdicts; answers the counts."""
        raise NotImplementedError

    def many_missing(self, missing: int) -> Refusal:
        raise NotImplementedError

    def write(self, file_import: Import, *, by: Actor) -> None:
        """Judge the kept rows again, write them, and bring the counts up to date."""
        raise NotImplementedError

    def record(self, file_import: Import, *, by: Actor) -> None:
        """One event for all: what became of each is with the import's rows."""
        raise NotImplementedError

    # --- The import's row ---------------------------------------------------------------------------

    def _locked(
        self, import_id: uuid.UUID | str, *, waits: bool, with_file: bool = False
    ) -> Import | None:
        rows: models.QuerySet[Import] = self.model._default_manager.select_for_update(
            of=("self",), skip_locked=not waits
        )
        rows = rows.select_related("organization", *self.related)
        return (rows if with_file else rows.defer("file")).filter(pk=import_id).first()

    def _current(self, file_import: Import) -> Import:
        """As it is now, and stays until the transaction ends."""
        current = self._locked(file_import.pk, waits=True)
        if current is None:
            raise NotWaiting("Deleted")
        return current

    def _set(self, file_import: Import, **fields: Any) -> None:
        self.model._default_manager.filter(pk=file_import.pk).update(**fields)
        for name, value in fields.items():
            setattr(file_import, name, value)

    def _ring(self, file_import: Import) -> None:
        """The broker is a doorbell: if it does not ring, the sweep finds the row."""
        import_id = file_import.pk
        transaction.on_commit(lambda: self.bell.send(self.model, import_id=import_id), robust=True)


def _columns_of(by: Actor) -> dict[str, Any]:
    return {"actor_kind": by.kind, "actor_id": by.id, "actor_name": by.name[:254]}


def _actor_of(file_import: FileImport) -> Actor:
    kind = AuditEvent.ActorKind(file_import.actor_kind)
    return Actor(kind=kind, name=file_import.actor_name, id=file_import.actor_id)
