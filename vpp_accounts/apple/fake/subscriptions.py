"""The subscription endpoints of /mdm/v2, where the setting `subscriptions` is on (2.15)."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import orjson

from vpp_accounts.apple.fake.call import Call
from vpp_accounts.apple.fake.errors import Refused
from vpp_accounts.apple.fake.state import Location
from vpp_accounts.apple.fake.wire import Json

T = TypeVar("T")


def enable(call: Call) -> Json:
    return _switch(call, enabled=True)


def disable(call: Call) -> Json:
    if call.location.plans:
        raise Refused(9818)
    return _switch(call, enabled=False)


def list_subscriptions(call: Call) -> Json:
    with call.apple.lock:
        plans = _plans(call)
        return _page(call, "subscriptions", plans, lambda plan: plan.wire())


def list_assignments(call: Call) -> Json:
    wanted = call.parameters.text("clientUserId")
    with call.apple.lock:
        rows = [
            seat.wire(plan, name)
            for plan in _plans(call)
            for name, seat in plan.seats.items()
            if wanted in (None, name)
        ]
        return _page(call, "assignments", rows, lambda row: row)


def list_admins(call: Call) -> Json:
    wanted = [_number(text) for text in call.parameters.texts("adamId")]
    shows_state = bool(call.parameters.boolean("includeUserState"))
    with call.apple.lock:
        rows = [
            (adam_id, name)
            for adam_id, plan in call.location.plans.items()
            if not wanted or adam_id in wanted
            for name in plan.admins
        ]
        return _page(call, "admins", rows, lambda row: _admin(call.location, *row, shows_state))


def associate(call: Call) -> Json:
    body = call.json()
    adam_ids, users = _targets(call, body)
    renewing = _flag(body, "renewing", default=True)
    with call.apple.lock:
        _check_plans(call.location, adam_ids)
        _check_associated(call.location, users)
        tasks = _tasks(adam_ids, users, {"renewing": renewing})
        return _accepted(call, "ASSOCIATE", tasks)


def disassociate(call: Call) -> Json:
    body = call.json()
    adam_ids, users = _targets(call, body)
    deferred = _flag(body, "deferred", default=False)
    with call.apple.lock:
        _check_plans(call.location, adam_ids)
        plans = [call.location.plans[adam_id] for adam_id in adam_ids]
        idle = [name for name in users if any(name not in plan.seats for plan in plans)]
        if idle:
            raise Refused(9815, {"clientUserIds": idle})
        return _accepted(call, "DISASSOCIATE", _tasks(adam_ids, users, {"deferred": deferred}))


def add_admins(call: Call) -> Json:
    return _change_admins(call, lambda admins, users: admins.update(dict.fromkeys(users)))


def remove_admins(call: Call) -> Json:
    def remove(admins: dict[str, None], users: list[str]) -> None:
        for name in users:
            admins.pop(name, None)

    return _change_admins(call, remove)


def _switch(call: Call, *, enabled: bool) -> Json:
    with call.apple.lock:
        call.location.subscriptions_enabled = enabled
        call.apple.revision += 1
        shown = {"mdmInfo": None, "subscriptionManagement": enabled}
        return shown | call.envelope()


def _change_admins(call: Call, change: Callable[[dict[str, None], list[str]], None]) -> Json:
    adam_ids, users = _targets(call, call.json())
    with call.apple.lock:
        _check_plans(call.location, adam_ids)
        _check_associated(call.location, users)
        for adam_id in adam_ids:
            change(call.location.plans[adam_id].admins, users)
        call.location.subscription_versions.bump()
        call.apple.revision += 1
        return _envelope(call)


def _accepted(call: Call, kind: str, tasks: list[Json]) -> Json:
    event = call.apple.begin_event(call.location, kind, tasks, is_about_seats=True)
    call.request.begun.append(event)
    return {"eventId": event.id} | call.envelope()


def _tasks(adam_ids: list[int], users: list[str], more: Json) -> list[Json]:
    return [
        {"adamId": adam_id, "clientUserId": name, **more} for adam_id in adam_ids for name in users
    ]


# What was asked for


def _targets(call: Call, body: Json) -> tuple[list[int], list[str]]:
    adam_ids = _listed(body, "adamIds", int)
    users = _listed(body, "clientUserIds", str)
    limits = call.settings.limits
    if len(adam_ids) > limits["maxSubscriptions"]:
        raise Refused(9816)
    if len(users) > limits["maxSubscriptionClientUserIds"]:
        raise Refused(9701)
    if len(set(adam_ids)) < len(adam_ids) or len(set(users)) < len(users):
        raise Refused(9811)
    return adam_ids, users


def _listed(body: Json, name: str, kind: type[T]) -> list[T]:
    """A list with at least one element, all of that kind; JSON's true is no number."""
    values = body.get(name)
    if not isinstance(values, list) or not values:
        raise Refused(9811)
    if not all(value and isinstance(value, kind) and value is not True for value in values):
        raise Refused(9811)
    return values


def _flag(body: Json, name: str, *, default: bool) -> bool:
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise Refused(9811)
    return value


def _check_plans(location: Location, adam_ids: list[int]) -> None:
    if not all(adam_id in location.plans for adam_id in adam_ids):
        raise Refused(9813)


def _check_associated(location: Location, users: list[str]) -> None:
    found = {name: location.active_user(name) for name in users}
    others = [name for name, user in found.items() if not user or user.status != "Associated"]
    if others:
        raise Refused(9814, {"clientUserIds": others})


def _plans(call: Call) -> list[Any]:
    parent, own = (call.parameters.text(name) for name in ("parentAdamId", "adamId"))
    return [
        plan
        for plan in call.location.plans.values()
        if parent is None or plan.parent_adam_id == _number(parent)
        if own is None or plan.adam_id == _number(own)
    ]


def _number(text: str) -> int:
    if not text.isdigit():
        raise Refused(9813)
    return int(text)


def _admin(location: Location, adam_id: int, name: str, shows_state: bool) -> Json:
    user = location.records(name)[-1]
    shown: Json = {"adamId": adam_id, "clientUserId": name, "idHash": user.id_hash}
    return shown | ({"userStatus": user.status} if shows_state else {})


# Cursors


def _page(call: Call, name: str, rows: Sequence[T], wire: Callable[[T], Json]) -> Json:
    start, size = _start(call), call.settings.page_size
    page = rows[start : start + size]
    body: Json = {name: [wire(row) for row in page]}
    # Apple's own examples have a cursor on their only page, so that one more, empty, has to follow.
    one_more = call.settings.guesses.subscriptions_end_with_empty_page and page
    if start + size < len(rows) or one_more:
        body["nextCursor"] = _cursor(call, start + len(page))
    return body | _envelope(call)


def _envelope(call: Call) -> Json:
    """As on other answers, but without mdmInfo."""
    shown = call.envelope()
    shown.pop("mdmInfo", None)
    return shown | {"versionId": call.location.subscription_versions.id}


def _start(call: Call) -> int:
    cursor = call.parameters.text("cursor")
    if cursor is None:
        return 0
    try:
        scope, start = orjson.loads(base64.urlsafe_b64decode(cursor))
    except (binascii.Error, ValueError, TypeError):
        raise Refused(9812) from None
    if scope != _scope(call) or not isinstance(start, int):
        raise Refused(9812)
    return start


def _cursor(call: Call, start: int) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([_scope(call), start])).decode()


def _scope(call: Call) -> list[str]:
    """A cursor goes on with the list that it came from, and with no other."""
    return [call.location.uid, call.request.path]
