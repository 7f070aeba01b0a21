"""Alarms by mail: an account that needs a person says so, once for each occasion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import formats, timezone

from organizations.models import OF_OPEN, Membership, OrganizationAccess
from organizations.outbox import Letter, post_letters
from organizations.preferences import alarms_off_token
from vpp_accounts import lookups
from vpp_accounts.models import AccountState, Alarm, AllowedAdmins, VppAccount
from vpp_accounts.states import WORDS, StateWords

log = structlog.get_logger(__name__)

DAYS_BEFORE = (60, 30, 14, 7, 1)
FAILING_FOR = timedelta(hours=24)
FAILING = (AccountState.SYNC_FAILED, AccountState.NOT_VERIFIED)


class Kind(StrEnum):
    EXPIRES = "expires"
    EXPIRED = "expired"
    REVOKED = "revoked"
    CLAIMED = "claimed"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class Facts:
    """What an alarm depends on."""

    state: str
    state_since: datetime
    token_expires_at: datetime

    @classmethod
    def of(cls, account: VppAccount) -> Self:
        return cls(account.state, account.state_since, account.token_expires_at)


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something to tell. `key` is the same as long as it is the same occasion."""

    kind: Kind
    key: str


# --- Deciding -------------------------------------------------------------------------------------


def plan_alarms(facts: Facts, now: datetime) -> list[Occasion]:
    """What there is to tell now; where the token is dead or taken, that is all that matters."""
    match facts.state:
        case AccountState.REVOKED:
            return [since(Kind.REVOKED, facts)]
        case AccountState.CLAIMED:
            return [since(Kind.CLAIMED, facts)]
    end = f"{facts.token_expires_at.astimezone(UTC):%Y-%m-%d}"
    left = facts.token_expires_at - now
    if facts.state == AccountState.EXPIRED or left <= timedelta():
        return [Occasion(Kind.EXPIRED, f"{Kind.EXPIRED}:{end}")]
    # The nearest one only: whoever is told of 7 days need not hear of 60.
    reached = [days for days in DAYS_BEFORE if left <= timedelta(days=days)]
    found = [Occasion(Kind.EXPIRES, f"{Kind.EXPIRES}:{end}:{min(reached)}")] if reached else []
    if facts.state in FAILING and now - facts.state_since >= FAILING_FOR:
        found.append(since(Kind.FAILING, facts))
    return found


def since(kind: Kind, facts: Facts) -> Occasion:
    """The state's beginning names the occasion: after a recovery it is another one."""
    return Occasion(kind, f"{kind}:{facts.state_since.astimezone(UTC).isoformat()}")


# --- Raising --------------------------------------------------------------------------------------


def raise_alarms() -> int:
    """Tell of every account that needs it; answers how many alarms are new."""
    now = timezone.now()
    raised = 0
    for account_id in accounts_with_news(now):
        try:
            with lookups.account.inside(account_id):
                raised += raise_for(account_id, now)
        except Exception:  # the other accounts are told of
            log.exception("alarms.not_raised", account=account_id)
    return raised


def accounts_with_news(now: datetime) -> list[int]:
    """In two statements for the whole installation."""
    told = (*FAILING, AccountState.EXPIRED, AccountState.REVOKED, AccountState.CLAIMED)
    soon = now + timedelta(days=max(DAYS_BEFORE))
    accounts = VppAccount.objects.using("system").filter(
        OF_OPEN, Q(state__in=told) | Q(token_expires_at__lte=soon)
    )
    planned = {
        (account.pk, occasion.key)
        for account in accounts.only("state", "state_since", "token_expires_at")
        for occasion in plan_alarms(Facts.of(account), now)
    }
    alarms = Alarm.objects.using("system").filter(
        account__in={pk for pk, _ in planned}, key__in={key for _, key in planned}
    )
    return sorted({pk for pk, _ in planned - set(alarms.values_list("account", "key"))})


@transaction.atomic
def raise_for(account_id: int, now: datetime) -> int:
    """The alarms of one account, with their mail; whoever writes the alarm's row posts it."""
    accounts = VppAccount.objects.filter(OF_OPEN).select_related("organization")
    account = accounts.filter(pk=account_id).first()
    if account is None:
        return 0
    raised = 0
    for occasion in plan_alarms(Facts.of(account), now):
        _, is_new = Alarm.objects.get_or_create(
            account=account, key=occasion.key, defaults={"organization": account.organization}
        )
        if is_new:
            post_letters(
                organization=account.organization,
                key=f"alarm:{account.pk}:{occasion.key}",
                letters=letters(account, occasion.kind, now),
            )
        raised += is_new
    return raised


