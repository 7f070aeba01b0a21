"""Tags that devices have by themselves, from what is known of them. Nobody gives or takes them."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Q

from organizations import bulk
from organizations.models import Device, Organization, Platform, Tag

IOS = frozenset({Platform.IOS.value, Platform.IPADOS.value})


class Traits(NamedTuple):
    """What automatic tags depend on."""

    platform: str
    supervised: bool
    enrollment: str
    has_owner: bool


@dataclass(frozen=True, slots=True)
class AutomaticTag:
    """Each given field has to be among its values."""

    name: str
    platforms: Set[str] = frozenset()
    supervised: bool | None = None
    enrollments: Set[str] = frozenset()
    has_owner: bool | None = None

    def fits(self, traits: Traits) -> bool:
        return (
            (not self.platforms or traits.platform in self.platforms)
            and self.supervised in (None, traits.supervised)
            and (not self.enrollments or traits.enrollment in self.enrollments)
            and self.has_owner in (None, traits.has_owner)
        )

    @property
    def condition(self) -> Q:
        """The same, for the database."""
        rule = Q()
        if self.platforms:
            rule &= Q(platform__in=sorted(self.platforms))
        if self.supervised is not None:
            rule &= Q(supervised=self.supervised)
        if self.enrollments:
            rule &= Q(enrollment__in=sorted(self.enrollments))
        if self.has_owner is not None:
            rule &= Q(owner__isnull=not self.has_owner)
        return rule

    @property
    def words(self) -> str:
        """“iOS or iPadOS”, “supervised”: which devices have it."""
        told = [" or ".join(sorted(self.platforms))]
        if self.supervised is not None:
            told.append("supervised" if self.supervised else "not supervised")
        told += [str(Device.Enrollment(value).label) for value in sorted(self.enrollments)]
        if self.has_owner is not None:
            told.append("with an owner" if self.has_owner else "without an owner")
        return ", ".join(filter(None, told))


AUTOMATIC: Mapping[str, AutomaticTag] = {
    tag.name: tag
    for tag in (
        AutomaticTag("ios-devices", platforms=IOS),
        AutomaticTag("iphones", platforms=frozenset({Platform.IOS.value})),
        AutomaticTag("ipads", platforms=frozenset({Platform.IPADOS.value})),
        AutomaticTag("mac-devices", platforms=frozenset({Platform.MACOS.value})),
        AutomaticTag("tvos-devices", platforms=frozenset({Platform.TVOS.value})),
        AutomaticTag("watchos-devices", platforms=frozenset({Platform.WATCHOS.value})),
        AutomaticTag("visionos-devices", platforms=frozenset({Platform.VISIONOS.value})),
        AutomaticTag("supervised-devices", supervised=True),
        AutomaticTag("unsupervised-devices", supervised=False),
        AutomaticTag("user-enrollments", enrollments=frozenset({Device.Enrollment.USER.value})),
        AutomaticTag("devices-without-owner", has_owner=False),
    )
}


def ensure(organization: Organization) -> None:
    """The organization's rows of them, since scopes name tags by id; a word taken stays theirs."""
    bulk.execute(
        """
        INSERT INTO organizations_tag (organization_id, name, kind)
        SELECT %s, name, %s FROM unnest(%s::text[]) AS name
        ON CONFLICT DO NOTHING
        """,
        [organization.pk, Tag.Kind.AUTOMATIC, sorted(AUTOMATIC)],
    )


def ids_of(organization: Organization | int) -> dict[int, AutomaticTag]:
    """By the id of the organization's tag."""
    rows = Tag.objects.filter(organization=organization, kind=Tag.Kind.AUTOMATIC)
    return {pk: AUTOMATIC[name] for pk, name in rows.values_list("pk", "name") if name in AUTOMATIC}
