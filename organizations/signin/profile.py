"""What an admin says about themselves, and what their organizations ask of them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from organizations import lookups, tenancy
from organizations.models import Admin, Membership
from organizations.signin import journal


@dataclass(frozen=True, slots=True)
class Rule:
    """One organization of an admin, and how it wants them to sign in."""

    organization: str
    access: str
    second_factor: bool
    single_sign_on: bool


def rules_of(admin: Admin, only: int | None = None) -> list[Rule]:
    """By name; of a session that is limited to one organization, that one."""
    found = lookups.accepted_memberships_of.all(admin.pk)
    ids = [each.organization_id for each in found if only in (None, each.organization_id)]
    with tenancy.among(ids):
        ours = Membership.objects.of(admin).filter(organization__in=ids)
        return [rule_of(each) for each in ours.order_by("organization__name", "pk")]


def rule_of(membership: Membership) -> Rule:
    organization = membership.organization
    return Rule(
        organization=organization.name,
        access=membership.get_access_display(),
        second_factor=organization.requires_second_factor,
        single_sign_on=organization.requires_single_sign_on
        and not membership.may_skip_single_sign_on,
    )


@transaction.atomic
def rename(admin: Admin, name: str) -> None:
    name, before = " ".join(name.split()), admin.name
    if name == before:
        return
    admin.name = name
    admin.save(update_fields=["name"])
    # Not under "name", which a target says anyway.
    journal.record_everywhere(
        "admin.renamed", admin=admin, before={"calledName": before}, after={"calledName": name}
    )
