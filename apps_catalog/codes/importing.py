"""A sheet of codes: uploaded, looked at, confirmed. Until then it lies here sealed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from apps_catalog.codes.opening import sheet_text
from apps_catalog.codes.reading import Row, Sheet, SheetCode, columns_of, read_sheet, table_of
from apps_catalog.codes.refusals import ColumnUnknown, ImportOver, NoCodes
from apps_catalog.managing.editing import locked
from apps_catalog.models import CodeImport, ManagedApp, RedemptionCode
from organizations import audit
from organizations.audit import Actor

State = RedemptionCode.State
KEPT = timedelta(days=7)
SHOWN = 5
NOTHING = "[]"


@dataclass(frozen=True, slots=True)
class Preview:
    """What confirming would do. `known`: here already, in this app or another of the organization."""

    sheet: Sheet
    new: Sequence[SheetCode]
    known: int
    news: Sequence[str]  # digests of ours that this sheet says are redeemed
    other_app: bool

    @property
    def redeemed(self) -> int:
        return sum(code.is_redeemed for code in self.sheet.codes)

    @property
    def unused(self) -> int:
        return sum(not code.is_redeemed for code in self.new)

    @property
    def has_effect(self) -> bool:
        return bool(self.new or self.news)

    @property
    def masked(self) -> list[str]:
        return [masked(code.code) for code in self.new[:SHOWN]]


def masked(code: str) -> str:
    return f"••••••••{code[-4:]}"


def digest_of(organization_id: int, code: str) -> str:
    text = f"{organization_id} {code}"
    return salted_hmac("apps_catalog.codes", text, algorithm="sha256").hexdigest()


def start_import(
    *, by: Actor, managed_app: ManagedApp, file_name: str, content: bytes
) -> CodeImport:
    """Nothing is known of it but to whoever looks at it here; it is no event."""
    table = table_of(content)
    code_import = CodeImport(
        organization=managed_app.organization,
        managed_app=managed_app,
        file_name=file_name.replace("\0", "")[-200:],
        created_by=by.name[:254],
    )
    code_import.rows = json.dumps(table)
    code_import.save(force_insert=True)
    return code_import


def table_in(code_import: CodeImport) -> list[Row]:
    return [(number, cells) for number, cells in json.loads(sheet_text(code_import))]


def preview_of(code_import: CodeImport) -> Preview:
    sheet = read_sheet(table_in(code_import), code_import.counts.get("column"))
    organization_id = code_import.organization_id
    digests = {digest_of(organization_id, each.code): each for each in sheet.codes}
    known = RedemptionCode.objects.filter(
        organization=organization_id, code_digest__in=list(digests)
    )
    states = dict(known.values_list("code_digest", "state"))
    ours = known.filter(managed_app=code_import.managed_app_id).exclude(state=State.REDEEMED)
    news = [
        digest
        for digest in ours.values_list("code_digest", flat=True)
        if digests[digest].is_redeemed
    ]
    new = [each for digest, each in digests.items() if digest not in states]
    other_app = bool(sheet.adam_id) and sheet.adam_id != code_import.managed_app.adam_id
    return Preview(sheet, new, len(states), news, other_app)


@transaction.atomic
def choose_column(*, code_import: CodeImport, column: int) -> None:
    code_import = _waiting(code_import)
    if column not in columns_of(table_in(code_import)):
        raise ColumnUnknown
    code_import.counts = {"column": column}
    code_import.save(update_fields=["counts"])


@transaction.atomic
def confirm(*, by: Actor, code_import: CodeImport) -> CodeImport:
    """To confirm twice is to confirm once."""
    managed_app = locked(code_import.managed_app)
    code_import = _current(code_import)
    if code_import.finished_at:
        return code_import
    preview = preview_of(code_import)
    if not preview.has_effect:
        raise NoCodes
    added = _add(managed_app, preview, by)
    redeemed = _note_redeemed(managed_app.organization_id, preview.news, by)
    counts = {
        "added": added,
        "known": preview.known,
        "redeemed": redeemed + sum(each.is_redeemed for each in preview.new),
        "malformed": len(preview.sheet.malformed),
    }
    _finish(code_import, counts)
    audit.record(
        "redemption_code.imported",
        by=by,
        organization=managed_app.organization,
        target=managed_app,
        after={**counts, "file": code_import.file_name, "order": preview.sheet.order},
    )
    return code_import


@transaction.atomic
def cancel(*, code_import: CodeImport) -> None:
    """The sheet is forgotten at once; one that was confirmed stays as it is."""
    CodeImport.objects.filter(pk=code_import.pk, finished_at=None).delete()


def forget_old() -> int:
    """Of all organizations: the system role's work. Sheets that nobody confirmed, and notes of others."""
    old = CodeImport.objects.using("system").filter(created_at__lt=timezone.now() - KEPT)
    forgotten, _ = old.delete()
    return forgotten


def _current(code_import: CodeImport) -> CodeImport:
    rows = CodeImport.objects.select_for_update(of=("self",)).select_related("managed_app")
    found = rows.filter(pk=code_import.pk).first()
    if found is None:
        raise ImportOver
    return found


def _waiting(code_import: CodeImport) -> CodeImport:
    current = _current(code_import)
    if current.finished_at:
        raise ImportOver
    return current


def _add(managed_app: ManagedApp, preview: Preview, by: Actor) -> int:
    """A sheet of the same codes for another app may be confirmed at the same moment."""
    now = timezone.now()
    codes = [_code_of(managed_app, each, preview.sheet.order) for each in preview.new]
    for code in codes:
        code.changed_by = by.name[:254]
        code.redeemed_at = now if code.state == State.REDEEMED else None
    RedemptionCode.objects.bulk_create(codes, ignore_conflicts=True, batch_size=1000)
    digests = [code.code_digest for code in codes]
    return RedemptionCode.objects.filter(managed_app=managed_app, code_digest__in=digests).count()


def _code_of(managed_app: ManagedApp, each: SheetCode, order: str) -> RedemptionCode:
    code = RedemptionCode(
        organization=managed_app.organization,
        managed_app=managed_app,
        code_digest=digest_of(managed_app.organization_id, each.code),
        last_letters=each.code[-4:],
        order=order,
        state=State.REDEEMED if each.is_redeemed else State.UNUSED,
    )
    code.code = each.code
    return code


def _note_redeemed(organization_id: int, digests: Sequence[str], by: Actor) -> int:
    """Of codes that are here already; Apple's sheet knows what nobody has told us."""
    ours = RedemptionCode.objects.filter(organization=organization_id, code_digest__in=digests)
    return ours.exclude(state=State.REDEEMED).update(
        state=State.REDEEMED, redeemed_at=timezone.now(), changed_by=by.name[:254]
    )


def _finish(code_import: CodeImport, counts: dict[str, int]) -> None:
    """From here on the codes stand in rows of their own."""
    code_import.rows, code_import.counts = NOTHING, counts
    code_import.finished_at = timezone.now()
    code_import.save(update_fields=["rows_ciphertext", "counts", "finished_at"])
