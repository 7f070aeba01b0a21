"""What admins do with the organization's people: add them, say more about them, delete them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from organizations import audit
from organizations.audit import Actor
from organizations.hooks import devices_changed
from organizations.models import Device, Organization, Owner, Tag
from organizations.tags import owner_tags
from users.models import VppUser
from users.refusals import (
    EmailNeeded,
    LanguageUnknown,
    OwnerGone,
    OwnerInUse,
    OwnerNameless,
)
from users.services import details as shared
from users.services.details import (
    PersonDetails,
    carry_over,
    checked,
    owners_with_apple_account,
    owners_with_email,
    write,
)
from users.states import RETIRED


@dataclass(frozen=True, slots=True)
class OwnerDetails(PersonDetails):
    """What is said about an owner; None says nothing, and `tags` replace those that they had."""

    tags: tuple[str, ...] | None = None
    language: str | None = None


@transaction.atomic
def add_owner(
    *,
    by: Actor,
    organization: Organization,
    details: OwnerDetails,
    source: Owner.Source = Owner.Source.PAGE,
) -> Owner:
    owner = Owner(organization=organization, source=source)
    _assign(by, owner, details)
    audit.record(
        "owner.added", by=by, organization=organization, target=owner, after=owner_facts(owner)
    )
    return owner


@transaction.atomic
def edit_owner(*, by: Actor, owner: Owner, details: OwnerDetails) -> Owner:
    """Their records in VPP accounts follow, and Apple is told of another address."""
    (owner,) = locked(owner)
    before = owner_facts(owner)
    _assign(by, owner, details)
    after = owner_facts(owner)
    carry_over(owner, before=before, by=by)
    if before.get("tags") != after.get("tags"):
        announce_devices(owner.organization, [owner.pk], cause="owner's tags")
    record_changes(action="owner.edited", by=by, owner=owner, before=before, after=after)
    return owner


def complete_owner(*, by: Actor, owner: Owner, details: OwnerDetails) -> Owner:
    """Say of somebody what nobody has said yet: fields that they have stay, tags come together."""
    lacking = {name: value for name, value in checked(details).items() if not getattr(owner, name)}
    tags = (*tag_names(owner), *(details.tags or ()))
    language = None if owner.language else details.language
    return edit_owner(
        by=by, owner=owner, details=OwnerDetails(**lacking, tags=tags, language=language)
    )


@transaction.atomic
def delete_owner(*, by: Actor, owner: Owner) -> None:
    """Devices lose their owner; retired records in VPP accounts stay, for their history."""
    (owner,) = locked(owner)
    if obstacle := obstacle_to_deletion(owner):
        raise obstacle
    devices: int = owner.devices.count()
    announce_devices(owner.organization, [owner.pk], cause="owner deleted")
    before = owner_facts(owner) | ({"devices": devices} if devices else {})
    audit.record(
        "owner.deleted", by=by, organization=owner.organization, target=owner, before=before
    )
    owner.delete()


def known_as(
    organization: Organization, *, email: str, managed_apple_account: str, but: Owner | None = None
) -> Owner | None:
    """Somebody else who has this e-mail address or Managed Apple Account."""
    asked = [(owners_with_email, email), (owners_with_apple_account, managed_apple_account)]
    for find, address in asked:
        others = find(organization.pk, address).exclude(pk__in=[but.pk] if but else [])
        if address and (other := others.first()):
            return other
    return None


def locked(*owners: Owner) -> list[Owner]:
    """In one order, so that two merges cannot deadlock."""
    pks = [owner.pk for owner in owners]
    rows = Owner.objects.filter(pk__in=pks).select_related("organization").order_by("pk")
    found = {owner.pk: owner for owner in rows.select_for_update(of=("self",))}
    if missing := set(pks) - set(found):
        raise OwnerGone from Owner.DoesNotExist(missing)
    return [found[pk] for pk in pks]


def obstacle_to_deletion(owner: Owner) -> OwnerInUse | None:
    accounts = accounts_of(owner)
    return OwnerInUse(owner.name, accounts) if accounts else None


def accounts_of(owner: Owner) -> list[str]:
    """Names of the VPP accounts in which they are people, and not retired."""
    active = VppUser.objects.filter(owner=owner).exclude(apple_status__in=RETIRED)
    names = active.order_by("account__name").values_list("account__name", flat=True)
    return list(names)


def owner_facts(owner: Owner) -> dict[str, Any]:
    told: dict[str, Any] = dict(shared.facts(owner))
    if owner.tag_ids:
        told["tags"] = tag_names(owner)
    if owner.language:
        told["language"] = owner.language
    return told


def tag_names(owner: Owner) -> list[str]:
    """In the order in which they were given."""
    tags = Tag.objects.filter(organization=owner.organization_id).in_bulk(owner.tag_ids)
    return [tags[pk].name for pk in owner.tag_ids if pk in tags]


def record_changes(
    *, action: str, by: Actor, owner: Owner, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Only what differs; nothing where nothing does."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if names:
        audit.record(
            action,
            by=by,
            organization=owner.organization,
            target=owner,
            before={name: before[name] for name in names if name in before} or None,
            after={name: after[name] for name in names if name in after},
        )


def announce_devices(organization: Organization, owner_ids: Collection[int], *, cause: str) -> None:
    """Scopes depend on whose a device is. Call it in the transaction, before they lose them."""
    rows = Device.objects.filter(owner__in=owner_ids).order_by("pk")
    device_ids = list(rows.values_list("pk", flat=True))
    if device_ids:
        devices_changed.send(
            sender=Owner, organization=organization, device_ids=device_ids, cause=cause
        )


# --- Checks ---------------------------------------------------------------------------------------


def _assign(by: Actor, owner: Owner, details: OwnerDetails) -> None:
    said: dict[str, Any] = dict(checked(details))
    if not any(said.get(name, getattr(owner, name)) for name in shared.FIELDS):
        raise OwnerNameless
    has_other = said.get("managed_apple_account", owner.managed_apple_account)
    if owner.pk and owner.email and said.get("email") == "" and not has_other:
        _refuse_unreachable(owner)
    if details.language is not None:
        said["language"] = _checked_language(details.language)
    if details.tags is not None:
        tags = owner_tags(by=by, organization=owner.organization, names=details.tags)
        said["tag_ids"] = [tag.pk for tag in tags]
    write(owner, said)


def _checked_language(code: str) -> str:
    if code and code not in dict(settings.PEOPLE_LANGUAGES):
        raise LanguageUnknown(code, [known for known, _ in settings.PEOPLE_LANGUAGES])
    return code


def _refuse_unreachable(owner: Owner) -> None:
    if accounts := accounts_of(owner):
        raise EmailNeeded(owner.name, accounts)
