"""Apple's counts of some titles, read again now and not in a sync's turn.

Such a reading needs no lease: of two words of Apple's the one asked for later stays, whoever
asked (licensing/sync/titles.py).
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from licensing import low
from licensing.models import LicensedApp
from licensing.sync.plans import TitleKey
from licensing.sync.titles import record_todays_counts, write_titles
from vpp_accounts.apple.client import AppleClient
from vpp_accounts.apple.types import Asset
from vpp_accounts.connections import client_for
from vpp_accounts.models import VppAccount

ASKED_ONE_BY_ONE = 5  # for more, the whole list takes fewer requests


def refresh_titles(account: VppAccount, keys: Collection[TitleKey]) -> list[LicensedApp]:
    """Read these titles' counts from Apple; answers the titles of which more are available now.

    What Apple does not list is left to the next sync. Raises what the Apple client raises; an
    account whose work has stopped is not asked about.
    """
    if not keys or account.is_stopped:
        return []
    began = timezone.now()
    client = client_for(account)
    try:
        client.service_config()  # also sets the pace that Apple asks for today
        seen = _read(client, keys)
    finally:
        client.close()
    with transaction.atomic():
        written = write_titles(account, seen, as_of=began)
        record_todays_counts(account, [*written.added, *written.changed])
        low.watch(account)
    return written.risen


def _read(client: AppleClient, keys: Collection[TitleKey]) -> list[Asset]:
    if len(keys) > ASKED_ONE_BY_ONE:
        return list(client.assets().rows())
    return [
        asset
        for adam_id, pricing_param in dict.fromkeys(keys)
        for asset in client.assets(adam_id=adam_id, pricing_param=pricing_param).rows()
        if (asset.adam_id, asset.pricing_param) == (adam_id, pricing_param)
    ]
