"""From an upload to its end. Each stage is one transaction, under a lock of the import's row.

A stage that is killed has not happened, and the sweep rings for it again.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta
from itertools import islice
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from organizations import audit
from organizations.audit import Actor
from organizations.models import OF_OPEN, AuditEvent, Organization, Owner
from users import hooks
from users.imports import applying, verdicts
from users.imports.reading import PeopleFile, refuse_no_table
from users.imports.refusals import FileWrong, ManyMissing, NothingToImport, NotWaiting
from users.models import ImportRow, PeopleImport, VppUser
from vpp_accounts.models import VppAccount
from vpp_accounts.refusals import AccountStopped

log = structlog.get_logger(__name__)

State, Verdict = PeopleImport.State, ImportRow.Verdict
IMPORTS_ARE_KEPT = timedelta(days=7)
# What no worker can read within a day would keep all of them busy without end.
GIVEN_UP_AFTER = timedelta(days=1)


def start_import(
    *,
    by: Actor,
    organization: Organization,
    file_name: str,
    content: bytes,
    account: VppAccount | None = None,
    invites: bool = False,
    is_complete: bool = False,
    source: str = Owner.Source.CSV,
) -> PeopleImport:
    """Take a file; a worker reads it, and nothing is written before somebody confirms."""
    refuse_no_table(content)
    _refuse_in_vain(account)
    people_import = PeopleImport.objects.create(
        organization=organization,
        account=account,
        file_name=file_name.replace("\0", "")[-200:],
        file=content,
        invites=invites and account is not None,
        is_complete=is_complete,
        source=source,
        **_columns_of(by),
    )
    _ring(people_import)
    return people_import


@transaction.atomic
def check(import_id: uuid.UUID | str, *, waits: bool = False) -> PeopleImport | None:
    """Read the file and decide about each of its rows; None where another worker does."""
    people_import = _locked(import_id, waits=waits, with_file=True)
    if people_import is None or people_import.state != State.CHECKING:
        return people_import
    try:
        with transaction.atomic():
            people_import.counts = _verdicts_of(people_import)
        people_import.state = State.CHECKED
    except FileWrong as refusal:
        people_import.problem = str(refusal)[:500]
        people_import.state = State.FAILED
    people_import.file = None
    people_import.checked_at = timezone.now()
    people_import.save(update_fields=["counts", "state", "problem", "file", "checked_at"])
    return people_import


def _verdicts_of(people_import: PeopleImport) -> dict[str, Any]:
    file = PeopleFile(bytes(people_import.file or b""))
    verdicts.stage_file(file)
    verdicts.judge(people_import)
    verdicts.keep(people_import)
    return verdicts.count(people_import) | {"notices": file.notices}


@transaction.atomic
def confirm(*, by: Actor, people_import: PeopleImport, confirm_missing: bool = False) -> None:
    """Write it, in a worker. To confirm twice is to confirm once."""
    current = _current(people_import)
    if current.state in (State.APPLYING, State.FINISHED):
        return
    if current.state != State.CHECKED:
        raise NotWaiting(current.get_state_display())
    if not any(current.counts[verdict] for verdict in Verdict.values if verdict != Verdict.ERROR):
        raise NothingToImport
    if current.counts["misses_many"] and not confirm_missing:
        raise ManyMissing(current.counts["missing"])
    _refuse_in_vain(current.account)
    # Who confirms answers for it, whoever uploaded the file.
    _set(people_import, state=State.APPLYING, **_columns_of(by))
    _ring(people_import)


@transaction.atomic
def cancel(*, by: Actor, people_import: PeopleImport) -> None:
    """Nothing is written. What is being written already, or is written, stays."""
    current = _current(people_import)
    if current.state in (State.APPLYING, State.FINISHED):
        raise NotWaiting(current.get_state_display())
    if current.state in (State.CHECKING, State.CHECKED):
        _set(people_import, state=State.CANCELLED, file=None, finished_at=timezone.now())
        log.info("import.cancelled", import_id=str(people_import.pk), by=by.name)


@transaction.atomic
def apply(import_id: uuid.UUID | str, *, waits: bool = False) -> PeopleImport | None:
    """Write what the rows say, as the world is now; None where another worker does."""
    people_import = _locked(import_id, waits=waits)
    if people_import is None or people_import.state != State.APPLYING:
        return people_import
    by = _actor_of(people_import)
    # Two imports of one organization could be about the same people; and nobody closes it meanwhile.
    locked = Organization.objects.select_for_update(no_key=True)
    if not locked.get(pk=people_import.organization_id).is_open:
        return people_import
    verdicts.stage_kept(people_import)
    verdicts.judge(people_import)
    people_import.counts |= verdicts.count(people_import)
    new = applying.write(people_import, by=by)
    if people_import.counts["missing"]:
        applying.flag_missing(people_import)
    verdicts.keep_changed(people_import)
    _begin_batches(people_import, new, by=by)
    people_import.state = State.FINISHED
    people_import.finished_at = timezone.now()
    people_import.save(
        update_fields=["counts", "register_batch_id", "invite_batch_id", "state", "finished_at"]
    )
    _record(people_import, by=by)
    return people_import


def _begin_batches(people_import: PeopleImport, new: list[int], *, by: Actor) -> None:
    account = people_import.account
    if not new or account is None:
        return
    people_import.register_batch_id = hooks.announce(
        hooks.people_added, account=account, user_ids=new, by=by
    )
    if people_import.invites and (reachable := _who_needs_one(new)):
        people_import.invite_batch_id = hooks.announce(
            hooks.invitations_wanted, account=account, user_ids=reachable, by=by
        )


def _who_needs_one(user_ids: list[int]) -> list[int]:
    """A Managed Apple Account is associated at once, without an invitation."""
    users = VppUser.objects.filter(pk__in=user_ids, owner__managed_apple_account="")
    return list(users.order_by("pk").values_list("pk", flat=True))


def _record(people_import: PeopleImport, *, by: Actor) -> None:
    """One event for all: what became of each is with the import's rows."""
    account = {"account": people_import.account.name} if people_import.account else {}
    told = {name: count for name in COUNTED if (count := people_import.counts[name])}
    audit.record(
        "people.imported",
        by=by,
        organization=people_import.organization,
        target=people_import,
        after={"import": str(people_import.pk), **account, **told},
    )


