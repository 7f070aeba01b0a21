"""What admins do with target groups: scopes with a name, of one network."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from organizations import audit, automatic_tags, tags
from organizations.audit import Actor
from organizations.automatic_tags import Traits
from organizations.models import AuditEvent, Device, Network, Organization, Tag, TargetGroup
from organizations.refusals import Conflict, Refusal
from organizations.scopes import Operator, Scope, checked_scope, without

LONGEST_NAME = 200


class TargetGroupNameWrong(Refusal):
    code = "target_group_name_wrong"
    field = "name"


class TargetGroupNameTaken(Conflict):
    code = "target_group_name_taken"
    field = "name"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"This network already has a target group “{name}”, in whatever case. Choose another"
            " name."
        )


class TargetGroupGone(Conflict):
    code = "target_group_gone"

    def __init__(self) -> None:
        super().__init__("Somebody has deleted this target group meanwhile. Load the list again.")


@dataclass(frozen=True, slots=True)
class TargetGroupDetails:
    name: str
    scope: Scope = field(default_factory=lambda: Scope(Operator.NONE))

    @classmethod
    def of(cls, group: TargetGroup) -> TargetGroupDetails:
        return cls(name=group.name, scope=scope_of(group))


def scope_of(group: TargetGroup) -> Scope:
    return Scope(Operator(group.operator), tuple(group.tag_ids))


@transaction.atomic
def add_target_group(*, by: Actor, network: Network, details: TargetGroupDetails) -> TargetGroup:
    group = TargetGroup(organization=network.organization, network=network)
    after = _assign(group, details)
    _save(group)
    audit.record(
        "target_group.added", by=by, organization=group.organization, target=group, after=after
    )
    return group


@transaction.atomic
def edit_target_group(*, by: Actor, group: TargetGroup, details: TargetGroupDetails) -> TargetGroup:
    tags.hold(group.organization_id, details.scope.tag_ids)
    group = _locked(group)
    before = _facts(group)
    after = _assign(group, details)
    changed = [name for name in after if after[name] != before[name]]
    if changed:
        _save(group)
        audit.record(
            "target_group.changed",
            by=by,
            organization=group.organization,
            target=group,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
    return group


@transaction.atomic
def delete_target_group(*, by: Actor, group: TargetGroup) -> None:
    group = _locked(group)
    audit.record(
        "target_group.deleted",
        by=by,
        organization=group.organization,
        target=group,
        before=_facts(group),
    )
    group.delete()


def take_tags_off(
    sender: Any, *, organization: Organization, tags: Collection[Tag], by: Actor, **kwargs: Any
) -> None:
    """Tags are about to be deleted. A group whose last tag goes names no device."""
    gone = {tag.pk for tag in tags}
    ours = TargetGroup.objects.filter(organization=organization, tag_ids__overlap=list(gone))
    groups = list(ours.select_for_update(of=("self",)).order_by("pk"))
    names = tag_names(groups)
    events = [_lose(organization, group, gone, names, by) for group in groups]
    TargetGroup.objects.bulk_update(groups, ["tag_ids"], batch_size=500)
    AuditEvent.objects.bulk_create(events)


def tag_names(groups: Iterable[TargetGroup]) -> dict[int, str]:
    """Of all tags that these groups name."""
    ids = {tag for group in groups for tag in group.tag_ids}
    return dict(Tag.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}


# --- Whom they name ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Targets:
    device_ids: list[int]
    owner_ids: list[int]


def targets_of(network: Network, groups: Sequence[TargetGroup]) -> dict[int, Targets]:
    """The devices of each group, and their owners: in two statements, however many groups."""
    owners, carriers = _inventory(network, {tag for group in groups for tag in group.tag_ids})
    everything = frozenset(owners)
    found = {}
    for group in groups:
        scope = scope_of(group)
        has = [frozenset(carriers[tag]) for tag in scope.tag_ids]
        devices = scope.decide(has, everything=everything, nothing=frozenset())
        people = {owner for device in devices if (owner := owners[device])}
        found[group.pk] = Targets(sorted(devices), sorted(people))
    return found


def _inventory(
    network: Network, tag_ids: Collection[int]
) -> tuple[dict[int, int | None], dict[int, set[int]]]:
    """The owner of each device of the network; for each of the tags, the devices that have it."""
    automatic = automatic_tags.ids_of(network.organization_id)
    by_itself = {tag: automatic[tag] for tag in tag_ids if tag in automatic}
    owners: dict[int, int | None] = {}
    carriers: dict[int, set[int]] = {tag: set() for tag in tag_ids}
    rows = Device.objects.filter(network=network).values_list(
        "pk", "owner_id", "tag_ids", F("owner__tag_ids"), "platform", "supervised", "enrollment"
    )
    for pk, owner, own, inherited, platform, supervised, enrollment in rows.iterator(5000):
        owners[pk] = owner
        traits = Traits(platform, supervised, enrollment, owner is not None)
        fitting = {tag for tag, rule in by_itself.items() if rule.fits(traits)}
        for tag in ({*own, *(inherited or ())} & carriers.keys()) | fitting:
            carriers[tag].add(pk)
    return owners, carriers


# --- How it is kept ---------------------------------------------------------------------------------


def _locked(group: TargetGroup) -> TargetGroup:
    rows = TargetGroup.objects.select_for_update(of=("self",)).select_related("organization")
    found = rows.filter(pk=group.pk).first()
    if found is None:
        raise TargetGroupGone
    return found


def _assign(group: TargetGroup, details: TargetGroupDetails) -> dict[str, Any]:
    """Answers what is so then. A scope whose last tag was deleted may stay while the name changes."""
    scope = details.scope
    if group.pk is None or scope != scope_of(group):
        tags.hold(group.organization_id, scope.tag_ids)
        scope = checked_scope(scope, group.organization_id)
    group.name = _checked_name(details.name)
    group.operator, group.tag_ids = scope.operator.value, list(scope.tag_ids)
    return _facts(group)


def _facts(group: TargetGroup) -> dict[str, Any]:
    return {"name": group.name, "scope": scope_of(group).sentence(tag_names([group]))}


def _checked_name(text: str) -> str:
    name = " ".join(text.split())
    if not name:
        raise TargetGroupNameWrong("A target group needs a name. Give it one.")
    if len(name) > LONGEST_NAME:
        raise TargetGroupNameWrong(f"This name is longer than {LONGEST_NAME} characters.")
    return name


def _save(group: TargetGroup) -> None:
    try:
        with transaction.atomic():
            group.save()
    except IntegrityError as error:
        raise TargetGroupNameTaken(group.name) from error


def _lose(
    organization: Organization,
    group: TargetGroup,
    gone: Collection[int],
    names: Mapping[int, str],
    by: Actor,
) -> AuditEvent:
    event = audit.event_of("target_group.changed", by, organization, group)
    event.before = {"scope": scope_of(group).sentence(names)}
    group.tag_ids = list(without(scope_of(group), gone).tag_ids)
    event.after = {"scope": scope_of(group).sentence(names)}
    return event
