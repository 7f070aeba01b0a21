"""The rows of a demo organization: networks, admins, owners, devices, tags."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from licensing.demo.blueprint import AdminPlan, DeviceGroup, OrganizationPlan
from organizations import audit, tenancy
from organizations.admins import inviting, letters
from organizations.admins.rights import AdminRights
from organizations.audit import Actor
from organizations.models import (
    Admin,
    Device,
    Membership,
    Network,
    NetworkAccess,
    Organization,
    Owner,
    Tag,
)

DEMO = Actor.system("Demo")
PASSWORD = "apples-and-books-42"  # noqa: S105  printed at the start of every demo

Ids = Mapping[str, int]


@transaction.atomic
def create_tenant(plan: OrganizationPlan) -> Organization:
    """All of it or nothing, so that a demo that was stopped can be started again."""
    organization = Organization.objects.create(
        pk=tenancy.current().organization, name=plan.name, time_zone=plan.time_zone
    )
    networks = _create_networks(organization, plan)
    for admin in plan.admins:
        _create_admin(organization, admin, networks)
    for number, admin in enumerate(plan.invited):
        _invite(organization, admin, networks, plan.admins[0], days_ago=9 * number)
    tags = _create_tags(organization, plan)
    owners = _create_owners(organization, plan, tags)
    Device.objects.bulk_create(_devices(organization, plan, networks, owners, tags))
    audit.record(
        "organization.created",
        by=DEMO,
        organization=organization,
        target=organization,
        after={"name": plan.name, "admin": plan.admins[0].email},
    )
    return organization


def _create_networks(organization: Organization, plan: OrganizationPlan) -> dict[str, Network]:
    rows = [
        Network(
            organization=organization,
            name=network.name,
            time_zone=plan.time_zone,
            tags=list(network.tags),
            notes=network.notes,
        )
        for network in plan.networks
    ]
    return {network.name: network for network in Network.objects.bulk_create(rows)}


def _create_admin(
    organization: Organization, plan: AdminPlan, networks: Mapping[str, Network]
) -> None:
    admin = Admin.objects.filter(email=plan.email).first() or Admin.objects.create_user(
        plan.email, PASSWORD, name=plan.name
    )
    membership = Membership.objects.create(
        organization=organization, admin=admin, access=plan.access
    )
    NetworkAccess.objects.bulk_create(
        NetworkAccess(organization=organization, membership=membership, network=networks[name])
        for name in plan.networks
    )


def _invite(
    organization: Organization,
    plan: AdminPlan,
    networks: Mapping[str, Network],
    by: AdminPlan,
    *,
    days_ago: int,
) -> None:
    rights = AdminRights(
        plan.access,
        networks={networks[name].pk: True for name in plan.networks},
        tags=dict.fromkeys(plan.network_tags, True),
    )
    membership = inviting.invite(
        by=Actor.of_admin(Admin.objects.get(email=by.email)),
        organization=organization,
        email=plan.email,
        name=plan.name,
        rights=rights,
    )
    then = timezone.now() - timedelta(days=days_ago)
    if days_ago:
        letters.give_up(membership)
        Membership.objects.filter(pk=membership.pk).update(invited_at=then, created_at=then)


def _create_tags(organization: Organization, plan: OrganizationPlan) -> Ids:
    of_owners = {tag for person in plan.people for tag in person.tags}
    of_devices = {tag for group in plan.device_groups for tag in group.tags}
    kinds = [(Tag.Kind.OWNER, of_owners), (Tag.Kind.DEVICE, of_devices)]
    rows = [
        Tag(organization=organization, name=name, kind=kind)
        for kind, names in kinds
        for name in sorted(names)
    ]
    return {tag.name: tag.pk for tag in Tag.objects.bulk_create(rows)}


def _create_owners(organization: Organization, plan: OrganizationPlan, tags: Ids) -> Ids:
    rows = [
        Owner(
            organization=organization,
            name=person.name,
            email=person.email,
            username=person.username,
            managed_apple_account=person.email,
            tag_ids=[tags[tag] for tag in person.tags],
        )
        for person in plan.people
    ]
    return {owner.name: owner.pk for owner in Owner.objects.bulk_create(rows)}


def _devices(
    organization: Organization,
    plan: OrganizationPlan,
    networks: Mapping[str, Network],
    owners: Ids,
    tags: Ids,
) -> Iterator[Device]:
    for group in plan.device_groups:
        seen = _last_seen(group, timezone.now())
        for (name, serial, owner), last_connected in zip(group.members(), seen, strict=False):
            yield Device(
                organization=organization,
                network=networks[group.network],
                owner_id=owners[owner] if owner else None,
                serial_number=serial,
                name=name,
                model=group.model,
                platform=group.platform,
                os_version=group.os_version,
                supervised=group.supervised,
                enrollment=group.enrollment,
                tag_ids=[tags[tag] for tag in group.tags],
                last_connected_at=last_connected,
            )


def _last_seen(group: DeviceGroup, now: datetime) -> Sequence[datetime]:
    """Most of them today; now and then one that lies in a drawer."""
    chance = random.Random(group.network + group.name)  # noqa: S311  no secret
    members = list(group.members())
    hours = [chance.choice((0.1, 0.5, 2, 5, 9, 26, 50, 24 * 40)) for _ in members]
    return [now - timedelta(hours=each * chance.uniform(0.6, 1.0)) for each in hours]
