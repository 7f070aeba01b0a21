"""What each type of notification changes here. Nothing is asked of Apple, so a transaction holds it.

`event_told(account, event_id, kind, result, assignments, users, error)`: Apple told how tasks of an
event ended. Sent before rows change, in the same transaction, and perhaps more than once. `kind` is
ASSOCIATE, DISASSOCIATE, REVOKE, CREATE, UPDATE or RETIRE, `result` SUCCESS or FAILURE, `error` a
`Failure` or None.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

import structlog
from django.db.models import Q
from django.dispatch import Signal

from licensing import changes
from licensing.models import LicensedApp
from licensing.notifications.people import apply_users
from licensing.sync.assignments import lines_of
from licensing.sync.plans import TitleKey
from vpp_accounts.apple import notifications as apple
from vpp_accounts.apple.notifications import EventNews
from vpp_accounts.apple.types import Assignment
from vpp_accounts.models import Notification, VppAccount
from vpp_accounts.runs import ask_soon

log = structlog.get_logger(__name__)

event_told = Signal()

Content = dict[str, Any]


def take_effect(account: VppAccount, notification: Notification) -> None:
    EFFECTS.get(notification.kind, _unknown)(account, notification.payload)


def _licenses(account: VppAccount, content: Content) -> None:
    news = apple.asset_event(content)
    _tell(account, news)
    if news.succeeded and news.type in ("ASSOCIATE", "DISASSOCIATE", "REVOKE"):
        lines = _lines(account, news.assignments)
        new, gone = (lines, []) if news.type == "ASSOCIATE" else ([], lines)
        changes.apply(account, new=new, gone=gone)
    ask_soon(account)


def _lines(account: VppAccount, told: Iterable[Assignment]) -> list[str]:
    """As rows of ours. Of a title that we do not know yet there are none: the sync brings both."""
    holders: defaultdict[TitleKey, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for adam_id, pricing_param, client_user_id, serial_number in told:
        devices, users = holders[adam_id, pricing_param]
        if serial_number is not None:
            devices.append(serial_number)
        else:
            users.append(client_user_id or "")
    titles = LicensedApp.objects.filter(_any_of(holders), account=account)
    lines = (
        lines_of(title, holders[title.adam_id, title.pricing_param])
        for title in (titles if holders else ())
    )
    return sorted(set(chain.from_iterable(lines)))


def _any_of(keys: Iterable[TitleKey]) -> Q:
    condition = Q()
    for adam_id, pricing_param in keys:
        condition |= Q(adam_id=adam_id, pricing_param=pricing_param)
    return condition


def _people(account: VppAccount, content: Content) -> None:
    news = apple.user_event(content)
    _tell(account, news)
    if news.succeeded:
        apply_users(account, news.users)
    # Also for the licenses that a retirement frees: no notification tells of them.
    ask_soon(account)


def _accepted(account: VppAccount, content: Content) -> None:
    apply_users(account, apple.associated_users(content))
    ask_soon(account)


def _tell(account: VppAccount, news: EventNews) -> None:
    if news.unreadable:
        log.warning(
            "notification.partly_unreadable",
            account=account.pk,
            rows=[row.excerpt for row in news.unreadable],
        )
    event_told.send(
        Notification,
        account=account,
        event_id=news.event_id,
        kind=news.type,
        result="SUCCESS" if news.succeeded else "FAILURE",
        assignments=news.assignments,
        users=news.users,
        error=news.failure,
    )


def _nothing(account: VppAccount, content: Content) -> None:
    """A test of the connection, or subscriptions, which this product does not manage."""


def _unknown(account: VppAccount, content: Content) -> None:
    """Something changed; a sync finds out what."""
    ask_soon(account)


EFFECTS: dict[str, Callable[[VppAccount, Content], None]] = {
    "ASSET_MANAGEMENT": _licenses,
    "USER_MANAGEMENT": _people,
    "USER_ASSOCIATED": _accepted,
    "TEST_NOTIFICATION": _nothing,
    "SUBSCRIPTION_MANAGEMENT": _nothing,
    "SUBSCRIPTION_COUNT": _nothing,
}