# --- Who is told ----------------------------------------------------------------------------------


def recipients(account: VppAccount) -> dict[str, Membership | None]:
    """Each address once; None for the account's own where it is no admin's, who could opt out."""
    contact = account.email.strip().lower()
    members = (
        Membership.objects.accepted()
        .select_related("admin")
        .filter(
            Q(access=OrganizationAccess.FULL) | may_manage(account) | Q(admin__email=contact),
            organization=account.organization_id,
            admin__is_active=True,
        )
    )
    people = {membership.admin.email: membership for membership in members}
    everybody = {contact: None, **people}
    return {to: who for to, who in everybody.items() if who is None or who.wants_alarms}


def may_manage(account: VppAccount) -> Q:
    """`VppAccountQuerySet.open_to` from the other side."""
    match account.allowed_admins:
        case AllowedAdmins.ALL:
            return ~Q(access=OrganizationAccess.NONE)
        case AllowedAdmins.NETWORKS:
            return Q(network_accesses__network__in=account.allowed_networks.all())
    return Q(admin__in=account.named_admins.all())


# --- What they read -------------------------------------------------------------------------------


def letters(account: VppAccount, kind: Kind, now: datetime) -> Iterator[Letter]:
    words = words_of(account, kind)
    subject = f"{account.name}: {news(account, kind, now)}"
    for address, membership in recipients(account).items():
        context = {
            "subject": subject,
            "account": account,
            "words": words,
            "facts": facts_told(account, kind),
            "contact": address,
            "membership": membership,
            **link(account, words, membership),
        }
        headers = {}
        if membership:
            context["alarms_off"] = off = alarms_off_url(membership)
            headers["List-Unsubscribe"] = f"<{off}>"
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        text = render_to_string("mail/alarm.txt", context)
        yield Letter(address, subject, text, render_to_string("mail/alarm.html", context), headers)


def words_of(account: VppAccount, kind: Kind) -> StateWords:
    match kind:
        case Kind.EXPIRES:
            return WORDS[AccountState.EXPIRING]
        case Kind.EXPIRED:
            return WORDS[AccountState.EXPIRED]
    return WORDS[AccountState(account.state)]


def news(account: VppAccount, kind: Kind, now: datetime) -> str:
    """What happened, as short as a subject has to be."""
    match kind:
        case Kind.EXPIRES:
            zone = account.organization.zone
            end = account.token_expires_at.astimezone(zone)
            days = (end.date() - now.astimezone(zone).date()).days
            when = {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")
            return f"token expires {when} ({formats.date_format(end, 'j M Y')})"
        case Kind.EXPIRED:
            return "token has expired"
        case Kind.REVOKED:
            return "token is revoked by Apple"
        case Kind.CLAIMED:
            return "location is taken over by another MDM"
    if account.state == AccountState.NOT_VERIFIED:
        return "token not confirmed by Apple for 24 hours"
    return "sync has failed for 24 hours"


def facts_told(account: VppAccount, kind: Kind) -> list[tuple[str, str]]:
    told = [
        ("Organization", account.organization.name),
        ("Location at Apple", account.location_name),
    ]
    if kind in (Kind.EXPIRES, Kind.EXPIRED):
        return [*told, ("Token valid until", moment(account, account.token_expires_at))]
    told += [("Since", moment(account, account.state_since)), ("Reason", account.state_reason)]
    if kind == Kind.FAILING:
        told.append(("Last synced", moment(account, account.last_synced_at)))
    return [(name, value) for name, value in told if value]


def moment(account: VppAccount, value: datetime | None) -> str:
    if value is None:
        return "never"
    zone = account.organization.zone
    return f"{formats.date_format(value.astimezone(zone), 'j M Y H:i')} ({zone})"


def link(account: VppAccount, words: StateWords, membership: Membership | None) -> dict[str, str]:
    """To the page that helps, for those whom it lets in; to the account for the others."""
    if membership and membership.can_write:
        url = reverse(words.action_url, args=[account.organization_id, account.pk])
        return {"link_label": words.action_label, "link": f"{settings.BASE_URL}{url}"}
    url = reverse("licensing:mdm", args=[account.organization_id])
    link = f"{settings.BASE_URL}{url}#account-{account.pk}"
    return {"link_label": "Show the account", "link": link}


def alarms_off_url(membership: Membership) -> str:
    url = reverse("organizations:alarms_off", args=[alarms_off_token(membership)])
    return f"{settings.BASE_URL}{url}"
