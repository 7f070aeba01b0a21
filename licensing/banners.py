"""Accounts that need a person, as the banners of every page tell it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from organizations.models import Membership
from vpp_accounts.models import AccountState, VppAccount
from vpp_accounts.models.accounts import EXPIRY_WARNING
from vpp_accounts.states import WORDS, StateWords, Urgency

ICONS = {
    Urgency.INFORMATION: "info-circle",
    Urgency.WARNING: "alert-triangle",
    Urgency.DANGER: "alert-circle",
}
# Their headline does not say why; the account's reason does.
EXPLAINED = (AccountState.SYNC_FAILED, AccountState.CLAIMED, AccountState.NOT_VERIFIED)
TO_TELL = [state for state, words in WORDS.items() if words.urgency > Urgency.NONE]


@dataclass(frozen=True, slots=True)
class Banner:
    """One account in one state that somebody should know about."""

    account: VppAccount
    words: StateWords
    since: datetime
    action_url: str  # empty for admins who cannot do it

    @property
    def icon(self) -> str:
        return ICONS[self.words.urgency]

    @property
    def location(self) -> str:
        """The location at Apple, unless the account is simply called like it."""
        name = self.account.location_name
        return "" if name == self.account.name else name

    @property
    def days_left(self) -> int | None:
        return self.account.days_left if self.words.state == AccountState.EXPIRING else None

    @property
    def reason(self) -> str:
        """What happened, where the headline alone cannot say it."""
        return self.account.state_reason if self.words.state in EXPLAINED else ""


def banners(membership: Membership) -> list[Banner]:
    """What needs a person, most urgent first; in one query."""
    soon = timezone.now() + EXPIRY_WARNING
    accounts = VppAccount.objects.visible_to(membership).filter(
        Q(state__in=TO_TELL) | Q(token_expires_at__lte=soon)
    )
    found = [
        banner_of(account, state, membership)
        for account in accounts.order_by("token_expires_at", "pk")
        for state in troubles(account)
    ]
    return sorted(found, key=lambda banner: -banner.words.urgency)


def troubles(account: VppAccount) -> list[AccountState]:
    """The state of an account and, whatever that is, its token's end: a sync hides neither."""
    state = AccountState(account.state)
    found = [state] if state in TO_TELL else []
    if state in VppAccount.STOPPED or not account.is_expiring:
        return found
    over = account.token_expires_at <= timezone.now()
    ending = AccountState.EXPIRED if over else AccountState.EXPIRING
    return found if ending in found else [ending, *(s for s in found if s != AccountState.EXPIRING)]


def banner_of(account: VppAccount, state: AccountState, membership: Membership) -> Banner:
    words = WORDS[state]
    since = account.state_since
    if state != account.state:
        # Told by the token's date alone: the check of the dates has not run, or something else is worse.
        warned = timedelta() if state == AccountState.EXPIRED else EXPIRY_WARNING
        since = account.token_expires_at - warned
    return Banner(account, words, since, action_url(words, account, membership))


def action_url(words: StateWords, account: VppAccount, membership: Membership) -> str:
    if not words.action_url or not membership.can_write:
        return ""
    try:
        return reverse(words.action_url, args=[account.organization_id, account.pk])
    except NoReverseMatch:
        return f"{reverse('licensing:mdm', args=[account.organization_id])}#account-{account.pk}"
