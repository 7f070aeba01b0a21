"""Which devices something is for: an operator and tags, as in Meraki.

A device has the tags given to it, those of its owner, and automatic ones. `Scope.matches` is the
rule; `devices_in` says the same to the database for one scope, and licensing/automation evaluates
thousands of scopes at once. A test holds the three together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import BigIntegerField, F, Q, Value
from django.db.models.functions import Coalesce

from organizations import automatic_tags
from organizations.models.inventory import DeviceQuerySet

T = TypeVar("T")


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
