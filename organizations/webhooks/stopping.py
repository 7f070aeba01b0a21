"""Webhooks that end by themselves: an admin hears of it, and can enable them again."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from organizations import audit
from organizations.audit import Actor
from organizations.models import Membership, Webhook
from organizations.outbox import post

SYSTEM = Actor.system("Webhooks")
FAILING_FOR = timedelta(days=5)
WHY = {
    Webhook.Stopped.GONE: "Its receiver answered with HTTP 410, which asks to send nothing more.",
    Webhook.Stopped.FAILING: "Nothing could be delivered to its receiver for five days.",
}


def stop_if_failing(webhook: Webhook) -> None:
    """Call it where a delivery was given up, and so has been tried for a day."""
    since = webhook.failing_since
    if webhook.is_enabled and since and since <= timezone.now() - FAILING_FOR:
        stop(webhook, Webhook.Stopped.FAILING)


def stop(webhook: Webhook, reason: Webhook.Stopped) -> None:
    """Call it in a transaction that holds the webhook's row."""
    if not webhook.is_enabled:
        return
    webhook.stopped, webhook.stopped_at = reason, timezone.now()
    webhook.save(update_fields=["stopped", "stopped_at"])
    audit.record(
        "webhook.stopped",
        by=SYSTEM,
        organization=webhook.organization,
        target=webhook,
        after={"reason": reason, "lastError": webhook.last_error},
    )
    _tell(webhook, reason)


def _tell(webhook: Webhook, reason: Webhook.Stopped) -> None:
    organization = webhook.organization
    page = reverse("organizations:webhook_detail", args=[organization.pk, webhook.pk])
    subject = f"The webhook “{webhook.name}” is disabled"
    context = {
        "subject": subject,
        "organization": organization,
        "paragraphs": [
            f"The webhook “{webhook.name}” of {organization.name} is disabled. {WHY[reason]}",
            f"The last attempt: {webhook.last_error}",
            "Events that happen from now on are not kept for it. Put its receiver right, then enable"
            " the webhook again.",
        ],
        "link_label": "Open the webhook",
        "link": f"{settings.BASE_URL}{page}",
    }
    admins = Membership.objects.filter(organization=organization).full()
    post(
        organization=organization,
        key=f"webhook:{webhook.pk}:{webhook.stopped_at and webhook.stopped_at.isoformat()}",
        to=admins.values_list("admin__email", flat=True),
        subject=subject,
        text=render_to_string("mail/closing.txt", context),
        html=render_to_string("mail/closing.html", context),
    )
