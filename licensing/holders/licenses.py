"""The state of a license as people see it: what is held, overlaid by what is under way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db.models import TextChoices

from licensing.holders.sets import failed_items_of, holders_of, open_items_of, recently_failed
from licensing.models import (
    OPEN_ITEMS,
    Assignment,
    Batch,
    BatchItem,
    BatchKind,
    ItemState,
    LicensedApp,
)
from vpp_accounts.models import VppAccount

BY = {
    Assignment.Origin.MANUAL: "An admin",
    Assignment.Origin.RULE: "A rule",
    Assignment.Origin.APPLE: "Found at Apple",
    Assignment.Origin.OTHER_MDM: "Another MDM",
}


class LicenseState(TextChoices):
    LICENSED = "licensed", "Licensed"
    NOT_LICENSED = "not-licensed", "Not licensed"
    PENDING = "pending", "Pending"
    REVOKING = "revoking", "Revoking"
    WAITING = "waiting", "Waiting for a license"
    FAILED = "failed", "Failed"


COLOURS = {
    LicenseState.LICENSED: "success",
    LicenseState.PENDING: "info",
    LicenseState.REVOKING: "info",
    LicenseState.WAITING: "warning",
    LicenseState.FAILED: "danger",
}


@dataclass(frozen=True, slots=True)
class License:
    """One title and one holder. `message`: why giving or taking it failed lately."""

    state: LicenseState = LicenseState.NOT_LICENSED
    since: datetime | None = None
    by: str = ""
    batch_id: int | None = None
    message: str = ""

    @property
    def label(self) -> str:
        return str(self.state.label)

    @property
    def colour(self) -> str:
        return COLOURS.get(self.state, "")

    @property
    def is_held(self) -> bool:
        return self.state == LicenseState.LICENSED


def licenses_of_title(
    title: LicensedApp, kind: Assignment.HolderKind, holders: Sequence[str]
) -> dict[str, License]:
    """By holder; who is missing holds nothing, and nothing is under way for them."""
    if not holders:
        return {}
    return _overlaid(
        holders_of(title, kind).filter(holder__in=holders),
        open_items_of(title, kind).filter(holder__in=holders),
        failed_items_of(title, kind).filter(holder__in=holders),
        key=attrgetter("holder"),
    )


def licenses_of_holder(
    account: VppAccount, kind: Assignment.HolderKind, holder: str, titles: Sequence[int]
) -> dict[int, License]:
    """By title, in one account."""
    of_holder = {
        "organization": account.organization_id,
        "account": account,
        "holder_kind": kind,
        "holder": holder,
        "licensed_app__in": titles,
    }
    return _overlaid(
        Assignment.objects.filter(**of_holder),
        BatchItem.objects.filter(**of_holder, state__in=OPEN_ITEMS),
        recently_failed().filter(**of_holder),
        key=attrgetter("licensed_app_id"),
    )


def licenses_in(
    accounts: Sequence[VppAccount], kind: Assignment.HolderKind, holders: Sequence[str]
) -> dict[tuple[int, str], License]:
    """By title and holder, in these accounts of one organization."""
    of_holders = {
        "organization__in": {account.organization_id for account in accounts},
        "account__in": accounts,
        "holder_kind": kind,
        "holder__in": holders,
        "licensed_app__isnull": False,
    }
    return _overlaid(
        Assignment.objects.filter(**of_holders),
        BatchItem.objects.filter(**of_holders, state__in=OPEN_ITEMS),
        recently_failed().filter(**of_holders),
        key=attrgetter("licensed_app_id", "holder"),
    )


def _overlaid(
    assignments: Iterable[Assignment],
    opened: Iterable[BatchItem],
    failed: Iterable[BatchItem],
    *,
    key: Callable[[Any], Any],
) -> dict[Any, License]:
    """Four statements, however many licenses."""
    held = {key(row): row for row in assignments}
    under_way = {key(item): item for item in opened}
    lately = {key(item): item for item in sorted(failed, key=attrgetter("pk"))}
    rows: list[Any] = [*held.values(), *under_way.values(), *lately.values()]
    names = _names({row.batch_id for row in rows if row.batch_id})
    return {
        each: _license(held.get(each), under_way.get(each), lately.get(each), names)
        for each in (held | under_way | lately)
    }


def _names(batch_ids: set[int]) -> dict[int, str]:
    if not batch_ids:
        return {}
    return dict(Batch.objects.filter(pk__in=batch_ids).values_list("pk", "actor_name"))


def _license(
    held: Assignment | None,
    under_way: BatchItem | None,
    failed: BatchItem | None,
    names: Mapping[int, str],
) -> License:
    if under_way:
        return _of_item(state_of(under_way), under_way, names)
    if held is None:
        is_grant = failed is not None and failed.kind == BatchKind.GRANT
        return _of_item(LicenseState.FAILED, failed, names) if failed and is_grant else License()
    by = names.get(held.batch_id or 0, "")
    return License(
        LicenseState.LICENSED,
        held.since,
        by or BY[Assignment.Origin(held.origin)],
        held.batch_id if by else None,
        failed.message if failed and failed.kind == BatchKind.REVOKE else "",
    )


def _of_item(state: LicenseState, item: BatchItem, names: Mapping[int, str]) -> License:
    return License(
        state, item.changed_at, names.get(item.batch_id, ""), item.batch_id, item.message
    )


def state_of(item: BatchItem) -> LicenseState:
    """What an open item makes of a license."""
    if item.kind == BatchKind.REVOKE:
        return LicenseState.REVOKING
    return LicenseState.WAITING if item.state == ItemState.WAITING else LicenseState.PENDING
