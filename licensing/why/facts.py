"""What sentences about installations may name, gathered with a few statements for a page of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from apps_catalog.models import Enrollment, Installation, ManagedApp, ManagedAppAccount
from apps_catalog.reasons import Reason
from licensing import titles
from licensing.models import BatchItem, BatchKind, ItemState, LicensedApp
from licensing.why.links import Place
from organizations.bulk import returned
from organizations.models import Device, Membership
from vpp_accounts.models import VppAccount


@dataclass(frozen=True, slots=True)
class Facts:
    """`names` are those of apps_catalog/reasons.py; `place`: of `waiting` who wait for a license."""

    where: Place
    names: Mapping[str, str] = field(default_factory=dict)
    place: int = 0
    waiting: int = 0
    grace_ends_at: datetime | None = None
    counts_as_of: datetime | None = None
    seen_at: datetime | None = None


def gather(installations: Iterable[Installation], membership: Membership) -> dict[int, Facts]:
    """By the installation's id. Of accounts that are not open to this admin it names nothing."""
    rows = list(installations)
    page = _Page(rows, membership) if rows else None
    return {row.pk: page.facts_of(row) for row in rows} if page else {}


class _Page:
    """Seven statements, however many rows."""

    def __init__(self, rows: Sequence[Installation], membership: Membership) -> None:
        self.membership = membership
        apps = ManagedApp.objects.select_related("app", "network")
        self.apps = apps.in_bulk({row.managed_app_id for row in rows})
        devices = Device.objects.select_related("owner", "network")
        self.devices = devices.in_bulk({row.device_id for row in rows})
        self.accounts = self._accounts()
        self.titles = self._titles()
        self.queues = self._queues(rows)
        seen = Enrollment.objects.filter(device__in=self.devices)
        self.seen = dict(seen.values_list("device", "seen_at"))

    def _accounts(self) -> dict[int, list[VppAccount]]:
        """Of each app, in the order in which it draws from them."""
        links = ManagedAppAccount.objects.filter(
            managed_app__in=self.apps, account__in=VppAccount.objects.open_to(self.membership)
        )
        found: dict[int, list[VppAccount]] = {}
        for link in links.select_related("account"):
            found.setdefault(link.managed_app_id, []).append(link.account)
        return found

    def _titles(self) -> dict[tuple[int, str], LicensedApp]:
        accounts = {account.pk for each in self.accounts.values() for account in each}
        adam_ids = {app.adam_id for app in self.apps.values()}
        rows = LicensedApp.objects.filter(account__in=accounts, adam_id__in=adam_ids)
        # The last of an account stays: STDQ, which is what devices get.
        return {(row.account_id, row.adam_id): row for row in rows.order_by("pricing_param")}

    def _queues(self, rows: Iterable[Installation]) -> dict[tuple[str, str], tuple[int, int]]:
        """(adam id, serial number) -> place and how many wait."""
        waiting = [row for row in rows if row.reason == Reason.NO_LICENSE]
        serials = {self.devices[r.device_id].serial_number for r in waiting} - {None}
        ids = [title.pk for title in self.titles.values()]
        return places(ids, sorted(filter(None, serials))) if serials and ids else {}

    def facts_of(self, row: Installation) -> Facts:
        app, device = self.apps.get(row.managed_app_id), self.devices.get(row.device_id)
        if app is None or device is None:  # deleted meanwhile
            return Facts(Place(row.organization_id, row.managed_app_id, row.device_id))
        accounts = self._drawn_from(row)
        title = self._title(app, accounts)
        place, waiting = self.queues.get((app.adam_id, device.serial_number or ""), (0, 0))
        grace = timedelta(days=app.grace_days)
        return Facts(
            where=place_of(app, device, title, self.membership),
            names=names_of(app, device, accounts),
            place=place,
            waiting=waiting,
            grace_ends_at=row.left_at + grace if row.left_at else None,
            counts_as_of=title.counts_as_of if title else None,
            seen_at=self.seen.get(device.pk) or device.last_connected_at,
        )

    def _drawn_from(self, row: Installation) -> list[VppAccount]:
        every = self.accounts.get(row.managed_app_id, [])
        return [account for account in every if account.pk == row.account_id] or every

    def _title(self, app: ManagedApp, accounts: Iterable[VppAccount]) -> LicensedApp | None:
        found = (self.titles.get((account.pk, app.adam_id)) for account in accounts)
        return next(filter(None, found), None)


def place_of(
    app: ManagedApp, device: Device, title: LicensedApp | None, membership: Membership
) -> Place:
    owner = device.owner
    return Place(
        organization_id=app.organization_id,
        managed_app_id=app.pk,
        device_id=device.pk,
        owner=owner.name if owner else "",
        title_url=titles.url_of(title) if title else "",
    )


def names_of(app: ManagedApp, device: Device, accounts: Iterable[VppAccount]) -> dict[str, str]:
    minimum, version = app.app.minimum_os, device.os_version
    return {
        "app": str(app),
        "device": str(device),
        "owner": str(device.owner or ""),
        "accounts": " and ".join(account.name for account in accounts),
        "needs": f"{app.platform} {minimum}" if minimum else "",
        "has": f"{device.platform} {version}" if version else "",
    }


def places(
    title_ids: Sequence[int], holders: Sequence[str]
) -> dict[tuple[str, str], tuple[int, int]]:
    """(adam id, holder) -> place in the queue of its title, and how many wait there."""
    parameters: dict[str, Any] = {"titles": list(title_ids), "holders": list(holders)}
    return {
        (adam_id, holder): (place, n) for adam_id, holder, place, n in returned(_QUEUE, parameters)
    }


_QUEUE = f"""
    SELECT title.adam_id, queue.holder, queue.place, queue.waiting FROM (
        SELECT licensed_app_id, holder,
               row_number() OVER (PARTITION BY licensed_app_id ORDER BY priority DESC, id) AS place,
               count(*) OVER (PARTITION BY licensed_app_id) AS waiting
        FROM {BatchItem._meta.db_table}
        WHERE licensed_app_id = ANY(%(titles)s) AND state = '{ItemState.WAITING}'
          AND kind = '{BatchKind.GRANT}') AS queue
    JOIN {LicensedApp._meta.db_table} AS title ON title.id = queue.licensed_app_id
    WHERE queue.holder = ANY(%(holders)s)
"""  # noqa: S608  table names are the models'