COUNTED = ("new", "update", "error", "missing")


def waiting() -> Iterable[uuid.UUID]:
    """Imports that a worker should be at, of all organizations: the system role's question."""
    young = Q(created_at__gt=timezone.now() - GIVEN_UP_AFTER)
    # Somebody may have confirmed it days after the upload, until it is forgotten.
    work = Q(state=State.APPLYING) | Q(young, state=State.CHECKING)
    imports = PeopleImport.objects.using("system").filter(OF_OPEN, work)
    return list(islice(imports.order_by("created_at").values_list("pk", flat=True), 100))


def forget_old() -> int:
    """Of all organizations: the system role's work. Also rows whose account was removed."""
    before = timezone.now() - IMPORTS_ARE_KEPT
    imports = PeopleImport.objects.using("system")
    forgotten, _ = imports.filter(created_at__lt=before).delete()
    kept = imports.filter(pk=OuterRef("people_import_id"))
    ImportRow.objects.using("system").filter(~Exists(kept))._raw_delete(using="system")
    return forgotten


# --- The import's row -----------------------------------------------------------------------------


def _locked(
    import_id: uuid.UUID | str, *, waits: bool, with_file: bool = False
) -> PeopleImport | None:
    rows = PeopleImport.objects.select_for_update(of=("self",), skip_locked=not waits)
    rows = rows.select_related("organization", "account")
    return (rows if with_file else rows.defer("file")).filter(pk=import_id).first()


def _current(people_import: PeopleImport) -> PeopleImport:
    """As it is now, and stays until the transaction ends."""
    current = _locked(people_import.pk, waits=True)
    if current is None:
        raise NotWaiting("Deleted")
    return current


def _set(people_import: PeopleImport, **fields: Any) -> None:
    PeopleImport.objects.filter(pk=people_import.pk).update(**fields)
    for name, value in fields.items():
        setattr(people_import, name, value)


def _ring(people_import: PeopleImport) -> None:
    """The broker is a doorbell: if it does not ring, the sweep finds the row."""
    import_id = people_import.pk
    transaction.on_commit(
        lambda: hooks.import_waits.send(PeopleImport, import_id=import_id), robust=True
    )


def _refuse_in_vain(account: VppAccount | None) -> None:
    """An account that waits for a person could not register anybody."""
    if account and account.takes_no_changes:
        raise AccountStopped(state=account.get_state_display(), reason=account.state_reason)


def _columns_of(by: Actor) -> dict[str, Any]:
    return {"actor_kind": by.kind, "actor_id": by.id, "actor_name": by.name[:254]}


def _actor_of(people_import: PeopleImport) -> Actor:
    kind = AuditEvent.ActorKind(people_import.actor_kind)
    return Actor(kind=kind, name=people_import.actor_name, id=people_import.actor_id)
