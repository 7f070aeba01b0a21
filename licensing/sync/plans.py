"""What a sync decides, on plain values: no database, no Apple."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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


def plan_assets(seen: Iterable[Asset], held: Mapping[TitleKey, LicensedApp]) -> AssetPlan:
    by_key = {(asset.adam_id, asset.pricing_param): asset for asset in seen}
    return AssetPlan(
        create=[asset for key, asset in by_key.items() if key not in held],
        change=[
            (held[key], asset)
            for key, asset in by_key.items()
            if key in held and facts_of_title(held[key]) != facts_of_asset(asset)
        ],
        missing=[
            title for key, title in held.items() if key not in by_key and title.gone_at is None
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


def is_due_in_full(
    *, asked: bool, versions: Iterable[str], hours_since: float | None, every: int
) -> bool:
    """Whether to walk all pages even where Apple's version is the one we know."""
    return asked or not all(versions) or hours_since is None or hours_since >= every
