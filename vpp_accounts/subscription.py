"""Whether Apple notifies us: looked at in every sync, and put right where it is not so.

Apple keeps one address, one bearer and one set of types for a location, and tries a new address
before it takes it. Where notifications cannot be had, or are refused, we poll; the account says why.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from ipaddress import ip_address
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.urls import reverse

from organizations import audit
from vpp_accounts.apple import errors
from vpp_accounts.apple.client import AppleClient
from vpp_accounts.apple.types import ClientConfig
from vpp_accounts.claims import our_mdm_info
from vpp_accounts.health import SYSTEM
from vpp_accounts.models import Notifications, VppAccount

log = structlog.get_logger(__name__)

# Those we make something of. Apple's answer shows which of them it has.
KNOWN_TYPES = (
    "ASSET_MANAGEMENT",
    "ASSET_COUNT",
    "USER_MANAGEMENT",
    "USER_ASSOCIATED",
    "UNLIMITED_ASSET",
)
NO_RIGHT_TO_WRITE = 9637
PRIVATE_NAMES = ("localhost", ".localhost", ".local", ".internal")

# How a sync writes: a short transaction that only the holder of its lease can commit.
Transaction = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Keep:
    """All is as it should be; `secret_hash` is of the bearer that Apple uses."""

    secret_hash: str


@dataclass(frozen=True, slots=True)
class Subscribe:
    url: str
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Poll:
    """No notifications. `unsubscribe`: Apple still sends some, and is to be told."""

    reason: str
    unsubscribe: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """What the account knows: the hashes of its secrets, and what came of it last time."""

    secret_hash: str = ""
    new_secret_hash: str = ""
    mode: str = Notifications.NOT_SET_UP
    reason: str = ""

    @classmethod
    def by(cls, account: VppAccount) -> Held:
        return cls(
            secret_hash=account.notification_secret_hash,
            new_secret_hash=account.notification_new_secret_hash,
            mode=account.notifications_mode,
            reason=account.notifications_reason,
        )

    def subscribed(self, secret_hash: str) -> Held:
        """With that secret as the only good one."""
        return Held(secret_hash=secret_hash, mode=Notifications.ON)

    def has_refusal_of(self, url: str) -> bool:
        """Each refusal names the address; another one is worth a try at once."""
        return self.mode == Notifications.POLLING and url in self.reason


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def why_polling(setting: str, base_url: str) -> str:
    """Why Apple is not asked to notify this installation; empty where it is."""
    if setting == "off":
        return "APPLE_NOTIFICATIONS is off. Set it to auto to hear of changes at once."
    if setting == "on":
        return ""
    if not base_url.startswith("https://"):
        return (
            f"Apple sends notifications to https addresses only, and BASE_URL is {base_url}. "
            "Set BASE_URL to the public https address of this server."
        )
    if _is_private(urlsplit(base_url).hostname or ""):
        return (
            f"Apple cannot reach {base_url}, which is BASE_URL, from the internet. "
            "Set BASE_URL to the public https address of this server."
        )
    return ""


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(PRIVATE_NAMES)


def wanted_types(offered: Collection[str]) -> tuple[str, ...]:
    """Of those we know the ones that service/config lists; all of them if it lists none."""
    return tuple(name for name in KNOWN_TYPES if name in offered) or KNOWN_TYPES


def plan_subscription(
    said: ClientConfig,
    held: Held,
    *,
    url: str,
    types: Collection[str],
    why_not: str = "",
    is_due: bool = False,
    may_write: bool = True,
) -> Keep | Subscribe | Poll:
    """Compare what Apple says with what we want.

    `why_not` speaks against notifications at all. `is_due`: what Apple refused before is tried again.
    An account whose token is new (`NOT_SET_UP`) gets a new secret, unless Apple uses that already.
    """
    if why_not:
        is_news = is_due or held.mode != Notifications.POLLING
        return Poll(why_not, unsubscribe=may_write and is_news and _comes_here(said, url))
    in_use = _hash_in_use(said, held, url=url, types=types)
    is_settled = held.mode != Notifications.NOT_SET_UP or in_use == held.new_secret_hash
    if in_use and (is_settled or not may_write):
        return Keep(in_use)
    if not may_write:
        return Poll(refusal_in_words(NO_RIGHT_TO_WRITE, url))
    if held.has_refusal_of(url) and not is_due:
        return Poll(held.reason)
    return Subscribe(url, tuple(types))


def _comes_here(said: ClientConfig, url: str) -> bool:
    """The account's own part of the address, since BASE_URL may have changed."""
    own = url.rpartition("/")[2]
    return bool(said.notification_types) and own in (said.notification_url or "")


def _hash_in_use(said: ClientConfig, held: Held, *, url: str, types: Collection[str]) -> str:
    """Of the bearer, where Apple has our address, every type and a secret of ours; else empty."""
    if said.notification_url != url or not set(types) <= set(said.notification_types):
        return ""
    in_use = hash_of(said.notification_auth_token or "")
    return in_use if in_use in (held.secret_hash, held.new_secret_hash) else ""


