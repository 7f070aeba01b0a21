"""What admins do with webhooks. Pages and REST call the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone

from organizations import audit
from organizations.audit import Actor
from organizations.crypto import CannotDecrypt
from organizations.models import EventKind, Organization, Webhook, WebhookDelivery
from organizations.models.webhooks import TEST
from organizations.refusals import Conflict, Refusal
from organizations.webhooks import addresses
from organizations.webhooks.bodies import new_secret
from organizations.webhooks.emitting import noted, queue

LONGEST_NAME, LONGEST_URL = 100, 500
MOST = 20  # of one organization
BOTH_SIGN_FOR = timedelta(days=1)
State = WebhookDelivery.State


class WebhookNameWrong(Refusal):
    code = "webhook_name_wrong"
    field = "name"


class WebhookUrlWrong(Refusal):
    code = "webhook_url_wrong"
    field = "url"


class WebhookEventsWrong(Refusal):
    code = "webhook_events_wrong"
    field = "events"


class TooManyWebhooks(Conflict):
    code = "too_many_webhooks"

    def __init__(self) -> None:
        super().__init__(f"There are {MOST} webhooks already. Delete one that nobody needs first.")


class WebhookDisabled(Conflict):
    code = "webhook_disabled"

    def __init__(self) -> None:
        super().__init__("The webhook is disabled, so nothing is sent to it. Enable it first.")


class WebhookGone(Conflict):
    code = "webhook_gone"

    def __init__(self) -> None:
        super().__init__("Somebody has deleted this webhook meanwhile. Load the list again.")


class StillOnItsWay(Conflict):
    code = "webhook_delivery_under_way"

    def __init__(self) -> None:
        super().__init__(
            "This delivery is still on its way, and is tried again by itself. Wait until it is"
            " delivered or given up."
        )


@dataclass(frozen=True, slots=True)
class WebhookDetails:
    name: str
    url: str
    events: Sequence[str]
    enabled: bool = True


@transaction.atomic
def create(
    *, by: Actor, organization: Organization, details: WebhookDetails
) -> tuple[Webhook, str]:
    """The webhook and its secret, which is not shown again."""
    checked = _checked(details)
    # One after the other, or two requests would both take the last place.
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    if Webhook.objects.filter(organization=organization).count() >= MOST:
        raise TooManyWebhooks
    webhook = Webhook(organization=organization, created_by=by.name[:254], **_fields(checked))
    webhook.secret = secret = new_secret()
    webhook.stopped = "" if checked.enabled else Webhook.Stopped.BY_ADMIN
    webhook.stopped_at = None if checked.enabled else timezone.now()
    webhook.save()
    audit.record(
        "webhook.added", by=by, organization=organization, target=webhook, after=facts(webhook)
    )
    return webhook, secret


@transaction.atomic
def edit(*, by: Actor, webhook: Webhook, details: WebhookDetails) -> Webhook:
    checked = _checked(details)
    locked = _locked(webhook)
    before, old_url = facts(locked), locked.url
    for name, value in _fields(checked).items():
        setattr(locked, name, value)
    _switch(locked, enabled=checked.enabled)
    if locked.url != old_url:
        _begin_anew(locked)
    locked.save()
    after = facts(locked)
    if locked.url != old_url:
        after["address"] = "changed"
    if before != after:
        audit.record(
            "webhook.edited",
            by=by,
            organization=locked.organization,
            target=locked,
            before=before,
            after=after,
        )
    return locked


@transaction.atomic
def delete(*, by: Actor, webhook: Webhook) -> None:
    """With its deliveries: what was not sent yet is not sent any more."""
    # Events that are being noted for it come first, and go with it.
    locked = _locked(webhook, no_key=False)
    audit.record(
        "webhook.deleted",
        by=by,
        organization=locked.organization,
        target=locked,
        before=facts(locked),
    )
    WebhookDelivery.objects.filter(webhook=webhook)._raw_delete(using="default")
    Webhook.objects.filter(pk=webhook.pk).delete()


@transaction.atomic
def rotate(*, by: Actor, webhook: Webhook) -> tuple[Webhook, str]:
    """A new secret, which is not shown again; for a day the old one signs as well."""
    locked = _locked(webhook)
    _keep_previous(locked)
    locked.secret = secret = new_secret()
    locked.save(update_fields=["secret_ciphertext", "previous_ciphertext", "previous_until"])
    audit.record("webhook.secret_rotated", by=by, organization=locked.organization, target=locked)
    return locked, secret


@transaction.atomic
def test(*, by: Actor, webhook: Webhook) -> WebhookDelivery:
    """A `webhook.test` event for this webhook alone, whatever it is told of otherwise."""
    webhook = _locked(webhook)
    if not webhook.is_enabled:
        raise WebhookDisabled
    told = {"webhookId": str(webhook.pk), "name": webhook.name, "requestedBy": by.name}
    (delivery,) = queue(noted(webhook.organization_id, TEST, [told]), [webhook.pk])
    _try_now(webhook)
    audit.record("webhook.tested", by=by, organization=webhook.organization, target=webhook)
    return delivery


@transaction.atomic
def redeliver(*, by: Actor, delivery: WebhookDelivery) -> WebhookDelivery:
    """The same event once more, with the same `webhook-id`, in a delivery of its own."""
    webhook = _locked(delivery.webhook)
    if not webhook.is_enabled:
        raise WebhookDisabled
    if delivery.next_attempt_at is not None:
        raise StillOnItsWay
    (again,) = queue([delivery.event], [delivery.webhook_id], again_of=delivery)
    _try_now(webhook)
    audit.record(
        "webhook.redelivered",
        by=by,
        organization=webhook.organization,
        target=webhook,
        after={"event": delivery.event.wire_id, "kind": delivery.event.kind},
    )
    return again


def _locked(webhook: Webhook, *, no_key: bool = True) -> Webhook:
    """As it is now. Without the key, events can still be noted for it."""
    rows = Webhook.objects.select_for_update(of=("self",), no_key=no_key)
    found = rows.select_related("organization").filter(pk=webhook.pk).first()
    if found is None:
        raise WebhookGone
    return found


def facts(webhook: Webhook) -> dict[str, Any]:
    """For the audit log: of the address the host alone, since the rest may open something."""
    return {
        "name": webhook.name,
        "host": urlsplit(webhook.url).hostname,
        "events": list(webhook.events),
        "enabled": webhook.is_enabled,
    }


def _checked(details: WebhookDetails) -> WebhookDetails:
    name, url = " ".join(details.name.split()), details.url.strip()
    if not name:
        raise WebhookNameWrong("A webhook needs a name: say who receives it.")
    if len(name) > LONGEST_NAME:
        raise WebhookNameWrong(
            f"The name has {len(name)} characters; at most {LONGEST_NAME} are possible. Shorten it."
        )
    if len(url) > LONGEST_URL:
        raise WebhookUrlWrong(f"The address is longer than {LONGEST_URL} characters. Shorten it.")
    if problem := addresses.problem_of(url):
        raise WebhookUrlWrong(problem)
    return WebhookDetails(name, url, _checked_events(details.events), details.enabled)


def _checked_events(given: Sequence[str]) -> list[str]:
    unknown = [kind for kind in given if kind not in EventKind.values]
    if unknown:
        known = ", ".join(EventKind.values)
        raise WebhookEventsWrong(f"“{unknown[0][:40]}” is no event. There are: {known}.")
    if not given:
        raise WebhookEventsWrong("Choose at least one event to be told of.")
    return [kind for kind in EventKind.values if kind in given]


def _fields(details: WebhookDetails) -> dict[str, Any]:
    return {"name": details.name, "url": details.url, "events": list(details.events)}


def _switch(webhook: Webhook, *, enabled: bool) -> None:
    if enabled == webhook.is_enabled:
        return
    webhook.stopped = "" if enabled else Webhook.Stopped.BY_ADMIN
    webhook.stopped_at = None if enabled else timezone.now()
    if enabled:
        _begin_anew(webhook)


def _begin_anew(webhook: Webhook) -> None:
    """What failed before says nothing about the receiver as it is now."""
    webhook.failures, webhook.failing_since, webhook.next_attempt_at = 0, None, None


def _keep_previous(webhook: Webhook) -> None:
    """Also where the old one cannot be read any more: then nothing is left of it."""
    webhook.previous_ciphertext, webhook.previous_until = "", None
    try:
        webhook.previous_secret = webhook.secret
    except CannotDecrypt:
        return
    webhook.previous_until = timezone.now() + BOTH_SIGN_FOR


def _try_now(webhook: Webhook) -> None:
    """Somebody looks: a pause after failures is over."""
    Webhook.objects.filter(pk=webhook.pk).update(next_attempt_at=None)
