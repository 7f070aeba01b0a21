"""Which licenses are asked for, from which account, and which are not wanted any more: pure.

It looks at what is so, and not at what has changed, so it may be asked any number of times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from licensing.automation.choosing import Stock
from licensing.automation.known import Known, Open, Row
from licensing.automation.sources import Source


@dataclass(slots=True)
class Asking:
    """`grants`: by title, who gets one or waits for it, in this order. `moved` and `off`: items that
    are cancelled, since another account has a license, or since nobody wants it any more."""

    grants: defaultdict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    moved: list[int] = field(default_factory=list)
    off: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.grants or self.moved or self.off)


def plan_asking(rows: Iterable[Row], known: Known) -> Asking:
    """In the order of the rows; who waits already goes before who is new."""
    asking = Asking()
    if known.aims.is_paused:
        return asking
    rows = list(rows)
    meant = [row for row in rows if known.is_meant(row)]
    wanted = {name for row in meant for name in row.names}
    for row in rows:
        item = known.open_of(row)
        if item and _is_to_be_called_off(row, item, is_wanted=not wanted.isdisjoint(row.names)):
            asking.off.append(item.item_id)
    stock = Stock(known.supply.sources)
    served: set[str] = set()
    for row in sorted(meant, key=lambda row: _turn(row, known)):
        if served.isdisjoint(row.names):
            served.update(row.names)
            _serve(asking, row, known, stock)
    asking.off = list(dict.fromkeys(asking.off))
    return asking


def _is_to_be_called_off(row: Row, item: Open, *, is_wanted: bool) -> bool:
    """Of a rule's own, as far as Apple has not heard of it: a grant that nobody wants any more, and
    the revoke of whom it is wanted for again."""
    if not (item.is_ours and item.is_unsent):
        return False
    return not is_wanted if item.is_grant else row.is_wanted


def _turn(row: Row, known: Known) -> tuple[bool, int]:
    item = known.open_of(row)
    return (item is None, item.item_id if item else row.id)


def _serve(asking: Asking, row: Row, known: Known, stock: Stock) -> None:
    if known.licenses_of(row):
        return
    item, usable = known.open_of(row), known.usable(row)
    if item is not None:
        if item.is_grant and item.is_waiting and item.is_ours:
            _serve_elsewhere(asking, row, item, usable, stock)
    elif usable and known.obstacle(row) is None:
        source = stock.take_one(usable) or usable[0]
        _ask(asking, row, source)


def _serve_elsewhere(
    asking: Asking, row: Row, item: Open, usable: Sequence[Source], stock: Stock
) -> None:
    """Who waits at one account while another one of the app has licenses left; or at one that the app
    does not draw from any more."""
    others = [source for source in usable if source.title_id != item.title_id]
    source = stock.take_one(others)
    if source is None and others == list(usable):
        source = next(iter(others), None)
    if source:
        asking.moved.append(item.item_id)
        _ask(asking, row, source)


def _ask(asking: Asking, row: Row, source: Source) -> None:
    if source.title_id is not None:
        asking.grants[source.title_id].append(row.holder_in(source.account_id))
