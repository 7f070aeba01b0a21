"""The way of an import with people; what all imports have in common is in organizations/imports."""

from __future__ import annotations

from typing import Any

from organizations import audit
from organizations.audit import Actor
from organizations.imports import Imports, ManyMissing
from organizations.models import Organization, Owner
from organizations.refusals import Refusal
from users import hooks
from users.imports import applying, verdicts
from users.imports.columns import PEOPLE
from users.imports.reading import PeopleFile
from users.models import ImportRow, PeopleImport, VppUser
from vpp_accounts.models import VppAccount
from vpp_accounts.refusals import AccountStopped

COUNTED = ("new", "update", "error", "missing")


class PeopleImports(Imports[PeopleImport]):
    model = PeopleImport
    row = ImportRow
    key = "people_import"
    columns = PEOPLE
    bell = hooks.import_waits
    related = ("account",)
    written = ("register_batch_id", "invite_batch_id")

    def refuse_in_vain(self, file_import: PeopleImport) -> None:
        """An account that waits for a person could not register anybody."""
        account = file_import.account
        if account and account.takes_no_changes:
            raise AccountStopped(state=account.get_state_display(), reason=account.state_reason)

    def judge(self, file_import: PeopleImport, content: bytes) -> dict[str, Any]:
        file = PeopleFile(content)
        verdicts.stage_file(file)
        verdicts.judge(file_import)
        verdicts.keep(file_import)
        return verdicts.count(file_import) | {"notices": file.notices}

    def many_missing(self, missing: int) -> Refusal:
        return ManyMissing(f"{missing:,} people who", "proposed for retirement")

    def write(self, file_import: PeopleImport, *, by: Actor) -> None:
        verdicts.stage_kept(file_import)
        verdicts.judge(file_import)
        file_import.counts |= verdicts.count(file_import)
        new = applying.write(file_import, by=by)
        if file_import.counts["missing"]:
            applying.flag_missing(file_import)
        verdicts.keep_changed(file_import)
        _begin_batches(file_import, new, by=by)

    def record(self, file_import: PeopleImport, *, by: Actor) -> None:
        account = {"account": file_import.account.name} if file_import.account else {}
        told = {name: count for name in COUNTED if (count := file_import.counts[name])}
        audit.record(
            "people.imported",
            by=by,
            organization=file_import.organization,
            target=file_import,
            after={"import": str(file_import.pk), **account, **told},
        )


IMPORTS = PeopleImports()
check, apply = IMPORTS.check, IMPORTS.apply
waiting, forget_old = IMPORTS.waiting, IMPORTS.forget_old


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
    return IMPORTS.start(
        by=by,
        organization=organization,
        file_name=file_name,
        content=content,
        account=account,
        invites=invites and account is not None,
        is_complete=is_complete,
        source=source,
    )


def confirm(*, by: Actor, people_import: PeopleImport, confirm_missing: bool = False) -> None:
    IMPORTS.confirm(by=by, file_import=people_import, confirm_missing=confirm_missing)


def cancel(*, by: Actor, people_import: PeopleImport) -> None:
    IMPORTS.cancel(by=by, file_import=people_import)


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
