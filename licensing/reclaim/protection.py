"""Whom nothing is taken from by any rule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from licensing.batches.facts import normal_serial
from licensing.models import Assignment, LicensedApp, ProtectedHolder, Reclaim
from licensing.reclaim.refusals import NobodyChosen, NoSuchHolder, NoSuchTitle
from licensing.reclaim.telling import WHOLE, refuse_all_but_full
from organizations import audit
from organizations.audit import Actor
from organizations.models import Device, Membership, Organization
from users.models import VppUser

DEVICE, USER = Assignment.HolderKind.DEVICE, Assignment.HolderKind.USER
PROTECTED = "Protected."
Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Whom:
    """`adam_id` empty: of all titles."""

    kind: str
    holder: str
    name: str = ""
    adam_id: str = ""


def protected(organization_id: int) -> frozenset[Key]:
    """(kind of holder, holder, Adam ID or empty for all titles)."""
    ours = ProtectedHolder.objects.filter(organization=organization_id)
    return frozenset(ours.values_list("holder_kind", "holder", "adam_id"))


def is_protected(known: frozenset[Key], kind: str, holder: str, adam_id: str) -> bool:
    return (kind, holder, "") in known or (kind, holder, adam_id) in known


# In SQL: `held` and `title` are the license and its title.
TABLE = ProtectedHolder._meta.db_table
IS_PROTECTED = f"""EXISTS (
    SELECT FROM {TABLE} AS safe
    WHERE safe.organization_id = %(organization)s AND safe.holder_kind = held.holder_kind
      AND safe.holder = held.holder AND safe.adam_id IN ('', title.adam_id))
"""


def named(organization: Organization, text: str, adam_id: str = "") -> list[Whom]:
    """Who is meant by a serial number, or by the e-mail address of a person, in all accounts."""
    if adam_id and not _titles(organization, adam_id).exists():
        raise NoSuchTitle
    found = _devices(organization, text, adam_id) or _people(organization, text, adam_id)
    if not found:
        raise NoSuchHolder
    return found


def holding(rows: Iterable[Reclaim]) -> list[Whom]:
    """Who holds these licenses, of the titles that they are of."""
    return [
        Whom(row.holder_kind, row.holder, row.holder_name, row.licensed_app.adam_id) for row in rows
    ]


def _devices(organization: Organization, text: str, adam_id: str) -> list[Whom]:
    """Also of a serial number that only Apple knows by now."""
    serial = normal_serial(text)
    device = Device.objects.filter(organization=organization, serial_number=serial).first()
    held = Assignment.objects.filter(organization=organization, holder=serial, holder_kind=DEVICE)
    if device is None and not held.exists():
        return []
    return [Whom(DEVICE, serial, device.name if device else "", adam_id)]


def _people(organization: Organization, text: str, adam_id: str) -> list[Whom]:
    """Without their names, which are told as long as there is such a person and no longer."""
    text = text.strip()[:255]
    people = VppUser.objects.filter(
        Q(email__iexact=text) | Q(client_user_id=text), organization=organization
    )
    return [Whom(USER, user.client_user_id, adam_id=adam_id) for user in people]


def _titles(organization: Organization, adam_id: str) -> QuerySet[LicensedApp]:
    return LicensedApp.objects.filter(organization=organization, adam_id=adam_id)


@transaction.atomic
def protect(
    *,
    by: Actor,
    membership: Membership,
    organization: Organization,
    whom: Iterable[Whom],
    reason: str = "",
) -> int:
    """Answers how many are protected that were not; what was to be taken from them stays."""
    refuse_all_but_full(membership)
    chosen = list(dict.fromkeys(whom))
    if not chosen:
        raise NobodyChosen
    before = protected(organization.pk)
    added = [each for each in chosen if (each.kind, each.holder, each.adam_id) not in before]
    rows = [_row(by, organization, each, reason) for each in added]
    ProtectedHolder.objects.bulk_create(rows, ignore_conflicts=True)
    _let_go(by, organization, chosen)
    if added:
        after = {"holders": [each.holder for each in added[:20]], "count": len(added)}
        audit.record(
            "reclaim.protected",
            by=by,
            organization=organization,
            target=organization,
            after=after | ({"reason": reason} if reason else {}),
        )
    return len(added)


@transaction.atomic
def unprotect(*, by: Actor, membership: Membership, row: ProtectedHolder) -> None:
    refuse_all_but_full(membership)
    deleted, _ = ProtectedHolder.objects.filter(pk=row.pk).delete()
    if deleted:
        audit.record(
            "reclaim.unprotected",
            by=by,
            organization=row.organization,
            target=row.organization,
            before={"holders": [row.holder], "count": 1},
        )


def _row(by: Actor, organization: Organization, each: Whom, reason: str) -> ProtectedHolder:
    return ProtectedHolder(
        organization=organization,
        holder_kind=each.kind,
        holder=each.holder,
        name=each.name[:200],
        adam_id=each.adam_id,
        reason=reason[:300],
        by_name=by.name[:254],
    )


def _let_go(by: Actor, organization: Organization, whom: list[Whom]) -> None:
    """Nothing that is still to be taken from them is."""
    waiting = Reclaim.objects.filter(
        organization=organization, state__in=(Reclaim.State.FOUND, Reclaim.State.PLANNED)
    )
    wholly = {each.holder for each in whom if not each.adam_id}
    rows = waiting.filter(holder__in=wholly, holder_kind=DEVICE)
    _end(by, rows)
    by_title: dict[str, set[str]] = {}
    for each in whom:
        by_title.setdefault(each.adam_id, set()).add(each.holder)
    by_title.pop(WHOLE, None)
    for adam_id, holders in by_title.items():
        _end(by, waiting.filter(holder__in=holders, licensed_app__adam_id=adam_id))


def _end(by: Actor, rows: QuerySet[Reclaim]) -> None:
    rows.update(
        state=Reclaim.State.VOID,
        note=PROTECTED,
        changed_at=timezone.now(),
        changed_by=by.name[:254],
    )
