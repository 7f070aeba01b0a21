"""A title's counts per day as a chart: pure numbers in, coordinates of an SVG out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from licensing.models.apps import UNLIMITED

WIDTH, HEIGHT = 720, 200
LEFT, RIGHT, TOP, BOTTOM = 56, 8, 8, 24
GRID_LINES = 4
STEPS = (1, 2, 2.5, 5, 10)


class DayCount(Protocol):
    """One row of history: `licensing.models.LicenseCount`."""

    day: date
    total_count: int
    assigned_count: int
    available_count: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A label and its place in SVG user units."""

    label: str
    x: str
    y: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Two lines over days. Coordinates are text in SVG user units, y growing downwards.

    `total` is empty where any day was unlimited; a single day gives a dot and no line.
    """

    width: int
    height: int
    left: str
    right: str
    assigned: str
    area: str
    total: str
    last: Tick
    rows: list[Tick]
    days: list[Tick]
    summary: str

    @property
    def is_line(self) -> bool:
        return " " in self.assigned


def chart_of(counts: Iterable[DayCount]) -> Chart | None:
    """None without a single day."""
    days = sorted(counts, key=lambda count: count.day)
    if not days:
        return None
    limited = all(count.total_count < UNLIMITED for count in days)
    assigned = [count.assigned_count for count in days]
    totals = [count.total_count for count in days] if limited else []
    top, step = scale(max([*assigned, *totals, 1]))
    across = _Across(days[0].day, days[-1].day)
    points = [(across(count.day), _up(count.assigned_count, top)) for count in days]
    return Chart(
        width=WIDTH,
        height=HEIGHT,
        left=_number(LEFT),
        right=_number(WIDTH - RIGHT),
        assigned=_path(points),
        area=_path([*points, (points[-1][0], _up(0, top)), (points[0][0], _up(0, top))]),
        total=_path([(across(c.day), _up(c.total_count, top)) for c in days]) if limited else "",
        last=Tick("", *map(_number, points[-1])),
        rows=[_row(step * number, top) for number in range(int(top / step) + 1)],
        days=_day_ticks(days[0].day, days[-1].day, across),
        summary=summary_of(days[0], days[-1], limited=limited),
    )


def scale(highest: int) -> tuple[int, int]:
    """The axis' end and the step between its lines, in round whole numbers."""
    size = 1
    while True:
        for factor in STEPS:
            step = int(size * factor)
            if step == size * factor and step * GRID_LINES >= highest:
                return step * -(-highest // step), step
        size *= 10


def summary_of(first: DayCount, last: DayCount, *, limited: bool) -> str:
    """The chart in one sentence, for those who do not see it."""
    of = f" of {last.total_count:,}" if limited else ", unlimited"
    now = f"{last.assigned_count:,}{of} assigned on {_in_words(last.day)}"
    if first.day == last.day:
        return f"{now}."
    return f"{now}; {first.assigned_count:,} on {_in_words(first.day)}."


class _Across:
    """Days → x, to scale, so that a day without a sync leaves its gap."""

    def __init__(self, first: date, last: date) -> None:
        self.first = first
        self.span = max((last - first).days, 1)
        self.single = first == last

    def __call__(self, day: date) -> float:
        share = 1.0 if self.single else (day - self.first).days / self.span
        return LEFT + share * (WIDTH - LEFT - RIGHT)


def _up(count: int, top: int) -> float:
    return TOP + (1 - max(count, 0) / top) * (HEIGHT - TOP - BOTTOM)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _row(count: int, top: int) -> Tick:
    return Tick(f"{count:,}", _number(LEFT - 8), _number(_up(count, top)))


def _day_ticks(first: date, last: date, across: _Across) -> list[Tick]:
    y = _number(HEIGHT - 6)
    days = [last] if first == last else [first, last]
    return [Tick(_in_words(day), _number(across(day)), y) for day in days]


def _in_words(day: date) -> str:
    return f"{day.day} {day:%b %Y}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
