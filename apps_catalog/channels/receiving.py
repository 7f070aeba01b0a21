"""Who posts to an organization's address for events, and whether it is the server that has the key."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps_catalog import lookups
from apps_catalog.channels.choosing import effective
from apps_catalog.models import ChannelKind, ChannelSettings
from organizations import audit, tenancy
from organizations.audit import Actor
from organizations.crypto import CannotDecrypt

ONE_AUDITED_PER = timedelta(hours=1)
SERVER = Actor.system("NanoMDM")


def receiver(address: UUID) -> ChannelSettings | None:
    """The rest of the request works in its organization. None also where it chose another channel."""
    tenancy.enter(lookups.channel_of_address.organization(address))
    found = ChannelSettings.objects.select_related("organization").filter(uuid=address).first()
    return found if found and effective(found.kind) == ChannelKind.NANOMDM else None


def is_signed(chosen: ChannelSettings, body: bytes, signature: str) -> bool:
    try:
        key = chosen.webhook_key
    except CannotDecrypt:
        key = ""
    wanted = hmac.new(key.encode(), body, hashlib.sha256).digest()
    shown = signature.encode(errors="replace")
    # An empty key is nobody's; the work is the same.
    return hmac.compare_digest(base64.b64encode(wanted), shown) and bool(key)


@transaction.atomic
def note_refused(chosen: ChannelSettings) -> None:
    """Anybody can post here: one in an hour is recorded."""
    now = timezone.now()
    ours = ChannelSettings.objects.filter(pk=chosen.pk)
    long_ago = Q(refused_at=None) | Q(refused_at__lt=now - ONE_AUDITED_PER)
    if ours.filter(long_ago).update(refused_at=now):
        audit.record(
            "device_channel.event_refused",
            by=SERVER,
            organization=chosen.organization,
            target=chosen,
            refused=True,
        )
