"""Scopes of managed apps as far as tags are concerned: who uses a tag, and what a deleted one leaves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from apps_catalog.hooks import managed_apps_changed
from apps_catalog.models import ManagedApp
from apps_catalog.models.managed import ManagedAppQuerySet
from organizations.audit import Actor, event_of
from organizations.models import AuditEvent, Organization, Tag
from organizations.scopes import without


def apps_with(apps: ManagedAppQuerySet, tag_ids: Collection[int]) -> ManagedAppQuerySet:
    """Those of the apps whose scope names one of these tags."""
    return apps.filter(scope_tag_ids__overlap=list(tag_ids))


def take_tags_off(*, by: Actor, organization: Organization, tags: Collection[Tag]) -> None:
    """Call it in the transaction in which the tags go, before they do."""
    gone = {tag.pk for tag in tags}
    ours = ManagedApp.objects.filter(organization=organization)
    rows = apps_with(ours, gone).select_related("app").order_by("pk")
    apps = list(rows.select_for_update(of=("self",), no_key=True))
    if not apps:
        return
    names = names_in(organization, apps)
    events = [_lose(organization, app, gone, names, by) for app in apps]
    ManagedApp.objects.bulk_update(apps, ["scope_tag_ids"], batch_size=500)
    AuditEvent.objects.bulk_create(events)
    managed_apps_changed.send(
        sender=ManagedApp,
        organization=organization,
        managed_app_ids=[app.pk for app in apps],
        cause="tag deleted",
    )


def names_in(organization: Organization, apps: Iterable[ManagedApp]) -> dict[int, str]:
    """Of all tags that these apps' scopes name."""
    ids = {tag for app in apps for tag in app.scope_tag_ids}
    tags = Tag.objects.filter(organization=organization, pk__in=ids)
    return dict(tags.values_list("pk", "name"))


def _lose(
    organization: Organization,
    app: ManagedApp,
    gone: Collection[int],
    names: Mapping[int, str],
    by: Actor,
) -> AuditEvent:
    event = event_of("managed_app.scope_changed", by, organization, app)
    event.before = {"scope": app.scope.sentence(names)}
    app.scope_tag_ids = list(without(app.scope, gone).tag_ids)
    event.after = {"scope": app.scope.sentence(names)}
    return event
