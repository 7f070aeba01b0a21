"""Which devices something is for: an operator and tags, as in Meraki.

A device has the tags given to it, those of its owner, and automatic ones. `Scope.matches` is the
rule; `devices_in` says the same to the database for one scope, and licensing/automation evaluates
thousands of scopes at once. A test holds the three together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import BigIntegerField, F, Q, Value
from django.db.models.functions import Coalesce

from organizations import automatic_tags
from organizations.models.inventory import DeviceQuerySet, Tag
from organizations.refusals import Refusal

T = TypeVar("T")
NAMED = 5


class ScopeWithoutTags(Refusal):
    code = "scope_without_tags"
    field = "scope_tags"

    def __init__(self) -> None:
        super().__init__(
            "This scope names devices by their tags: choose at least one tag, or another scope."
        )


class TagUnknown(Refusal):
    code = "tag_unknown"
    field = "scope_tags"

    def __init__(self, names: Sequence[str]) -> None:
        told = ", ".join(f"“{name}”" for name in names[:NAMED])
        super().__init__(f"This organization has no tag {told}. Choose one of Configure > Tags.")


class Operator(models.TextChoices):
    """Meraki's values; the words say what each means (pages reference 6.5)."""

    ALL = "all", "All devices"
    NONE = "none", "No devices"
    WITH_ANY = "withAny", "Devices with any of these tags"
    WITH_ALL = "withAll", "Devices with all of these tags"
    WITHOUT_ANY = "withoutAny", "Devices without any of these tags"
    WITHOUT_ALL = "withoutAll", "Devices that lack at least one of these tags"

    @property
    def takes_tags(self) -> bool:
        return self not in (Operator.ALL, Operator.NONE)


@dataclass(frozen=True, slots=True)
class Scope:
    operator: Operator
    tag_ids: tuple[int, ...] = ()

    def matches(self, tags: Set[int]) -> bool:
        """Whether a device with these tags is in it; without tags an operator that takes some is
        in nobody's favour."""
        return bool(
            self.decide([tag in tags for tag in self.tag_ids], everything=True, nothing=False)
        )

    def decide(self, has: Sequence[T], *, everything: T, nothing: T) -> T:
        """The rule over anything that knows `&`, `|` and `^` with `everything`: truths, sets of
        bits. `has`: for each tag who has it.
        """
        if self.operator == Operator.ALL:
            return everything
        if self.operator == Operator.NONE or not has:
            return nothing
        any_of = self.operator in (Operator.WITH_ANY, Operator.WITHOUT_ANY)
        found: Any = reduce(or_ if any_of else and_, has)
        negated = self.operator in (Operator.WITHOUT_ANY, Operator.WITHOUT_ALL)
        result: T = found ^ everything if negated else found
        return result

    def sentence(self, names: Mapping[int, str]) -> str:
        """“Devices with any of these tags: cart, grade-3”."""
        if not self.operator.takes_tags:
            return str(self.operator.label)
        told = ", ".join(names.get(tag, "a deleted tag") for tag in self.tag_ids)
        return f"{self.operator.label}: {told or 'none chosen, so no devices'}"


def checked_scope(scope: Scope, organization_id: int) -> Scope:
    """As it is kept: each tag once, and every one of them is the organization's."""
    if not scope.operator.takes_tags:
        return Scope(scope.operator)
    tag_ids = tuple(dict.fromkeys(scope.tag_ids))
    if not tag_ids:
        raise ScopeWithoutTags
    known = Tag.objects.filter(organization=organization_id).in_bulk(tag_ids)
    if missing := [pk for pk in tag_ids if pk not in known]:
        raise TagUnknown([str(pk) for pk in missing])
    return Scope(scope.operator, tag_ids)


def without(scope: Scope, tag_ids: Collection[int]) -> Scope:
    """What is left of it: one whose last tag goes names no device, whatever its operator."""
    return Scope(scope.operator, tuple(tag for tag in scope.tag_ids if tag not in tag_ids))


def devices_in(devices: DeviceQuerySet, scope: Scope, organization_id: int) -> DeviceQuerySet:
    """Those of the devices that the scope names."""
    if scope.operator == Operator.ALL:
        return devices
    if scope.operator == Operator.NONE or not scope.tag_ids:
        return devices.none()
    automatic = automatic_tags.ids_of(organization_id)
    conditions = [
        automatic[tag].condition if tag in automatic else _has(tag) for tag in scope.tag_ids
    ]
    any_of = scope.operator in (Operator.WITH_ANY, Operator.WITHOUT_ANY)
    rule: Q = reduce(or_ if any_of else and_, conditions)
    negated = scope.operator in (Operator.WITHOUT_ANY, Operator.WITHOUT_ALL)
    # Never null, or a device without an owner would be in no negation.
    devices = devices.alias(
        owner_tag_ids=Coalesce(
            F("owner__tag_ids"), Value([], output_field=ArrayField(BigIntegerField()))
        )
    )
    return devices.exclude(rule) if negated else devices.filter(rule)


def _has(tag: int) -> Q:
    return Q(tag_ids__contains=[tag]) | Q(owner_tag_ids__contains=[tag])
