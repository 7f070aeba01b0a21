"""What a decision about an app needs, gathered with a few statements for any number of devices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from apps_catalog.channels.choosing import kind_of
from apps_catalog.models import ChannelKind, InstallationState, ManagedApp, PurchaseMethod
from apps_catalog.models.installations import AFTER_LICENSE
from apps_catalog.requirements import AppFacts, DeviceFacts
from licensing.automation.choosing import Person, Supply
from licensing.automation.excess import TRY_AGAIN
from licensing.automation.known import Aims, Ended, Held, Known, Open, Row
from licensing.automation.sources import Titles, sources_of
from licensing.automation.wanting import DEVICES, INSTALLATIONS, PEOPLE
from licensing.automation.words import OURS
from licensing.batches.controls import STOPPED
from licensing.batches.reasons import Reason as Skipped
from licensing.batches.starting import OFF_THE_LIST
from licensing.models import (
    OPEN_ITEMS,
    Assignment,
    AutomationHold,
    Batch,
    BatchItem,
    BatchKind,
    ItemState,
)
from licensing.reclaim.wanting import kept_back
from organizations.bulk import returned
from organizations.models import AuditEvent
from users.models import VppUser
from users.states import RETIRED

HELD, ITEMS, BATCHES = (model._meta.db_table for model in (Assignment, BatchItem, Batch))
S = InstallationState
UNSETTLED = (S.PLANNED, S.BLOCKED, S.LICENSE_PENDING, S.REVOKE_PENDING, S.REMOVED)
BY_A_PERSON = (OFF_THE_LIST, STOPPED)
# Two who decided at once; the next look decides anew.
PASSING = (Skipped.ALREADY_HELD.sentence, Skipped.IN_PROGRESS.sentence)


@dataclass(frozen=True, slots=True)
class Place:
    """An organization as far as all its apps share it, known once in a run."""

    organization_id: int
    is_paused: bool
    has_channel: bool
    kept_back: Collection[tuple[str, str, str]]

    @classmethod
    def of(cls, organization_id: int, *, is_paused: bool) -> Place:
        has_channel = kind_of(organization_id) != ChannelKind.NONE
        return cls(organization_id, is_paused, has_channel, kept_back(organization_id))


@dataclass(frozen=True, slots=True)
class Owner:
    """By account, as whom Apple knows somebody, and how far they are."""

    people: dict[int, Person] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)


def supply_of(app: ManagedApp, titles: Titles) -> Supply:
    accounts = list(app.accounts.values_list("account", flat=True))
    facts = AppFacts.of(app.platform, app.app)
    return Supply(facts, app.purchase_method, sources_of(titles, accounts))


def known_of(app: ManagedApp, titles: Titles, place: Place, rows: Collection[Row]) -> Known:
    names = [name for row in rows for name in row.names]
    held = _held(app, titles, names)
    open_ = _open(app, titles, names)
    free = [name for name in names if name not in held and name not in open_]
    return Known(
        aims=_aims(app, place),
        supply=supply_of(app, titles),
        now=timezone.now(),
        held=held,
        open=open_,
        ended=_ended(app, titles, free),
        kept_back={name for _, name, adam_id in place.kept_back if adam_id == app.adam_id},
        is_held_back=AutomationHold.objects.waiting().filter(managed_app=app).exists(),
        try_again=TRY_AGAIN,
    )


def _aims(app: ManagedApp, place: Place) -> Aims:
    return Aims(
        grants=app.grants_automatically,
        revokes=app.revokes_automatically,
        removes=app.removes_out_of_scope,
        grace=timedelta(days=app.grace_days),
        is_paused=place.is_paused or app.paused_at is not None,
        installs=app.installs_automatically,
        has_channel=place.has_channel,
    )


# --- Installations --------------------------------------------------------------------------------


def rows_of(app: ManagedApp, titles: Titles, *, thoroughly: bool) -> list[Row]:
    """Those of the app where something may be to be done; thoroughly: also where a license is gone
    that nobody told of."""
    lost = _LOST[app.purchase_method] if thoroughly and app.needs_license else "false"
    statement = _ROWS.format(lost=lost)
    found = returned(
        statement,
        {
            "organization": app.organization_id,
            "app": app.pk,
            "adam_id": app.adam_id,
            "unsettled": [*UNSETTLED, *([S.LICENSED] if thoroughly else [])],
            "after": list(AFTER_LICENSE),
            "accounts": titles.account_ids,
            "titles": titles.ids,
        },
    )
    if app.purchase_method != PurchaseMethod.USER:
        return [_row(each, None) for each in found]
    owners = _owners(app.organization_id, {each[-1] for each in found if each[-1]})
    return [_row(each, owners.get(each[-1], NOBODY)) for each in found]


NOBODY = Owner()


def _row(found: tuple[Any, ...], owner: Owner | None) -> Row:
    pk, state, reason, detail, wanted, left_at, asked_at, elsewhere, title, network, *device = found
    platform, version, serial, supervised, owner_id = device
    facts = DeviceFacts(platform, version, serial is not None, supervised) if network else None
    common = (pk, state, reason, detail, wanted, left_at, asked_at, network or 0, facts)
    if owner is None:
        names = (serial,) if serial else ()
        return Row(*common, names=names, is_elsewhere=elsewhere, title_id=title)
    return Row(
        *common,
        names=tuple(owner.names),
        people=owner.people,
        by_account=owner.ids,
        lacks_owner=owner_id is None,
        is_elsewhere=elsewhere,
        title_id=title,
    )


_ROWS = f"""
    SELECT wish.id, wish.state, wish.reason, wish.detail, wish.is_wanted, wish.left_at,
           wish.asked_at, NOT wish.is_wanted AND EXISTS (
               SELECT 1 FROM {INSTALLATIONS} AS other
               JOIN apps_catalog_managedapp AS rival ON rival.id = other.managed_app_id
               WHERE other.organization_id = %(organization)s AND other.device_id = wish.device_id
                 AND other.is_wanted AND rival.adam_id = %(adam_id)s),
           wish.licensed_app_id, device.network_id, device.platform, device.os_version, device.serial_number,
           device.supervised, device.owner_id
    FROM {INSTALLATIONS} AS wish
    LEFT JOIN {DEVICES} AS device ON device.id = wish.device_id
    WHERE wish.managed_app_id = %(app)s AND (
        NOT wish.is_wanted OR wish.state = ANY(%(unsettled)s)
        OR wish.state = ANY(%(after)s) AND {{lost}})
    ORDER BY wish.id
