"""Which requests carry which items: few and large, as Apple asks. Pure: plain values in and out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from licensing.batches.plans import TitleKey
from vpp_accounts.apple.chunks import ManageAssets, RevokeAssets, cross_products
from vpp_accounts.apple.types import Assignment, Limits

GRANT, REVOKE = "grant", "revoke"
REGISTER, UPDATE, RETIRE = "register", "update", "retire"


class Planned(NamedTuple):
    """An item to be sent. `key` is None where a person and no title is meant.

    `takes_all`: nothing revocable would be left to the holder, and nothing is meant to be.
    """

    id: int
    kind: str
    key: TitleKey | None
    holder: str
    is_device: bool
    caution: int = 0
    takes_all: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One request and the items it carries out. Those about people name them by id alone."""

    path: str
    work: ManageAssets | RevokeAssets | None
    holders: tuple[str, ...]
    assets: int
    item_ids: tuple[int, ...]

    @property
    def tasks(self) -> int:
        return len(self.item_ids)

    @property
    def is_about_people(self) -> bool:
        """Whether it says or ends something of client users, and not what they hold."""
        return self.work is None


PATHS = {
    GRANT: "assets/associate",
    REVOKE: "assets/disassociate",
    REGISTER: "users/create",
    UPDATE: "users/update",
    RETIRE: "users/retire",
}
REVOKE_ALL = "assets/revoke"


def plan_calls(items: Sequence[Planned], limits: Limits) -> list[Call]:
    """The items as requests within the limits; together they carry each of them exactly once."""
    groups: defaultdict[tuple[str, bool, int], list[Planned]] = defaultdict(list)
    for item in items:
        groups[item.kind, item.is_device, item.caution].append(item)
    calls: list[Call] = []
    for (kind, is_device, caution), group in groups.items():
        allowed = cautious(limits, caution)
        if kind in (REGISTER, UPDATE, RETIRE):
            calls += _calls_for_people(kind, group, allowed)
        elif kind == REVOKE:
            calls += _revokes(group, allowed, is_device=is_device)
        else:
            calls += _products(PATHS[kind], group, allowed, is_device=is_device)
    return calls


def cautious(limits: Limits, caution: int) -> Limits:
    """After a refusal that Apple did not explain: one title at a time, and ever fewer holders."""
    if not caution:
        return limits
    part = 8**caution
    return replace(
        limits,
        max_assets=1,
        max_client_user_ids=max(1, limits.max_client_user_ids // part),
        max_serial_numbers=max(1, limits.max_serial_numbers // part),
        max_revoke_client_user_ids=max(1, limits.max_revoke_client_user_ids // part),
        max_revoke_serial_numbers=max(1, limits.max_revoke_serial_numbers // part),
        max_users=max(1, limits.max_users // part),
    )


def _calls_for_people(kind: str, items: Sequence[Planned], limits: Limits) -> Iterator[Call]:
    for start in range(0, len(items), limits.max_users):
        part = items[start : start + limits.max_users]
        holders = tuple(item.holder for item in part)
        yield Call(PATHS[kind], None, holders, 0, tuple(item.id for item in part))


def _revokes(items: Sequence[Planned], limits: Limits, *, is_device: bool) -> list[Call]:
    """What leaves a holder nothing may go by `revoke`, where that takes fewer requests."""
    # A refused `revoke` of one holder cannot be made smaller, title by title it can.
    whole = [item for item in items if item.takes_all and not item.caution]
    part = [item for item in items if not item.takes_all or item.caution]
    by_title = _products(PATHS[REVOKE], whole, limits, is_device=is_device)
    by_holder = _whole_holders(whole, limits, is_device=is_device)
    rest = _products(PATHS[REVOKE], part, limits, is_device=is_device)
    return rest + min(by_title, by_holder, key=len)


def _products(
    path: str, items: Sequence[Planned], limits: Limits, *, is_device: bool
) -> list[Call]:
    ids = {(item.key, item.holder): item.id for item in items}
    calls = []
    for product in cross_products(_pairs(items, is_device=is_device)):
        for chunk in product.within(limits):
            holders = chunk.serial_numbers or chunk.client_user_ids
            carried = tuple(ids[key, holder] for holder in holders for key in chunk.assets)
            calls.append(Call(path, chunk, holders, len(chunk.assets), carried))
    return calls


def _pairs(items: Iterable[Planned], *, is_device: bool) -> Iterator[Assignment]:
    for item in items:
        adam_id, pricing_param = item.key or ("", "")
        user, serial = (None, item.holder) if is_device else (item.holder, None)
        yield Assignment(adam_id, pricing_param, user, serial)


def _whole_holders(items: Sequence[Planned], limits: Limits, *, is_device: bool) -> list[Call]:
    of_holder: defaultdict[str, list[int]] = defaultdict(list)
    for item in items:
        of_holder[item.holder].append(item.id)
    everyone = tuple(of_holder)
    work = (
        RevokeAssets(serial_numbers=everyone)
        if is_device
        else RevokeAssets(client_user_ids=everyone)
    )
    calls = []
    for chunk in work.within(limits):
        holders = chunk.serial_numbers or chunk.client_user_ids
        carried = tuple(item_id for holder in holders for item_id in of_holder[holder])
        calls.append(Call(REVOKE_ALL, chunk, holders, 0, carried))
    return calls
