"""What a plan has to know, gathered with a few statements for any number of holders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count

from licensing.batches.boundaries import Boundaries
from licensing.batches.plans import Holder, TitleFacts
from licensing.batches.reasons import Reason
from licensing.models import (
    OPEN_ITEMS,
    Assignment,
    BatchItem,
    BatchKind,
    ItemState,
    LicensedApp,
)
from organizations.bulk import returned
from organizations.models import Device
from users.models import VppUser
from users.states import RETIRED
from vpp_accounts.models import VppAccount

DEVICE, USER = Assignment.HolderKind.DEVICE, Assignment.HolderKind.USER
LONGEST_SERIAL = 32


def normal_serial(text: str) -> str:
    """As we keep it; what is none stays recognizable, as far as the database can hold it."""
    storable = text.encode(errors="replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return storable.strip().upper()[:255]


def devices(
    account: VppAccount, serials: Sequence[str], boundaries: Boundaries
) -> tuple[list[Holder], int]:
    """The serial numbers as holders, and how many of them the inventory does not know."""
    rows = returned(_DEVICES, {"organization": account.organization_id, "serials": list(serials)})
    known = {serial: (platform, network) for serial, platform, network in rows}
    holders = []
    for serial in serials:
        platform, network = known.get(serial, ("", None))
        barrier = None if is_serial(serial) else Reason.BAD_SERIAL
        holders.append(Holder(serial, platform, barrier or boundaries.barrier(network)))
    return holders, len(serials) - len(known)


def is_serial(text: str) -> bool:
    return 0 < len(text) <= LONGEST_SERIAL and text.isascii() and text.isalnum()


@dataclass(frozen=True, slots=True)
class People:
    """The people of a plan; `unaccepted` hold a license that they cannot use yet."""

    holders: list[Holder]
    unaccepted: int
    unregistered: int


def people(account: VppAccount, user_ids: Sequence[int]) -> People:
    rows = VppUser.objects.filter(account=account, pk__in=user_ids)
    known = {
        pk: (client_user_id, status, failure)
        for pk, client_user_id, status, failure in rows.values_list(
            "pk", "client_user_id", "apple_status", "failure"
        )
    }
    leaving = being_retired(account) if known else set()
    holders = []
    for pk in user_ids:
        client_user_id, status, failure = known.get(pk, (f"user {pk}", None, ""))
        barrier = _barrier_of_person(status, failure)
        if client_user_id in leaving:
            barrier = barrier or Reason.BEING_RETIRED
        holders.append(Holder(client_user_id, "", barrier))
    # Whom Apple refused to register is skipped; who failed later is known to it all the same.
    statuses = [status for _, status, failure in known.values() if status or not failure]
    return People(
        holders,
        unaccepted=sum(s in ("", VppUser.AppleStatus.REGISTERED) for s in statuses),
        unregistered=statuses.count(""),
    )


def _barrier_of_person(status: str | None, failure: str) -> Reason | None:
    if status is None:
        return Reason.UNKNOWN_USER
    if status in RETIRED:
        return Reason.RETIRED
    return Reason.REGISTRATION_FAILED if failure and not status else None


def being_retired(account: VppAccount) -> set[str]:
    items = BatchItem.objects.filter(account=account, licensed_app=None, state__in=OPEN_ITEMS)
    return set(items.filter(kind=BatchKind.RETIRE).values_list("holder", flat=True))


def title_facts(titles: Iterable[LicensedApp]) -> list[TitleFacts]:
    """The titles with what may be given out of them: Apple's last word less what is under way."""
    titles = list(titles)
    pending = pending_grants([title.pk for title in titles])
    return [
        TitleFacts(
            id=title.pk,
            key=(title.adam_id, title.pricing_param),
            platforms=frozenset(title.platforms),
            device_assignable=title.device_assignable,
            revocable=title.revocable,
            is_gone=title.gone_at is not None,
            free=free_of(title, pending.get(title.pk, 0)),
        )
        for title in titles
    ]


def free_of(title: LicensedApp, pending: int) -> int | None:
    """What is left to give out now, never below 0; None without end."""
    if title.is_unlimited:
        return None
    return max(0, title.available_count - title.grants_since_read - pending)


def pending_grants(title_ids: Sequence[int]) -> dict[int, int]:
    """How many licenses of each title are spoken for: under way, or waited for longer than we."""
    grants = BatchItem.objects.filter(
        licensed_app__in=title_ids, kind=BatchKind.GRANT, state__in=OPEN_ITEMS
    )
    counted = grants.values("licensed_app").annotate(n=Count("*"))
    return dict(counted.values_list("licensed_app", "n"))


def held_among(
    title: TitleFacts, account: VppAccount, kind: str, holders: Sequence[str]
) -> set[str]:
    parameters = {"account": account.pk, "title": title.id, "kind": kind}
    return {holder for (holder,) in returned(_HELD, {**parameters, "holders": list(holders)})}


def open_among(title: TitleFacts, kind: str, holders: Sequence[str]) -> dict[str, bool]:
    """Holder -> whether its open item only waits for a license."""
    parameters = {"title": title.id, "kind": kind, "holders": list(holders)}
    return {holder: state == ItemState.WAITING for holder, state in returned(_OPEN, parameters)}


def failed_in(batch_id: int, title: TitleFacts, kind: str) -> set[str]:
    failed = BatchItem.objects.filter(
        batch=batch_id, licensed_app=title.id, holder_kind=kind, state=ItemState.FAILED
    )
    return set(failed.values_list("holder", flat=True))


# One array for all of them: a list of a hundred thousand parameters takes PostgreSQL seconds to read.
_DEVICES = f"""
    SELECT serial_number, platform, network_id FROM {Device._meta.db_table}
    WHERE organization_id = %(organization)s AND serial_number = ANY(%(serials)s)
"""  # noqa: S608  table names are the models'

_HELD = f"""
    SELECT holder FROM {Assignment._meta.db_table}
    WHERE account_id = %(account)s AND licensed_app_id = %(title)s AND holder_kind = %(kind)s
      AND holder = ANY(%(holders)s)
"""  # noqa: S608

_OPEN = f"""
    SELECT holder, state FROM {BatchItem._meta.db_table}
    WHERE licensed_app_id = %(title)s AND holder_kind = %(kind)s
      AND state IN {tuple(str(state) for state in OPEN_ITEMS)} AND holder = ANY(%(holders)s)
"""  # noqa: S608
