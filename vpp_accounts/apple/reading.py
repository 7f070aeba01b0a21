"""From a JSON object of Apple's to our types. No I/O.

Sources are Apple's pages getassetsresponse, getassignmentsresponse, getusersresponse,
clientconfigresponse and serviceconfigresponse (protocol reference 2.3 to 2.7).
"""

from collections.abc import Iterable
from dataclasses import fields
from functools import partial
from operator import is_
from sys import intern
from typing import Any, TypeVar, cast

from vpp_accounts.apple.decoding import (
    JsonObject,
    listed,
    mdm_info,
    moment,
    text_or_none,
    truth,
    whole_or_none,
)
from vpp_accounts.apple.errors import Unavailable
from vpp_accounts.apple.items import (
    LARGEST_COUNT,
    LONGEST_ADAM_ID,
    LONGEST_HOLDER,
    Unclear,
    count,
    each,
    identifier,
    needed,
    pricing_param,
    texts,
    wire_name,
)
from vpp_accounts.apple.types import (
    UNLIMITED,
    Asset,
    Assignment,
    ClientConfig,
    ClientUser,
    Limits,
    Page,
    ServiceConfig,
    Unreadable,
)

T = TypeVar("T")

_new_assignment = partial(tuple.__new__, Assignment)


def service_config(data: JsonObject) -> ServiceConfig:
    urls = data.get("urls")
    return ServiceConfig(
        limits=_limits(data.get("limits")),
        urls={k: v for k, v in urls.items() if isinstance(v, str)}
        if isinstance(urls, dict)
        else {},
        notification_types=texts(data, "notificationTypes"),
    )


def _limits(value: object) -> Limits:
    sent = value if isinstance(value, dict) else {}
    numbers = {
        field.name: whole_or_none(sent.get(wire_name(field.name))) for field in fields(Limits)
    }
    return Limits(**{name: number for name, number in numbers.items() if number and number > 0})


def client_config(data: JsonObject) -> ClientConfig:
    uid = text_or_none(data.get("uId"))
    if uid is None:
        raise Unavailable("Apple's answer does not say which location it is about (no uId)")
    return ClientConfig(
        uid=uid,
        location_name=text_or_none(data.get("locationName")) or "",
        country=text_or_none(data.get("countryISO2ACode")) or "",
        default_platform=text_or_none(data.get("defaultPlatform")) or "",
        website_url=text_or_none(data.get("websiteURL")) or "",
        token_expires_at=moment(data.get("tokenExpirationDate")),
        mdm_info=mdm_info(data),
        notification_url=text_or_none(data.get("notificationUrl")),
        notification_auth_token=text_or_none(data.get("notificationAuthToken")),
        notification_types=texts(data, "subscribedNotificationTypes"),
    )


def asset_page(data: JsonObject, index: int) -> Page[Asset]:
    limited, unreadable = each("asset", _records(data, "assets", index), _asset)
    endless = [
        {**item, "totalCount": UNLIMITED} if isinstance(item, dict) else item
        for item in listed(data, "unlimitedAssets")
    ]
    unlimited, also_unreadable = each("asset", endless, _asset)
    return _page(data, index, limited + unlimited, unreadable + also_unreadable)


def assignment_page(data: JsonObject, index: int) -> Page[Assignment]:
    items = _records(data, "assignments", index)
    rows = _plain_assignments(items)
    if rows is None:
        return _page(data, index, *each("assignment", items, _assignment))
    return _page(data, index, rows, [])


def user_page(data: JsonObject, index: int) -> Page[ClientUser]:
    return _page(data, index, *each("user", _records(data, "users", index), _user))


def _records(data: JsonObject, key: str, index: int) -> list[Any]:
    if key not in data and (whole_or_none(data.get("size")) or 0) > 0:
        raise Unavailable(f"Page {index} announces records but carries no {key}")
    return listed(data, key)