READ_ONLY = "Apple lets this token read but not change anything, such as sending to {url}."
WHAT_REFUSALS_MEAN = {
    9637: READ_ONLY,
    9645: READ_ONLY,
    9711: "Apple takes no address as long as {url} (9711): shorten BASE_URL.",
    9712: "Apple does not take {url} (9712): BASE_URL must be https, a host and a path only.",
    9728: "Apple could not reach {url} (9728): check DNS, certificate and firewall.",
}


def refusal_in_words(number: int | None, url: str) -> str:
    """Names the address (see `has_refusal_of`), and never Apple's text, which may quote the secret."""
    other = f"Apple refused to send to {{url}} ({number or 'no number'})."
    sentence = WHAT_REFUSALS_MEAN.get(number or 0, other).format(url=url)
    return f"{sentence} It is tried again with the next full sync."


def keep_subscribed(
    client: AppleClient,
    account: VppAccount,
    said: ClientConfig,
    *,
    is_due: bool,
    may_write: bool,
    transaction: Transaction,
) -> None:
    """Bring about what the plan says. A refusal is told on the account and stops nothing."""
    held = Held.by(account)
    plan = plan_subscription(
        said,
        held,
        url=settings.BASE_URL + reverse("vpp_accounts:receive_notification", args=[account.uuid]),
        types=wanted_types(client.service_config().notification_types),
        why_not=why_polling(settings.APPLE_NOTIFICATIONS, settings.BASE_URL),
        is_due=is_due,
        may_write=may_write,
    )
    match plan:
        case Keep(secret_hash):
            outcome = held.subscribed(secret_hash)
        case Subscribe():
            outcome = _subscribe(client, account, plan, transaction)
        case Poll(reason, unsubscribe):
            if unsubscribe:
                _unsubscribe(client, account)
            outcome = replace(held, mode=Notifications.POLLING, reason=reason)
    _save(account, outcome, transaction)


def _subscribe(
    client: AppleClient, account: VppAccount, plan: Subscribe, transaction: Transaction
) -> Held:
    secret = secrets.token_urlsafe(32)
    # Committed first, since Apple tries the address within the call.
    _save(account, replace(Held.by(account), new_secret_hash=hash_of(secret)), transaction)
    held = Held.by(account)
    try:
        client.set_client_config(
            # Nobody knows whether Apple keeps what a call leaves out.
            mdm_info=our_mdm_info(account),
            notification_url=plan.url,
            notification_auth_token=secret,
            notification_types=plan.types,
        )
    except (errors.TokenDead, errors.ClaimedByAnother):
        raise
    except errors.AppleError as error:
        log.warning("subscription.failed", account=account.pk, number=error.number)
        return _after_failure(held, error, plan.url)
    return held.subscribed(held.new_secret_hash)


def _after_failure(held: Held, error: errors.AppleError, url: str) -> Held:
    """Every secret that Apple may be using stays good."""
    if isinstance(error, errors.Unavailable) and error.may_be_done:
        lost = "Apple's answer to our request got lost. The next sync looks what came of it."
        return replace(held, mode=Notifications.NOT_SET_UP, reason=lost)
    held = replace(held, new_secret_hash="")
    if isinstance(error, errors.Unavailable | errors.Throttled):
        busy = "Apple had no time for our request. The next sync repeats it."
        return replace(held, mode=Notifications.NOT_SET_UP, reason=busy)
    return replace(held, mode=Notifications.POLLING, reason=refusal_in_words(error.number, url))


def _unsubscribe(client: AppleClient, account: VppAccount) -> None:
    """As well as it goes: what Apple sends all the same is stored and does no harm."""
    try:
        client.set_client_config(mdm_info=our_mdm_info(account), notification_types=())
    except (errors.TokenDead, errors.ClaimedByAnother):
        raise
    except errors.AppleError as error:
        log.warning("subscription.not_ended", account=account.pk, number=error.number)


def _save(account: VppAccount, after: Held, transaction: Transaction) -> None:
    before = Held.by(account)
    if after == before:
        return
    account.notification_secret_hash = after.secret_hash
    account.notification_new_secret_hash = after.new_secret_hash
    account.notifications_mode, account.notifications_reason = after.mode, after.reason[:500]
    with transaction():
        account.save(update_fields=_FIELDS)
        if (before.mode == Notifications.ON) != (after.mode == Notifications.ON):
            _tell(account)


_FIELDS = [
    "notification_secret_hash",
    "notification_new_secret_hash",
    "notifications_mode",
    "notifications_reason",
]


def _tell(account: VppAccount) -> None:
    if account.notifications_mode == Notifications.ON:
        _record("vpp_account.notifications_on", account)
    else:
        told = {"reason": account.notifications_reason}
        _record("vpp_account.notifications_off", account, told)


def _record(action: str, account: VppAccount, told: dict[str, str] | None = None) -> None:
    audit.record(action, by=SYSTEM, organization=account.organization, target=account, after=told)
