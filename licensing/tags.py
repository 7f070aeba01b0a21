"""What tags are for: who has them, which apps are scoped by them, and what ends with one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from django.db.models import Count, QuerySet

from apps_catalog.models import ManagedApp
from apps_catalog.scopes import apps_with
from licensing.automation.preview import Draft, Preview, preview
from organizations import automatic_tags
from organizations.bulk import returned
from organizations.models import Device, Membership, Owner, Tag
from organizations.scopes import Scope, without

MOST_FORESEEN = 20  # apps whose devices and licenses are counted before a tag is deleted


@dataclass(slots=True)
class Use:
    """One tag. `inherited`: devices that have it only from their owner."""

    devices: int = 0
    inherited: int = 0
    owners: int = 0
    apps: list[ManagedApp] = field(default_factory=list)

    @property
    def in_all(self) -> int:
        return self.devices + self.inherited


def uses_of(tags: Sequence[Tag], membership: Membership) -> dict[int, Use]:
    """By the tag's id, as far as this admin sees devices, people and apps; five statements."""
    uses: defaultdict[int, Use] = defaultdict(Use, {tag.pk: Use() for tag in tags})
    given = [tag.pk for tag in tags if tag.kind != Tag.Kind.AUTOMATIC]
    if given:
        _count_given(given, membership, uses)
    if len(given) < len(tags):
        _count_automatic(membership, uses)
    for app in apps_of(tags, membership):
        for tag in app.scope_tag_ids:
            uses[tag].apps.append(app)
    return {tag.pk: uses[tag.pk] for tag in tags}


def apps_of(tags: Iterable[Tag], membership: Membership) -> QuerySet[ManagedApp, ManagedApp]:
    """Those whose scope names one of the tags."""
    named = apps_with(ManagedApp.objects.visible_to(membership), [tag.pk for tag in tags])
    return named.select_related("app", "network").order_by("app__name", "network__name", "pk")


def _count_given(tag_ids: list[int], membership: Membership, uses: defaultdict[int, Use]) -> None:
    networks = None
    if not membership.sees_organization:
        networks = list(membership.network_accesses.values_list("network", flat=True))
    parameters = {
        "organization": membership.organization_id,
        "tags": tag_ids,
        "everywhere": networks is None,
        "networks": networks or [],
    }
    for tag, count in returned(_OWN, parameters):
        uses[tag].devices = count
    for tag, count in returned(_INHERITED, parameters):
        uses[tag].inherited = count
    for tag, count in returned(_OF_OWNERS, parameters) if membership.sees_organization else ():
        uses[tag].owners = count


DEVICES, OWNERS = Device._meta.db_table, Owner._meta.db_table
_HERE = """
    device.organization_id = %(organization)s
    AND (%(everywhere)s OR device.network_id = ANY(%(networks)s))
"""
_OWN = f"""
    SELECT tag, count(*) FROM {DEVICES} AS device CROSS JOIN LATERAL unnest(device.tag_ids) AS tag
    WHERE {_HERE} AND tag = ANY(%(tags)s) GROUP BY tag
"""  # noqa: S608  table names are the models'
# Joined as a whole: looked up one by one, two hundred thousand devices take minutes.
_INHERITED = f"""
    WITH owner AS MATERIALIZED (
        SELECT id, tag_ids FROM {OWNERS}
        WHERE organization_id = %(organization)s AND tag_ids && %(tags)s::bigint[]
    ), device AS MATERIALIZED (
        SELECT owner_id, tag_ids FROM {DEVICES} AS device WHERE {_HERE} AND owner_id IS NOT NULL
    )
    SELECT tag, count(*) FROM device JOIN owner ON owner.id = device.owner_id
    CROSS JOIN LATERAL unnest(owner.tag_ids) AS tag
    WHERE tag = ANY(%(tags)s) AND tag <> ALL(device.tag_ids) GROUP BY tag
"""  # noqa: S608
_OF_OWNERS = f"""
    SELECT tag, count(*) FROM {OWNERS} CROSS JOIN LATERAL unnest(tag_ids) AS tag
    WHERE organization_id = %(organization)s AND tag = ANY(%(tags)s) GROUP BY tag
"""  # noqa: S608


