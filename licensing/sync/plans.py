"""What a sync decides, on plain values: no database, no Apple."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

from vpp_accounts.apple.types import Asset, ClientUser

if TYPE_CHECKING:
    from licensing.models import LicensedApp

TitleKey = tuple[str, str]  # adamId, pricingParam


@dataclass(frozen=True, slots=True)
class AssetPlan:
    create: list[Asset]
    change: list[tuple[LicensedApp, Asset]]
    missing: list[LicensedApp]  # held, but not in Apple's list


def plan_assets(
    seen: Iterable[Asset], held: Mapping[TitleKey, LicensedApp], *, as_of: datetime
) -> AssetPlan:
    """`as_of` is when the reading began: whatever was read later than that is left alone."""
    by_key = {(asset.adam_id, asset.pricing_param): asset for asset in seen}
    older = {key: title for key, title in held.items() if title.counts_as_of < as_of}
    known = [(older[key], asset) for key, asset in by_key.items() if key in older]
    return AssetPlan(
        create=[asset for key, asset in by_key.items() if key not in held],
        change=[
            (title, asset)
            for title, asset in known
            if facts_of_title(title) != facts_of_asset(asset)
        ],
        missing=[
            title for key, title in older.items() if key not in by_key and title.gone_at is None
        ],
    )


def facts_of_asset(asset: Asset) -> dict[str, object]:
    """Apple's words for an asset as fields of ours."""
    return {
        "product_type": asset.product_type[:20],
        "platforms": sorted(name[:20] for name in asset.supported_platforms),
        "device_assignable": asset.device_assignable,
        "revocable": asset.revocable,
        "total_count": asset.total_count,
        "assigned_count": asset.assigned_count,
        "available_count": asset.available_count,
        "retired_count": asset.retired_count,
        "gone_at": None,
    }


def facts_of_title(title: LicensedApp) -> dict[str, object]:
    return {
        "product_type": title.product_type,
        "platforms": sorted(title.platforms),
        "device_assignable": title.device_assignable,
        "revocable": title.revocable,
        "total_count": title.total_count,
        "assigned_count": title.assigned_count,
        "available_count": title.available_count,
        "retired_count": title.retired_count,
        "gone_at": title.gone_at,
    }


RETIRED = ("Retired", "Deleted")


def one_record_each(users: Iterable[ClientUser]) -> dict[str, ClientUser]:
    """Apple may hold several records of one clientUserId, at most one of them active: that one."""
    chosen: dict[str, ClientUser] = {}
    for user in users:
        known = chosen.get(user.client_user_id)
        if known is None or known.status in RETIRED:
            chosen[user.client_user_id] = user
    return chosen


class Sized(Protocol):
    @property
    def assigned_count(self) -> int: ...


T = TypeVar("T", bound=Sized)


def plan_slices(titles: Sequence[T], sizes: Sequence[int], *, largest: int) -> Iterator[list[T]]:
    """Titles in groups that hold about `largest` rows, so that memory and locks stay small.

    A title is never divided: whether one of its holders is gone is decided in one piece.
    """
    group: list[T] = []
    rows = 0
    for title, size in zip(titles, sizes, strict=True):
        weight = max(size, title.assigned_count, 1)
        if group and rows + weight > largest:
            yield group
            group, rows = [], 0
        group.append(title)
        rows += weight
    if group:
        yield group


@dataclass(frozen=True, slots=True)
class WalkPlan:
    walk: list[int]  # the titles to read again, the cheapest first
    left: list[int]
    requests: int


def plan_walks(costs: Mapping[int, int], *, most: int) -> WalkPlan:
    """As many titles as `most` requests are enough for."""
    walk: list[int] = []
    requests = 0
    for title, cost in sorted(costs.items(), key=lambda item: (item[1], item[0])):
        if requests + cost > most:
            break
        walk.append(title)
        requests += cost
    return WalkPlan(walk, sorted(costs.keys() - walk), requests)


QUICK = 120  # seconds: a whole sync that takes less may come every hour
NIGHT = range(1, 5)  # the hours in which a longer one disturbs nobody


def is_due_in_full(
    *,
    asked: bool,
    versions: Iterable[str],
    since_last: timedelta | None,
    seconds_of_last: int | None,
    hour: int,
) -> bool:
    """Whether to walk all lists from end to end, which also shows what no delta tells."""
    if asked or not all(versions) or since_last is None:
        return True
    if seconds_of_last is not None and seconds_of_last < QUICK:
        return since_last >= timedelta(hours=1)
    is_night = hour in NIGHT and since_last >= timedelta(hours=20)
    return is_night or since_last >= timedelta(hours=36)


def plan_retry(*, failing: timedelta, asked: timedelta) -> timedelta:
    """Seldomer the longer it fails, from five minutes to an hour; never sooner than Apple asked."""
    patience = max(timedelta(minutes=5), min(timedelta(hours=1), failing / 2))
    return max(patience, asked)
