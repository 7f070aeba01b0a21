"""Answers to apps_catalog: who is licensed for certain, and who has to accept first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import closing
from typing import NamedTuple

import structlog
from django.db import transaction
from django.utils import timezone

from apps_catalog.models import Installation, ManagedApp
from licensing import changes
from licensing.models import Assignment, BatchItem, BatchKind, ItemState
from organizations.bulk import escaped, returned
from organizations.crypto import CannotDecrypt
from organizations.models import Device
from users.invitations.links import apples_page
from users.models import VppUser
from users.states import PersonStatus, status_of
from vpp_accounts.apple.client import AppleClient
from vpp_accounts.apple.errors import AppleError
from vpp_accounts.connections import client_for
from vpp_accounts.models import VppAccount

log = structlog.get_logger(__name__)

FEW = 10  # of one title are asked about one by one


class License(NamedTuple):
    """The license that an installation counts on, and who holds it."""

    installation_id: int
    account_id: int
    licensed_app_id: int
    adam_id: str
    holder_kind: str
    holder: str

    @property
    def line(self) -> str:
        """As licensing/changes.py takes it."""
        (holder,) = escaped([self.holder])
        return f"{self.licensed_app_id}\t{self.holder_kind}\t{holder}"


class Answers:
    """The one that is registered."""

    def still_licensed(self, installation_ids: Collection[int]) -> set[int]:
        return {license_.installation_id for license_ in licenses_of(installation_ids)}

    def licensed_at_apple(self, installation_ids: Collection[int]) -> set[int]:
        by_account: defaultdict[int, list[License]] = defaultdict(list)
        for license_ in licenses_of(installation_ids):
            by_account[license_.account_id].append(license_)
        accounts = VppAccount.objects.filter(pk__in=by_account)
        held: set[int] = set()
        for account in accounts:
            held |= _asked(account, by_account[account.pk])
        return held

    def client_user_ids(self, device_ids: Collection[int]) -> dict[int, set[str]]:
        rows = returned(_PEOPLE, {"devices": list(device_ids)})
        return {device_id: set(names) for device_id, names in rows}

    def invitees(self, installation_ids: Collection[int]) -> dict[int, int]:
        rows = returned(_INVITEES, {"ids": list(installation_ids)})
        return dict(rows)

    def invitation_url(self, person_id: int) -> str:
        people = VppUser.objects.select_related("account", "owner")
        person = people.filter(pk=person_id).first()
        if person is None or status_of(person) not in (PersonStatus.NEW, PersonStatus.INVITED):
            return ""
        return apples_page(person.account, person)


def licenses_of(installation_ids: Collection[int]) -> list[License]:
    """Assigned as far as we know, and not being taken back; a person's only once they accepted."""
    return [License(*row) for row in returned(_LICENSES, {"ids": list(installation_ids)})]


def _asked(account: VppAccount, doubted: Iterable[License]) -> set[int]:
    """Those that Apple lists. Where it cannot be asked, what we know has to do."""
    doubted = list(doubted)
    began = timezone.now()
    try:
        with closing(client_for(account)) as client:
            held = _held(client, doubted)
    except (AppleError, CannotDecrypt) as error:
        log.warning("installations.apple_not_asked", account=account.pk, error=str(error))
        return {each.installation_id for each in doubted}
    gone = [each.line for each in doubted if each not in held]
    if gone:
        with transaction.atomic():
            changes.apply(account, new=[], gone=gone, as_of=began)
    return {each.installation_id for each in held}


def _held(client: AppleClient, doubted: Collection[License]) -> set[License]:
    """Asked twice before one counts as gone, as a sync does."""
    held = _listed(client, doubted)
    return held | _listed(client, [each for each in doubted if each not in held])


def _listed(client: AppleClient, wanted: Iterable[License]) -> set[License]:
    """Title by title: a whole list, where that is fewer requests than one for each holder."""
    by_title: defaultdict[str, list[License]] = defaultdict(list)
    for license_ in wanted:
        by_title[license_.adam_id].append(license_)
    return {
        each
        for adam_id, group in by_title.items()
        for each in (_in_the_list if len(group) > FEW else _one_by_one)(client, adam_id, group)
    }


def _in_the_list(client: AppleClient, adam_id: str, group: Iterable[License]) -> list[License]:
    rows = client.assignments(adam_id=adam_id).rows()
    holders = {row.serial_number or row.client_user_id for row in rows}
    return [each for each in group if each.holder in holders]


def _one_by_one(client: AppleClient, adam_id: str, group: Iterable[License]) -> list[License]:
    return [each for each in group if any(True for _ in _rows_of(client, adam_id, each))]


def _rows_of(client: AppleClient, adam_id: str, license_: License) -> Iterable[object]:
    is_device = license_.holder_kind == Assignment.HolderKind.DEVICE
    return client.assignments(
        adam_id=adam_id,
        serial_number=license_.holder if is_device else None,
        client_user_id=None if is_device else license_.holder,
    ).rows()


_INSTALLATIONS = f"""
    FROM {Installation._meta.db_table} AS installation
    JOIN {ManagedApp._meta.db_table} AS app ON app.id = installation.managed_app_id
    JOIN {Device._meta.db_table} AS device ON device.id = installation.device_id
    LEFT JOIN {VppUser._meta.db_table} AS person ON app.purchase_method = 'user'
      AND person.account_id = installation.account_id AND person.owner_id = device.owner_id
"""
_LICENSES = f"""
    SELECT installation.id, assignment.account_id, assignment.licensed_app_id, app.adam_id,
           assignment.holder_kind, assignment.holder
    {_INSTALLATIONS}
    JOIN {Assignment._meta.db_table} AS assignment
      ON assignment.account_id = installation.account_id
      AND assignment.licensed_app_id = installation.licensed_app_id
      AND assignment.holder_kind = app.purchase_method
      AND assignment.holder = CASE WHEN app.purchase_method = 'device'
        THEN device.serial_number ELSE person.client_user_id END
    WHERE installation.id = ANY(%(ids)s) AND app.purchase_method IN ('device', 'user')
      AND (person.id IS NULL OR person.apple_status = 'Associated')
      AND NOT EXISTS (
        SELECT 1 FROM {BatchItem._meta.db_table} AS item
        WHERE item.licensed_app_id = assignment.licensed_app_id
          AND item.holder_kind = assignment.holder_kind AND item.holder = assignment.holder
          AND item.kind = '{BatchKind.REVOKE}'
          AND item.state IN ('{ItemState.PLANNED}', '{ItemState.SENT}'))
      AND NOT EXISTS (
        SELECT 1 FROM {BatchItem._meta.db_table} AS item
        WHERE item.account_id = assignment.account_id AND item.licensed_app_id IS NULL
          AND item.kind = '{BatchKind.RETIRE}' AND assignment.holder_kind = 'user'
          AND item.holder = assignment.holder
          AND item.state IN ('{ItemState.PLANNED}', '{ItemState.SENT}'))
"""  # noqa: S608  table names are the models'
_INVITEES = f"""
    SELECT installation.id, person.id
    {_INSTALLATIONS}
    WHERE installation.id = ANY(%(ids)s) AND person.apple_status = 'Registered'
      AND person.failure = '' AND person.invite_code_digest <> ''
"""
_PEOPLE = f"""
    SELECT device.id, array_agg(person.client_user_id)
    FROM {Device._meta.db_table} AS device
    JOIN {VppUser._meta.db_table} AS person ON person.owner_id = device.owner_id
    WHERE device.id = ANY(%(devices)s) AND person.apple_status = 'Associated'
    GROUP BY device.id
"""  # noqa: S608  table names are the models'
