"""Notifications: what Apple posts to a receiver, as values. No I/O.

Apple sends them up to three times within minutes, in any order, at most 100 rows each, and loses
some; none carries a time (protocol reference 2.12; Apple: "subscribing-to-notifications"). So they are
hints: what they say is confirmed by a read.

    ASSET_MANAGEMENT   asset_event       licenses given or taken back, or why not
    USER_MANAGEMENT    user_event        client users created, changed or retired, or why not
    USER_ASSOCIATED    associated_users  people who accepted their invitation
    ASSET_COUNT        counted_title     a title bought, refunded or transferred
"""

from dataclasses import dataclass
from typing import Any

import orjson

from vpp_accounts.apple.decoding import JsonObject, error_info, text_or_none, whole_or_none
from vpp_accounts.apple.errors import Unavailable
from vpp_accounts.apple.events import Failure
from vpp_accounts.apple.items import LONGEST_ADAM_ID, Unclear, each, identifier, needed
from vpp_accounts.apple.items import pricing_param as pricing_param_of
from vpp_accounts.apple.reading import assignment_page
from vpp_accounts.apple.types import Assignment, ClientUser, ErrorInfo, Unreadable

# Apple documents no lengths; its ids look like UUIDs.
LONGEST_ID = 200
LONGEST_KIND = 60
DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Delivery:
    """One notification as it arrived. `kind` is Apple's notificationType, known or not.

    `uid` is the location's, empty where Apple left it out; `content` the inner `notification`.
    """

    notification_id: str
    kind: str
    uid: str
    content: JsonObject


@dataclass(frozen=True, slots=True)
class EventNews:
    """How some tasks of an event ended; one event is told in several notifications.

    `type` is ASSOCIATE, DISASSOCIATE, REVOKE, CREATE, UPDATE or RETIRE; `event_id` is empty where Apple
    left it out. `failure` is None after a success. The users of a failure may have no status.
    """

    event_id: str
    type: str
    succeeded: bool
    assignments: tuple[Assignment, ...]
    users: tuple[ClientUser, ...]
    failure: Failure | None
    unreadable: tuple[Unreadable, ...]


def delivery(body: bytes) -> Delivery:
    """The outer object; raises `Unclear`, whose text says what is wrong with it."""
    data = _json_object(body)
    content = data.get("notification")
    if not isinstance(content, dict):
        raise Unclear("notification is not an object")
    if not _is_within(content, DEEPEST):
        raise Unclear(f"notification has more than {DEEPEST} levels")
    return Delivery(
        notification_id=_name(data, "notificationId", LONGEST_ID),
        kind=_name(data, "notificationType", LONGEST_KIND),
        uid=text_or_none(data.get("uId")) or "",
        content=content,
    )


def _json_object(body: bytes) -> JsonObject:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Unclear("the body is not JSON") from None
    if not isinstance(data, dict):
        raise Unclear("the body is not a JSON object")
    # No database keeps a NUL, and Apple has no use for one.
    if b"\\u0000" in body:
        raise Unclear("the body has a NUL in it")
    return data


def _is_within(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_within(item, levels - 1) for item in inner)


def _name(data: JsonObject, key: str, longest: int) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise Unclear(f"{key} is not a text of 1 to {longest} characters")
    return value


def asset_event(content: JsonObject) -> EventNews:
    """Of ASSET_MANAGEMENT."""
    page = assignment_page({"assignments": _rows(content, "assignments")}, 0)
    return _event(content, assignments=tuple(page.rows), unreadable=tuple(page.unreadable))


def user_event(content: JsonObject) -> EventNews:
    """Of USER_MANAGEMENT."""
    users, unreadable = each("user", _rows(content, "users"), _user)
    return _event(content, users=tuple(users), unreadable=tuple(unreadable))


def associated_users(content: JsonObject) -> list[ClientUser]:
    """Of USER_ASSOCIATED, which names no event."""
    return each("user", _rows(content, "associatedUsers"), _user)[0]


def counted_title(content: JsonObject) -> tuple[str, str]:
    """Of ASSET_COUNT: adamId and pricingParam. By how much the total moved is not worth reading."""
    adam_id = identifier(content, "adamId", longest=LONGEST_ADAM_ID)
    if adam_id is None:
        raise Unclear("no adamId")
    return adam_id, pricing_param_of(content)


def _event(
    content: JsonObject,
    *,
    assignments: tuple[Assignment, ...] = (),
    users: tuple[ClientUser, ...] = (),
    unreadable: tuple[Unreadable, ...],
) -> EventNews:
    succeeded = needed(content, "result") == "SUCCESS"
    return EventNews(
        event_id=identifier(content, "eventId") or "",
        type=needed(content, "type"),
        succeeded=succeeded,
        assignments=assignments,
        users=users,
        failure=None if succeeded else _failure(content.get("error")),
        unreadable=unreadable,
    )


def _failure(value: object) -> Failure:
    error = value if isinstance(value, dict) else {}
    return Failure(
        number=whole_or_none(error.get("errorNumber")) or 0,
        text=text_or_none(error.get("errorMessage")) or "",
        error_info=_about(error.get("errorInfo")),
    )


def _about(value: object) -> ErrorInfo | None:
    try:
        return error_info(value)
    except Unavailable:
        return None  # the number decides, and the rows say whom it met


def _rows(content: JsonObject, key: str) -> list[Any]:
    value = content.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Unclear(f"{key} is not a list")
    return value


def _user(item: JsonObject) -> ClientUser:
    return ClientUser(
        client_user_id=needed(item, "clientUserId"),
        status=text_or_none(item.get("status")) or "",
        email=text_or_none(item.get("email")),
        invite_code=text_or_none(item.get("inviteCode")),
        id_hash=text_or_none(item.get("idHash")),
    )