def _count_automatic(membership: Membership, uses: defaultdict[int, Use]) -> None:
    conditions = automatic_tags.ids_of(membership.organization_id)
    counts = Device.objects.visible_to(membership).aggregate(
        **{f"tag{pk}": Count("pk", filter=tag.condition) for pk, tag in conditions.items()}
    )
    for pk in conditions:
        uses[pk].devices = counts[f"tag{pk}"]


# --- What ends with a tag ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Loss:
    """One app that loses tags from its scope, and what that leads to."""

    app: ManagedApp
    left: Scope
    foreseen: Preview

    @property
    def joining(self) -> int:
        """Devices that come into the scope: one of those that it excluded them by is gone."""
        stay = self.app.in_scope - self.foreseen.leaving
        return max(0, self.foreseen.devices - stay) if self.app.counted_at else 0

    @property
    def sentence(self) -> str:
        app, foreseen = self.app, self.foreseen
        last = "" if self.left.tag_ids else ", which then names no device"
        told = [_leaving(foreseen, last), _joining(self.joining), *_licenses(app, foreseen)]
        return f"{app} in {app.network}: {'; '.join(filter(None, told))}."


@dataclass(frozen=True, slots=True)
class Losses:
    """App by app, and how many more apps there are, of which nothing was counted."""

    apps: Sequence[Loss]
    more: int


def losses_of(tags: Sequence[Tag], membership: Membership) -> Losses:
    apps = list(apps_of(tags, membership))
    gone = {tag.pk for tag in tags}
    counted = [_loss(app, gone, membership) for app in apps[:MOST_FORESEEN]]
    return Losses(counted, len(apps) - len(counted))


def _loss(app: ManagedApp, gone: Collection[int], membership: Membership) -> Loss:
    left = without(app.scope, gone)
    return Loss(app, left, preview(replace(Draft.of(app), scope=left), membership))


def deletion_sentences(tags: Sequence[Tag], membership: Membership) -> list[str]:
    """Which devices leave scopes or come into them, and what becomes of licenses."""
    losses = losses_of(tags, membership)
    told = [loss.sentence for loss in losses.apps]
    more = losses.more
    return [*told, f"{more:,} more apps lose it from their scope."] if more else told


def _leaving(foreseen: Preview, last: str) -> str:
    if not foreseen.leaving:
        return f"no device leaves its scope{last}"
    return f"{_devices(foreseen.leaving)} its scope{last}"


def _devices(count: int) -> str:
    return f"{count:,} device{' leaves' if count == 1 else 's leave'}"


def _joining(come: int) -> str:
    return f"{come:,} device{' comes' if come == 1 else 's come'} into it" if come else ""


def _licenses(app: ManagedApp, foreseen: Preview) -> list[str]:
    freed, kept = foreseen.will_revoke, foreseen.kept_by_hand
    days = app.grace_days
    when = f"after {days} day{'' if days == 1 else 's'}" if days else "at once"
    told = []
    if freed:
        told.append(f"{_licenses_are(freed)} freed {when}")
    if freed and foreseen.needs_decision:
        told.append("since those are many, somebody is asked first")
    if kept:
        stay = "license stays" if kept == 1 else "licenses stay"
        told.append(f"{kept:,} {stay} because a person granted {'it' if kept == 1 else 'them'}")
    if foreseen.leaving and not freed and app.needs_license and not app.revokes_automatically:
        told.append("licenses stay, because the app does not revoke from those out of scope")
    return told


def _licenses_are(count: int) -> str:
    return f"{count:,} license{' is' if count == 1 else 's are'}"
