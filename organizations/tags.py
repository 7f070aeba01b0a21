"""Tags as they are typed, and the rows that they mean."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from organizations import audit, bulk
from organizations.audit import Actor
from organizations.models import Organization, Tag
from organizations.refusals import Refusal
from organizations.services import checked_tags


class TagIsAutomatic(Refusal):
    code = "tag_is_automatic"
    field = "tags"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"“{name}” is an automatic tag, which devices get by themselves. Choose another word."
        )


def owner_tags(*, by: Actor, organization: Organization, names: Iterable[str]) -> list[Tag]:
    """The tags of these names, in their order; those that nobody used before are made.

    A tag of devices may be given to people too: its name means one thing in an organization.
    """
    typed = checked_tags(names)
    tags = tags_called(organization, typed)
    if new := [name for name in typed if name not in tags]:
        add_tags(by=by, organization=organization, names=new)
        tags = tags_called(organization, typed)
    for name, tag in tags.items():
        if tag.kind == Tag.Kind.AUTOMATIC:
            raise TagIsAutomatic(name)
    return [tags[name] for name in typed]


def add_tags(*, by: Actor, organization: Organization, names: Collection[str]) -> None:
    """Tags of owners, where none of these names is there yet, in whatever case."""
    rows = bulk.returned(
        """
        INSERT INTO organizations_tag (organization_id, name, kind)
        SELECT %s, name, 'owner' FROM unnest(%s::text[]) AS name
        ON CONFLICT DO NOTHING RETURNING id, name
        """,
        # In one order whatever the case, so that two who add the same cannot deadlock.
        [organization.pk, sorted(names, key=str.lower)],
    )
    made = [Tag(pk=pk, organization=organization, name=name) for pk, name in rows]
    audit.record_each(
        action="tag.added",
        by=by,
        organization=organization,
        targets=made,
        after={"kind": Tag.Kind.OWNER},
    )


def tags_called(organization: Organization, names: Collection[str]) -> dict[str, Tag]:
    """By the names as they were typed: the database decides which of them are the same."""
    if not names:
        return {}
    rows = Tag.objects.raw(
        """
        SELECT tag.*, typed FROM unnest(%s::text[]) AS typed
        JOIN organizations_tag tag ON lower(tag.name) = lower(typed) AND tag.organization_id = %s
        """,
        [list(names), organization.pk],
    )
    return {tag.typed: tag for tag in rows}  # type: ignore[attr-defined]
