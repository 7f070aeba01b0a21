"""When an admin was last at work in an organization, through a page or an API key."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from organizations.models import Membership

NOTED_EVERY = timedelta(minutes=5)


def note(membership: Membership) -> None:
    """Both doors call it; at most one write in five minutes, however busy the admin is."""
    now = timezone.now()
    if membership.last_active_at and membership.last_active_at > now - NOTED_EVERY:
        return
    Membership.objects.filter(pk=membership.pk).update(last_active_at=now)
    membership.last_active_at = now