def _page(data: JsonObject, index: int, rows: list[T], unreadable: list[Unreadable]) -> Page[T]:
    answered = whole_or_none(data.get("currentPageIndex"))
    if answered is not None and answered != index:
        # Taking it would count one page twice and lose another without anybody noticing.
        raise Unavailable(f"Apple answered page {answered} when page {index} was asked for")
    next_index = whole_or_none(data.get("nextPageIndex"))
    return Page(
        rows=rows,
        index=index,
        total_pages=max(
            whole_or_none(data.get("totalPages")) or 0, index + 1, (next_index or 0) + 1
        ),
        next_index=next_index,
        version_id=text_or_none(data.get("versionId")) or "",
        unreadable=unreadable,
    )


def _plain_assignments(items: list[Any]) -> list[Assignment] | None:
    """All items at once, or None when one of them needs a closer look.

    Columns instead of rows, because that keeps the loops in C. Interning checks that the value is a
    text and lets a million rows share the few different ones.
    """
    try:
        adam_ids = [intern(item["adamId"]) for item in items]
        pricing_params = [intern(item["pricingParam"]) for item in items]
        users = [item.get("clientUserId") or None for item in items]
        serials = [item.get("serialNumber") or None for item in items]
        # Joining raises unless all are texts.
        odd = "\x00" in "".join(filter(None, users)) or "\x00" in "".join(filter(None, serials))
    except (AttributeError, KeyError, TypeError):
        return None
    if odd or max(map(_longest, (users, serials))) > LONGEST_HOLDER:
        return None
    if _longest(set(adam_ids)) > LONGEST_ADAM_ID:
        return None
    no_user = [user is None for user in users]
    no_serial = [serial is None for serial in serials]
    if any(map(is_, no_user, no_serial)):
        return None
    return cast(
        list[Assignment],
        list(map(_new_assignment, zip(adam_ids, pricing_params, users, serials, strict=True))),
    )


def _longest(texts_or_none: Iterable[str | None]) -> int:
    return max(map(len, filter(None, texts_or_none)), default=0)


def _assignment(item: JsonObject) -> Assignment:
    user = identifier(item, "clientUserId")
    serial = identifier(item, "serialNumber")
    if (user is None) == (serial is None):
        raise Unclear("needs either clientUserId or serialNumber")
    return Assignment(intern(_adam_id(item)), intern(pricing_param(item)), user, serial)


def _adam_id(item: JsonObject) -> str:
    adam_id = identifier(item, "adamId", longest=LONGEST_ADAM_ID)
    if adam_id is None:
        raise Unclear("no adamId")
    return adam_id


def _license_count(item: JsonObject, key: str) -> int | None:
    value = count(item, key)
    if value is not None and abs(value) > LARGEST_COUNT:
        raise Unclear(f"{key} is beyond 32 bits")
    return value


def _asset(item: JsonObject) -> Asset:
    product_type = text_or_none(item.get("productType")) or "App"
    total, assigned, retired = (
        _license_count(item, key) for key in ("totalCount", "assignedCount", "retiredCount")
    )
    if total is None:
        raise Unclear("no totalCount")
    left = total if total >= UNLIMITED else max(0, total - (assigned or 0) - (retired or 0))
    available = _license_count(item, "availableCount")
    return Asset(
        adam_id=_adam_id(item),
        pricing_param=pricing_param(item),
        product_type=product_type,
        assigned_count=assigned or 0,
        available_count=left if available is None else available,
        retired_count=retired or 0,
        total_count=total,
        # Books can neither go to a device nor come back (protocol reference 6.1).
        device_assignable=truth(item.get("deviceAssignable"), default=product_type != "Book"),
        revocable=truth(item.get("revocable"), default=product_type != "Book"),
        supported_platforms=texts(item, "supportedPlatforms"),
    )


def _user(item: JsonObject) -> ClientUser:
    return ClientUser(
        client_user_id=needed(item, "clientUserId"),
        status=needed(item, "status"),
        email=text_or_none(item.get("email")),
        invite_code=text_or_none(item.get("inviteCode")),
        id_hash=text_or_none(item.get("idHash")),
    )
