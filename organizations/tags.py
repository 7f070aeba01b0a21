"""Tags as they are typed, and the rows that they mean; adding, renaming and deleting them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from django.db import IntegrityError, transaction

from organizations import audit, bulk, hooks
from organizations.audit import Actor
from organizations.automatic_tags import AUTOMATIC
from organizations.models import Device, Membership, Organization, Owner, Tag
from organizations.refusals import Conflict, Refusal
from organizations.services import TagWrong, checked_tags


class TagIsAutomatic(Refusal):
    code = "tag_is_automatic"
    field = "tags"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"“{name}” is an automatic tag, which devices get by themselves. Choose another word."
        )


class TagIsFixed(Conflict):
    code = "tag_is_fixed"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"“{name}” is an automatic tag, which nobody can change or delete. Choose another tag."
        )


class TagNameTaken(Conflict):
    code = "tag_name_taken"
    field = "name"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"This organization already has a tag “{name}”, in whatever case. Choose another name."
        )


class TagGone(Conflict):
    code = "tag_gone"

    def __init__(self) -> None:
        super().__init__("Somebody has deleted this tag meanwhile. Load the list of tags again.")


# --- The tags of one device or owner ----------------------------------------------------------------


def owner_tags(*, by: Actor, organization: Organization, names: Iterable[str]) -> list[Tag]:
    """As `device_tags`. A tag of devices may be given to people too, and the other way round: its
    name means one thing in an organization.
    """
    return tags_named(by=by, organization=organization, names=names, kind=Tag.Kind.OWNER)


def device_tags(*, by: Actor, organization: Organization, names: Iterable[str]) -> list[Tag]:
    """The tags of these names, in their order; those that nobody used before are made."""
    return tags_named(by=by, organization=organization, names=names, kind=Tag.Kind.DEVICE)


def tags_named(
    *, by: Actor, organization: Organization, names: Iterable[str], kind: Tag.Kind
) -> list[Tag]:
    typed = checked_tags(names)
    tags = tags_called(organization, typed)
    if new := [name for name in typed if name not in tags]:
        add_tags(by=by, organization=organization, names=new, kind=kind)
        tags = tags_called(organization, typed)
    for name, tag in tags.items():
        if tag.kind == Tag.Kind.AUTOMATIC:
            raise TagIsAutomatic(name)
    return [tags[name] for name in typed]


def add_tags(
    *,
    by: Actor,
    organization: Organization,
    names: Collection[str],
    kind: Tag.Kind = Tag.Kind.OWNER,
) -> list[Tag]:
    """Those that were made: where one of these names is there already, in whatever case, it stays."""
    rows = bulk.returned(
        """
        INSERT INTO organizations_tag (organization_id, name, kind)
        SELECT %s, name, %s FROM unnest(%s::text[]) AS name
        ON CONFLICT DO NOTHING RETURNING id, name
        """,
        # In one order whatever the case, so that two who add the same cannot deadlock.
        [organization.pk, kind, sorted(names, key=str.lower)],
    )
    made = [Tag(pk=pk, organization=organization, name=name, kind=kind) for pk, name in rows]
    audit.record_each(
        action="tag.added", by=by, organization=organization, targets=made, after={"kind": kind}
    )
    return made


def tags_called(organization: Organization, names: Collection[str]) -> dict[str, Tag]:
    """By the names as they were typed: the database decides which of them are the same.

    Until the end of the transaction nobody deletes them, since they are about to be given.
    """
    if not names:
        return {}
    rows = Tag.objects.raw(
        """
        SELECT tag.*, typed FROM unnest(%s::text[]) AS typed
        JOIN organizations_tag tag ON lower(tag.name) = lower(typed) AND tag.organization_id = %s
        ORDER BY tag.id FOR KEY SHARE OF tag
        """,
        [list(names), organization.pk],
    )
    return {tag.typed: tag for tag in rows}  # type: ignore[attr-defined]


def hold(organization_id: int, tag_ids: Collection[int]) -> None:
    """Until the end of the transaction nobody deletes those of these that are there.

    Before whatever is about to name them is locked: whoever deletes a tag locks it first as well.
    """
    if tag_ids:
        bulk.execute(_HOLD, {"organization": organization_id, "ids": list(tag_ids)})


_HOLD = f"""
    SELECT FROM {Tag._meta.db_table}
    WHERE organization_id = %(organization)s AND id = ANY(%(ids)s) ORDER BY id FOR KEY SHARE