"""  # noqa: S608  table names are the models'

_OF_TITLES = "held.account_id = ANY(%(accounts)s) AND held.licensed_app_id = ANY(%(titles)s)"
_LOST: Mapping[str, str] = {
    PurchaseMethod.DEVICE: f"""NOT EXISTS (
        SELECT 1 FROM {HELD} AS held WHERE {_OF_TITLES} AND held.holder_kind = 'device'
          AND held.holder = device.serial_number)""",  # noqa: S608
    PurchaseMethod.USER: f"""NOT EXISTS (
        SELECT 1 FROM {HELD} AS held
        JOIN {PEOPLE} AS person ON person.account_id = held.account_id
             AND person.client_user_id = held.holder
        WHERE {_OF_TITLES} AND held.holder_kind = 'user'
          AND person.owner_id = device.owner_id)""",  # noqa: S608
}


def _owners(organization_id: int, owner_ids: Collection[int]) -> dict[int, Owner]:
    rows = returned(_PEOPLE, {"organization": organization_id, "owners": sorted(owner_ids)})
    owners: defaultdict[int, Owner] = defaultdict(Owner)
    # Of two records in one account the one that is not retired comes last.
    for owner_id, account_id, client_user_id, status, failure in rows:
        owner = owners[owner_id]
        owner.people[account_id] = person_of(status, failure)
        owner.ids[account_id] = client_user_id
        owner.names.append(client_user_id)
    return owners


def person_of(status: str, failure: str) -> Person:
    if status in RETIRED:
        return Person.RETIRED
    if status == VppUser.AppleStatus.ASSOCIATED:
        return Person.READY
    return Person.FAILED if failure and not status else Person.UNACCEPTED


_PEOPLE = f"""
    SELECT owner_id, account_id, client_user_id, apple_status, failure FROM {PEOPLE}
    WHERE organization_id = %(organization)s AND owner_id = ANY(%(owners)s)
    ORDER BY owner_id, account_id, apple_status IN {tuple(str(s) for s in RETIRED)} DESC, id
