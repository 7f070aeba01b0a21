"""The POST endpoints that change licenses and users, and the status of their events (2.8 to 2.10).

A refusal here is synchronous: nothing was done and there is no event.
"""

import re
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from vpp_accounts.apple.fake.call import Call
from vpp_accounts.apple.fake.errors import Refused
from vpp_accounts.apple.fake.events import held_and_revocable
from vpp_accounts.apple.fake.state import Asset, AssetKey
from vpp_accounts.apple.fake.tasks import Pair
from vpp_accounts.apple.fake.wire import Json

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def associate(call: Call) -> Json:
    return _manage(call, "ASSOCIATE", _check_device_assignable)


def disassociate(call: Call) -> Json:
    return _manage(call, "DISASSOCIATE", _check_revocable)


def revoke(call: Call) -> Json:
    body = call.json()
    serials, users = _texts(body, "serialNumbers"), _texts(body, "clientUserIds")
    _check_targets(call, serials, users, "maxRevoke")
    with call.apple.lock:
        return _accepted(call, "REVOKE", held_and_revocable(call.location, serials, users))


def create_users(call: Call) -> Json:
    return _manage_users(call, "CREATE")


def update_users(call: Call) -> Json:
    return _manage_users(call, "UPDATE")


def retire_users(call: Call) -> Json:
    return _manage_users(call, "RETIRE")


def status(call: Call) -> Json:
    event_id = call.parameters.text("eventId")
    if event_id is None:
        raise Refused(9602)
    with call.apple.lock:
        event = call.apple.events.get(event_id)
        if event is None or event.uid != call.location.uid:
            raise Refused(9708)
        return event.wire() | call.envelope()


def _manage(call: Call, kind: str, check_flags: Callable[[Asset, bool], None]) -> Json:
    body = call.json()
    keys = _asset_keys(body)
    serials, users = _texts(body, "serialNumbers"), _texts(body, "clientUserIds")
    if not keys:
        raise Refused(9718)
    if not serials and not users:
        raise Refused(9719)
    if len(keys) > call.settings.limits["maxAssets"]:
        raise Refused(9700)
    _check_targets(call, serials, users, "max", assets=keys)
    with call.apple.lock:
        for key in keys:
            _check_asset(call, key, check_flags, to_devices=bool(serials))
        targets = [("serial", name) for name in serials] + [("user", name) for name in users]
        tasks = [Pair(*key, *target) for key in keys for target in targets]
        return _accepted(call, kind, tasks)


def _manage_users(call: Call, kind: str) -> Json:
    users = call.json().get("users")
    if not users:
        raise Refused(9720)
    if not isinstance(users, list) or not all(_is_user(user) for user in users):
        raise Refused(9602)
    if len(users) > call.settings.limits["maxUsers"]:
        raise Refused(9714)
    _check_unique([user["clientUserId"] for user in users], 9715)
    for user in users:
        if user.get("email") and not _EMAIL.fullmatch(user["email"]):
            raise Refused(9717, {"clientUserIds": [user["clientUserId"]]})
    if kind != "CREATE" and call.settings.guesses.unknown_users_are_refused:
        _check_known(call, [user["clientUserId"] for user in users])
    if kind == "RETIRE":
        users = [{"clientUserId": user["clientUserId"]} for user in users]
    with call.apple.lock:
        return _accepted(call, kind, users)


def _check_known(call: Call, names: list[str]) -> None:
    unknown = [name for name in names if not call.location.active_user(name)]
    if unknown:
        raise Refused(9609, {"clientUserIds": unknown})


def _accepted(call: Call, kind: str, tasks: list[Any]) -> Json:
    event = call.apple.begin_event(call.location, kind, tasks)
    call.request.begun.append(event)
    return {"eventId": event.id} | call.envelope()


def _asset_keys(body: Json) -> list[AssetKey]:
    assets = body.get("assets", [])
    if not isinstance(assets, list) or not all(isinstance(asset, dict) for asset in assets):
        raise Refused(9602)
    keys = [AssetKey(asset.get("adamId"), asset.get("pricingParam", "STDQ")) for asset in assets]
    if not all(isinstance(text, str) and text for key in keys for text in key):
        raise Refused(9602)
    return keys


def _texts(body: Json, name: str) -> list[str]:
    texts = body.get(name, [])
    if not isinstance(texts, list) or not all(text and isinstance(text, str) for text in texts):
        raise Refused(9602)
    return texts


def _is_user(user: Any) -> bool:
    return (
        isinstance(user, dict)
        and bool(user.get("clientUserId"))
        and all(isinstance(value, str) for value in user.values())
    )


def _check_targets(
    call: Call,
    serials: list[str],
    users: list[str],
    limit: str,
    *,
    assets: Sequence[AssetKey] = (),
) -> None:
    """First how many, then whether any stands twice."""
    if not serials and not users:
        raise Refused(9719)
    if len(users) > call.settings.limits[f"{limit}ClientUserIds"]:
        raise Refused(9701)
    if len(serials) > call.settings.limits[f"{limit}SerialNumbers"]:
        raise Refused(9702)
    _check_unique(assets, 9703)
    _check_unique(users, 9704)
    _check_unique(serials, 9705)


def _check_unique(names: Sequence[Hashable], number: int) -> None:
    if len(set(names)) < len(names):
        raise Refused(number)


def _check_asset(
    call: Call, key: AssetKey, check_flags: Callable[[Asset, bool], None], *, to_devices: bool
) -> None:
    asset = call.location.assets.get(key)
    if asset is not None:
        check_flags(asset, to_devices)
    elif call.settings.guesses.unknown_asset_number == 9602:
        raise Refused(9602)


def _check_device_assignable(asset: Asset, to_devices: bool) -> None:
    if to_devices and not asset.device_assignable:
        raise Refused(9707, _about(asset))


def _check_revocable(asset: Asset, to_devices: bool) -> None:
    if not asset.revocable:
        raise Refused(9706, _about(asset))


def _about(asset: Asset) -> Json:
    return {"assets": [{"adamId": asset.adam_id, "pricingParam": asset.pricing_param}]}
