"""Keeps the catalogue's descriptions of an account's titles fresh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from apps_catalog.metadata import IDS_PER_REQUEST, Metadata, MetadataUnavailable, lookup
from apps_catalog.models import App
from organizations.crypto import CannotDecrypt
from vpp_accounts.apple.errors import AppleError
from vpp_accounts.connections import client_for, new_session
from vpp_accounts.models import VppAccount

log = structlog.get_logger(__name__)

FRESH = timedelta(days=7)
UNKNOWN_AGAIN = timedelta(days=1)  # a title the store did not know is asked for daily

FIELDS = [name for name in Metadata.__dataclass_fields__ if name != "adam_id"]


def fetch_for_account(account: VppAccount) -> int:
    """Ask for what is missing or old; answers how many titles are described now.

    What the store does not answer is left as it is. A failure ends the attempt and is logged.
    """
    apps = _stale(account)
    if not apps:
        return 0
    described = 0
    with new_session() as session:
        for start in range(0, len(apps), IDS_PER_REQUEST):
            batch = apps[start : start + IDS_PER_REQUEST]
            try:
                found = lookup(
                    [app.adam_id for app in batch],
                    url=_url(account),
                    country=account.country,
                    platform=account.default_platform,
                    stoken=account.stoken,
                    session=session,
                )
            except (MetadataUnavailable, AppleError, CannotDecrypt) as error:
                log.warning("metadata.unavailable", account=account.pk, reason=str(error))
                break
            described += _save(batch, found)
    return described


def _stale(account: VppAccount) -> Sequence[App]:
    now = timezone.now()
    old = Q(metadata_as_of__lt=now - FRESH) | Q(metadata_as_of=None)
    not_just_asked = Q(metadata_asked_at=None) | Q(metadata_asked_at__lt=now - UNKNOWN_AGAIN)
    ours = App.objects.filter(licensed_apps__account=account).filter(old, not_just_asked)
    return list(ours.distinct().order_by("pk"))


def _url(account: VppAccount) -> str:
    if settings.APPLE_METADATA_URL:
        return str(settings.APPLE_METADATA_URL)
    client = client_for(account)
    try:
        return client.service_config().urls.get("contentMetadataLookup", "")
    finally:
        client.close()


def _save(batch: Sequence[App], found: Mapping[str, Metadata]) -> int:
    now = timezone.now()
    known = [app for app in batch if app.adam_id in found]
    for app in known:
        facts = asdict(found[app.adam_id])
        for name in FIELDS:
            setattr(app, name, list(facts[name]) if name == "platforms" else facts[name])
        app.metadata_as_of = now
    App.objects.bulk_update(known, [*FIELDS, "metadata_as_of"], batch_size=IDS_PER_REQUEST)
    App.objects.filter(pk__in=[app.pk for app in batch]).update(metadata_asked_at=now)
    return len(known)