"""  # noqa: S608


# --- Licenses, and what is under way for them -----------------------------------------------------


def _held(app: ManagedApp, titles: Titles, names: list[str]) -> Mapping[str, list[Held]]:
    found: defaultdict[str, list[Held]] = defaultdict(list)
    for holder, *license_ in returned(_HELD, _asked(app, titles, names)):
        found[holder].append(Held(*license_))
    return dict(found)


def _open(app: ManagedApp, titles: Titles, names: list[str]) -> dict[str, Open]:
    # Where there are several, a revoke counts, and it comes last.
    return {holder: Open(*item) for holder, *item in returned(_OPEN, _asked(app, titles, names))}


def _ended(app: ManagedApp, titles: Titles, names: list[str]) -> dict[str, Ended]:
    """Refusals of this rule's latest attempts."""
    ended = {}
    for holder, state, message, at, times in returned(_ENDED, _asked(app, titles, names)):
        is_ours = state == ItemState.CANCELLED and message in OURS
        if state != ItemState.SUCCEEDED and not is_ours and message not in PASSING:
            ended[holder] = Ended(message, at, message in BY_A_PERSON, times)
    return ended


def _asked(app: ManagedApp, titles: Titles, names: Iterable[str]) -> dict[str, Any]:
    is_for_people = app.purchase_method == PurchaseMethod.USER
    kinds = Assignment.HolderKind
    return {
        "organization": app.organization_id,
        "app": app.pk,
        "accounts": titles.account_ids,
        "titles": titles.ids,
        "kind": kinds.USER if is_for_people else kinds.DEVICE,
        "holders": sorted(set(names)),
    }


_HELD = f"""
    SELECT holder, licensed_app_id, account_id,
           origin = '{Assignment.Origin.RULE}' AND rule_id = %(app)s AND unwanted_at IS NOT NULL
    FROM {HELD} AS held
    WHERE {_OF_TITLES} AND holder_kind = %(kind)s AND holder = ANY(%(holders)s)
    ORDER BY holder, account_id, licensed_app_id
"""  # noqa: S608

_OPEN = f"""
    SELECT item.holder, item.id, item.licensed_app_id, item.kind = '{BatchKind.GRANT}',
           item.state = '{ItemState.WAITING}',
           item.state = '{ItemState.WAITING}'
               OR item.state = '{ItemState.PLANNED}' AND item.attempts = 0,
           batch.actor_kind = '{AuditEvent.ActorKind.RULE}' AND batch.actor_id = %(app)s
    FROM {ITEMS} AS item JOIN {BATCHES} AS batch ON batch.id = item.batch_id
    WHERE item.licensed_app_id = ANY(%(titles)s) AND item.holder_kind = %(kind)s
      AND item.holder = ANY(%(holders)s)
      AND item.state IN {tuple(str(state) for state in OPEN_ITEMS)}
    ORDER BY item.kind = '{BatchKind.REVOKE}', item.id
"""  # noqa: S608

_ENDED = f"""
    SELECT DISTINCT ON (item.holder) item.holder, item.state, item.message, item.changed_at,
           count(*) FILTER (WHERE item.state = '{ItemState.FAILED}') OVER (PARTITION BY item.holder)
    FROM {ITEMS} AS item JOIN {BATCHES} AS batch ON batch.id = item.batch_id
    WHERE item.organization_id = %(organization)s AND item.holder = ANY(%(holders)s)
      AND item.holder_kind = %(kind)s AND item.licensed_app_id = ANY(%(titles)s)
      AND item.kind = '{BatchKind.GRANT}'
      AND batch.actor_kind = '{AuditEvent.ActorKind.RULE}' AND batch.actor_id = %(app)s
    ORDER BY item.holder, item.id DESC
"""  # noqa: S608
