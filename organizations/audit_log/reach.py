"""How far back a question goes in a log of millions: days become ids, and a search has an end.

The ids of events grow with time, and the log is read by id. So a range of days is found by two
looks into the index by time, and whatever no index knows is looked for among the newest events only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from organizations.models import AuditEvent
from organizations.models.audit import AuditEventQuerySet

SEARCHED = 100_000
# An event gets its moment before its id, by less than this: one transaction of ours takes less.
SKEW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Reach:
    """Which events are looked through. `since` is set where older ones are left out."""

    after: int | None = None
    before: int | None = None
    since: datetime | None = None

    def of(self, events: AuditEventQuerySet) -> AuditEventQuerySet:
        if self.after is not None:
            events = events.filter(pk__gt=self.after)
        return events if self.before is None else events.filter(pk__lt=self.before)


def reach_of_days(
    organization_id: int, begin: datetime | None = None, end: datetime | None = None
) -> Reach:
    """For a filter by these moments beside it: an event outside of the reach is outside of them."""
    events = AuditEvent.objects.filter(organization=organization_id)
    earlier, later = _moved(begin, -SKEW), _moved(end, SKEW)
    return Reach(
        after=_first(events.filter(at__lt=earlier).order_by("-at")) if earlier else None,
        before=_first(events.filter(at__gt=later).order_by("at")) if later else None,
    )


def newest_of(events: AuditEventQuerySet, reach: Reach) -> Reach:
    """No more than the newest of an organization's events in this reach; an index knows them."""
    events = reach.of(events)
    # The id alone: an index tells it without the rows.
    beyond = _first(events.order_by("-pk")[SEARCHED : SEARCHED + 1])
    if beyond is None:
        return reach
    since = AuditEvent.objects.values_list("at", flat=True).get(pk=beyond)
    return Reach(after=beyond, before=reach.before, since=since)


def _moved(moment: datetime | None, by: timedelta) -> datetime | None:
    try:
        return moment and moment + by
    except OverflowError:  # the first or the last day of the calendar: no bound at all
        return None


def _first(events: AuditEventQuerySet) -> int | None:
    return next(iter(events.values_list("pk", flat=True)[:1]), None)