"""


# --- The tags themselves ----------------------------------------------------------------------------


@transaction.atomic
def add_tag(*, by: Actor, organization: Organization, name: str, kind: Tag.Kind) -> Tag:
    name = checked_name(name)
    if kind == Tag.Kind.AUTOMATIC:
        raise TagIsFixed(name)
    made = add_tags(by=by, organization=organization, names=[name], kind=kind)
    if not made:
        raise TagNameTaken(name)
    return made[0]


@transaction.atomic
def rename_tag(*, by: Actor, tag: Tag, name: str) -> Tag:
    """Scopes, devices and owners know it by its id, so that nothing else changes."""
    (tag,) = locked(tag.organization, [tag])
    before, tag.name = tag.name, checked_name(name)
    if tag.name == before:
        return tag
    try:
        with transaction.atomic():
            tag.save(update_fields=["name"])
    except IntegrityError as error:
        raise TagNameTaken(tag.name) from error
    audit.record(
        "tag.renamed",
        by=by,
        organization=tag.organization,
        target=tag,
        before={"name": before},
        after={"name": tag.name},
    )
    return tag


@transaction.atomic
def delete_tags(*, by: Actor, organization: Organization, tags: Collection[Tag]) -> None:
    """Devices, owners and scopes lose them. Licenses follow the scopes, after their grace."""
    tags = locked(organization, tags)
    had = _had(organization, tags)  # before anybody loses it
    hooks.tags_departing.send(sender=Tag, organization=organization, tags=tags, by=by)
    ids = [tag.pk for tag in tags]
    owners = _take_off(Owner, organization, ids)
    devices = {*_take_off(Device, organization, ids), *_devices_of(owners)}
    for tag in tags:
        audit.record(
            "tag.deleted", by=by, organization=organization, target=tag, before=had[tag.pk]
        )
    Tag.objects.filter(pk__in=ids).delete()
    hooks.devices_changed.send(
        sender=Tag, organization=organization, device_ids=sorted(devices), cause="tag deleted"
    )


def deletion_consequences(membership: Membership, tags: Sequence[Tag]) -> list[str]:
    """What ends with them, in sentences, of the apps above."""
    answers = hooks.tag_deletion.send(
        sender=Tag, organization=membership.organization, tags=tags, membership=membership
    )
    return [text for _, texts in answers for text in texts or ()]


def locked(organization: Organization, tags: Collection[Tag]) -> list[Tag]:
    """In one order. Whoever is about to give one of them (`tags_called`) is waited for."""
    rows = Tag.objects.filter(organization=organization, pk__in=[tag.pk for tag in tags])
    found = list(rows.select_for_update(of=("self",)).select_related("organization").order_by("pk"))
    if len(found) < len({tag.pk for tag in tags}):
        raise TagGone
    for tag in found:
        if tag.kind == Tag.Kind.AUTOMATIC:
            raise TagIsFixed(tag.name)
    return found


def checked_name(text: str) -> str:
    names = checked_tags([text])
    if not names:
        raise _wrong("A tag needs a name: one word without spaces.")
    (name,) = names
    if name.lower() in AUTOMATIC:
        raise TagNameTaken(name)
    return name


def _wrong(text: str) -> TagWrong:
    refusal = TagWrong(text)
    refusal.field = "name"
    return refusal


def _had(organization: Organization, tags: Sequence[Tag]) -> dict[int, dict[str, object]]:
    """For the audit log: how many devices and owners had each."""
    counts = {
        model: dict(
            bulk.returned(
                f"""
                SELECT tag, count(*) FROM {model._meta.db_table}
                CROSS JOIN LATERAL unnest(tag_ids) AS tag
                WHERE organization_id = %(organization)s AND tag_ids && %(ids)s::bigint[]
                  AND tag = ANY(%(ids)s) GROUP BY tag
                """,  # noqa: S608  table names are the models'
                {"organization": organization.pk, "ids": [tag.pk for tag in tags]},
            )
        )
        for model in (Device, Owner)
    }
    return {
        tag.pk: {
            "kind": tag.kind,
            "devices": counts[Device].get(tag.pk, 0),
            "owners": counts[Owner].get(tag.pk, 0),
        }
        for tag in tags
    }


def _take_off(
    model: type[Device] | type[Owner], organization: Organization, tag_ids: list[int]
) -> list[int]:
    """Answers who had one of them. Locked in the order of their ids, against deadlocks."""
    rows = bulk.returned(
        f"""
        WITH theirs AS (
            SELECT id FROM {model._meta.db_table}
            WHERE organization_id = %(organization)s AND tag_ids && %(ids)s::bigint[]
            ORDER BY id FOR NO KEY UPDATE
        )
        UPDATE {model._meta.db_table} AS row SET tag_ids = ARRAY(
            SELECT tag FROM unnest(row.tag_ids) WITH ORDINALITY AS given (tag, place)
            WHERE tag <> ALL(%(ids)s) ORDER BY place)
        FROM theirs WHERE row.id = theirs.id RETURNING row.id
        """,  # noqa: S608  table names are the models'
        {"organization": organization.pk, "ids": tag_ids},
    )
    return [pk for (pk,) in rows]


def _devices_of(owner_ids: Collection[int]) -> Iterable[int]:
    return Device.objects.filter(owner__in=owner_ids).values_list("pk", flat=True)
