"""GET and POST client/config (protocol reference 2.4)."""

from typing import Any
from urllib.parse import urlsplit

from vpp_accounts.apple.fake.call import Call
from vpp_accounts.apple.fake.errors import Refused
from vpp_accounts.apple.fake.settings import Settings
from vpp_accounts.apple.fake.state import Subscription
from vpp_accounts.apple.fake.wire import Json

NOTIFICATION_TYPES = (
    "ASSET_MANAGEMENT",
    "ASSET_COUNT",
    "USER_MANAGEMENT",
    "USER_ASSOCIATED",
    "SUBSCRIPTION_MANAGEMENT",
    "SUBSCRIPTION_COUNT",
    "UNLIMITED_ASSET",
)
_TEXTS = ("notificationUrl", "notificationAuthToken")
_MDM_LIMITS = (
    ("id", "maxMdmIdLength", 9724),
    ("name", "maxMdmNameLength", 9725),
    ("metadata", "maxMdmMetadataLength", 9713),
)


def read(call: Call) -> Json:
    location = call.location
    with call.apple.lock:
        shown = {
            "countryISO2ACode": location.country,
            "defaultPlatform": location.platform,
            "locationName": location.name,
            "websiteURL": location.website_url,
        }
        return shown | _subscription_wire(location.subscription) | call.envelope()


def write(call: Call) -> Json:
    """Check everything, try the receiver, and only then keep what was sent."""
    body = call.json()
    if call.settings.guesses.null_clears_config:
        _clear(call, body)
    mdm_info = _mdm_info(body.get("mdmInfo"), call.settings)
    subscription = _subscription(call, body)
    # Outside the lock: the receiver may well ask the fake something before it answers.
    if subscription.url and subscription is not call.location.subscription:
        _try_receiver(call, subscription)
    call.apple.configure(call.location, mdm_info or _kept_claim(call), subscription)
    return read(call)


def _clear(call: Call, body: Json) -> None:
    """Take out of the body, and away from the location, what is null in it."""
    nulls = [name for name in ("mdmInfo", "notificationUrl") if body.get(name, "") is None]
    for name in (*nulls, *(_TEXTS if "notificationUrl" in nulls else ())):
        body.pop(name, None)
    location = call.location
    claim = None if "mdmInfo" in nulls else location.mdm_info
    receiver = Subscription() if "notificationUrl" in nulls else location.subscription
    call.apple.configure(location, claim, receiver)


def _kept_claim(call: Call) -> dict[str, str] | None:
    return call.location.mdm_info if call.settings.guesses.omitted_config_fields_stay else None


def _mdm_info(given: Any, settings: Settings) -> dict[str, str] | None:
    if given is None:
        return None
    if not isinstance(given, dict) or not all(isinstance(v, str) for v in given.values()):
        raise Refused(9602)
    if not all(given.get(key) for key in ("id", "name", "metadata")):
        raise Refused(9723)
    for key, limit, number in _MDM_LIMITS:
        if len(given[key]) > settings.limits[limit]:
            raise Refused(number)
    return {key: given[key] for key in ("id", "name", "metadata")}


def _subscription(call: Call, body: Json) -> Subscription:
    """What the location's subscription would be after this call."""
    stored = call.location.subscription
    if not any(name in body for name in (*_TEXTS, "notificationTypes")):
        return stored if call.settings.guesses.omitted_config_fields_stay else Subscription()
    url, auth_token = (_text(body, name) for name in _TEXTS)
    if bool(url) != bool(auth_token):
        raise Refused(9710)
    if url:
        _check_url(url, auth_token, call.settings)
    else:
        url, auth_token = stored.url, stored.auth_token
    return Subscription(url, auth_token, _types(body.get("notificationTypes", stored.types)))


def _text(body: Json, name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise Refused(9602)
    return value


def _types(given: Any) -> list[str]:
    allowed = (*NOTIFICATION_TYPES, "TEST_NOTIFICATION")
    if not isinstance(given, list) or not all(each in allowed for each in given):
        raise Refused(9602)
    return list(dict.fromkeys(given))


def _check_url(url: str, auth_token: str, settings: Settings) -> None:
    if max(len(url), len(auth_token)) > settings.limits["maxNotificationLength"]:
        raise Refused(9711)
    schemes = ("https", "http") if settings.allow_http_notification_urls else ("https",)
    try:
        parts = urlsplit(url)
        host = parts.hostname
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        raise Refused(9712) from None
    if parts.scheme not in schemes or not host or parts.query or parts.fragment:
        raise Refused(9712)


def _try_receiver(call: Call, subscription: Subscription) -> None:
    status = call.apple.notify(call.location, subscription, "TEST_NOTIFICATION", {})
    if status is None or not 200 <= status < 300:
        raise Refused(9728)


def _subscription_wire(subscription: Subscription) -> Json:
    shown: Json = {"subscribedNotificationTypes": subscription.types}
    if subscription.url:
        shown["notificationUrl"] = subscription.url
        shown["notificationAuthToken"] = subscription.auth_token
    return shown
