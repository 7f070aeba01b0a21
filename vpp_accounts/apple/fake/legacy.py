"""As much of Apple's older services (v1) as another, older MDM needs to be at work here (3.2, 3.3).

The token is in the body, the status is always 200, and `status` in the answer tells how it went.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import orjson

from vpp_accounts.apple.fake.errors import Refused
from vpp_accounts.apple.fake.ids import digest
from vpp_accounts.apple.fake.paths import INVITATION, LOOKUP
from vpp_accounts.apple.fake.state import Asset, AssetKey, ClientUser, Location, Token
from vpp_accounts.apple.fake.wire import Answer, Json, Request

if TYPE_CHECKING:
    from vpp_accounts.apple.fake.fake import FakeApple

ROOT = "/mdm/"
MOST_LICENSES = 10
MOST_CONTEXT_BYTES = 256
USED_BY_V2 = "This content token is in use by a client of the App and Book Management API v2."

_TEXTS = {
    9600: "An argument is missing.",
    9602: "An argument is not valid.",
    9607: "The license is irrevocable.",
    9609: "The client user is not registered.",
    9610: "No license is available.",
    9616: "The license is assigned already.",
    9619: "The license is not associated.",
    9621: "The content token has expired.",
    9622: "The content token is not valid.",
    9628: "The license is not assignable to devices.",
    9645: "This location is managed by Apple's own service and is read-only here.",
}
_HOLDERS = {"ClientUserIdStrs": "user", "SerialNumbers": "serial"}
_FIELDS = {"user": "clientUserIdStr", "serial": "serialNumber"}


class Failed(Exception):
    def __init__(self, number: int) -> None:
        super().__init__(_TEXTS[number])
        self.number = number


def answer(apple: "FakeApple", request: Request) -> Answer:
    name = request.path.removeprefix(ROOT)
    try:
        if name == "VPPServiceConfigSrv":
            return Answer.json(_service_config(request))
        body = _body(request)
        location, token = _admitted(apple, body)
        with apple.lock:
            done = SERVICES[name](apple, location, body)
            apple.revision += 1
        return Answer.json({"status": 0} | done | _envelope(location, token))
    except Failed as failed:
        shown = Answer.json({"status": -1, **_error(failed.number)})
        shown.number = failed.number
        return shown


def _service_config(request: Request) -> Json:
    return {
        "status": 0,
        "clientConfigSrvUrl": f"{request.base_url}{ROOT}VPPClientConfigSrv",
        "registerUserSrvUrl": f"{request.base_url}{ROOT}registerVPPUserSrv",
        "manageVPPLicensesByAdamIdSrvUrl": f"{request.base_url}{ROOT}manageVPPLicensesByAdamIdSrv",
        "contentMetadataLookupUrl": request.base_url + LOOKUP,
        "invitationEmailUrl": f"{request.base_url}{INVITATION}?inviteCode=%25inviteCode%25&mt=8",
        "maxBatchAssociateLicenseCount": MOST_LICENSES,
        "maxBatchDisassociateLicenseCount": MOST_LICENSES,
        "errorCodes": [_error(number) for number in _TEXTS],
    }


def _client_config(apple: "FakeApple", location: Location, body: Json) -> Json:
    context = body.get("clientContext")
    if context is not None:
        if not isinstance(context, str) or len(context.encode()) >= MOST_CONTEXT_BYTES:
            raise Failed(9602)
        location.client_context = context
    organization = int.from_bytes(digest(location.org_name)[:6])
    return {
        "countryCode": location.country,
        "defaultPlatform": location.platform,
        "organizationId": organization,
        "organizationIdHash": digest(organization)[:20].hex(),
    }


def _register(apple: "FakeApple", location: Location, body: Json) -> Json:
    """Unlike its successor, this answers the active user if there is one."""
    name = body.get("clientUserIdStr")
    if not name or not isinstance(name, str):
        raise Failed(9600)
    user = location.active_user(name)
    if user is None:
        (user,) = apple.add_users(location.uid, [{"clientUserId": name, "email": _mail(body)}])
    return {"user": _user(user)}


def _manage(apple: "FakeApple", location: Location, body: Json) -> Json:
    """Takes back first, then gives; each target succeeds or fails for itself."""
    if location.managed_by_apple:
        raise Failed(9645)
    key = AssetKey(str(body.get("adamIdStr", "")), str(body.get("pricingParam", "STDQ")))
    asset = location.assets.get(key)
    if asset is None:
        raise Failed(9602)
    wanted = {verb: list(_targets(body, verb)) for verb in ("disassociate", "associate")}
    taken = [_take(location, asset, *target) for target in wanted["disassociate"]]
    given = [_give(location, asset, *target) for target in wanted["associate"]]
    _tell(apple, location, asset, "DISASSOCIATE", taken)
    _tell(apple, location, asset, "ASSOCIATE", given)
    failed = any("errorNumber" in row for row in taken + given)
    return {"status": -3 if failed else 0, "associations": given, "disassociations": taken}


SERVICES: dict[str, Callable[["FakeApple", Location, Json], Json]] = {
    "VPPClientConfigSrv": _client_config,
    "registerVPPUserSrv": _register,
    "manageVPPLicensesByAdamIdSrv": _manage,
}


def _targets(body: Json, verb: str) -> Iterable[tuple[str, str]]:
    given = [
        (holder, body[verb + ending])
        for ending, holder in _HOLDERS.items()
        if verb + ending in body
    ]
    if len(given) > 1 or any(
        not isinstance(names, list) or len(names) > MOST_LICENSES for _, names in given
    ):
        raise Failed(9602)
    return [(holder, str(name)) for holder, names in given for name in names]


def _take(location: Location, asset: Asset, holder: str, name: str) -> Json:
    if not asset.revocable:
        return _row(asset, holder, name, 9607)
    taken = location.take(asset, holder, [name])
    return _row(asset, holder, name, 0 if taken else 9619)


def _give(location: Location, asset: Asset, holder: str, name: str) -> Json:
    return _row(asset, holder, name, _given(location, asset, holder, name))


def _given(location: Location, asset: Asset, holder: str, name: str) -> int:
    if holder == "serial" and not asset.device_assignable:
        return 9628
    if holder == "user" and not location.active_user(name):
        return 9609
    if name in asset.holders(holder):
        return 9616
    if asset.available < 1:
        return 9610
    location.give(asset, holder, [name])
    return 0


def _row(asset: Asset, holder: str, name: str, number: int) -> Json:
    shown: Json = {_FIELDS[holder]: name}
    if number:
        return shown | _error(number)
    return shown | {"licenseIdStr": str(int.from_bytes(digest(*asset.key, name)[:6]))}


def _tell(
    apple: "FakeApple", location: Location, asset: Asset, kind: str, rows: list[Json]
) -> None:
    title = {"adamId": asset.adam_id, "pricingParam": asset.pricing_param}
    names = {"clientUserIdStr": "clientUserId", "serialNumber": "serialNumber"}
    done = [
        title | {names[field]: row[field] for field in names if field in row}
        for row in rows
        if "errorNumber" not in row
    ]
    if done:
        told = {"eventId": apple.ids.uuid("event"), "type": kind, "result": "SUCCESS"}
        apple.tell_in_parts(location, "ASSET_MANAGEMENT", told, "assignments", done)


def _admitted(apple: "FakeApple", body: Json) -> tuple[Location, Token]:
    try:
        location, token = apple.token_of(str(body.get("sToken", "")))
    except Refused:
        raise Failed(9622) from None
    if token.revoked:
        raise Failed(9622)
    if token.expires <= apple.clock.now():
        raise Failed(9621)
    return location, token


def _envelope(location: Location, token: Token) -> Json:
    shown: Json = {"uId": location.uid, "expirationMillis": int(token.expires * 1000)}
    place = {"locationId": int(location.uid[:12]), "locationName": location.name}
    context = USED_BY_V2 if location.mdm_info else location.client_context
    return shown | {"location": place} | ({"clientContext": context} if context else {})


def _user(user: ClientUser) -> Json:
    shown: Json = {"userId": int.from_bytes(digest(user.client_user_id)[:6])}
    shown |= {"clientUserIdStr": user.client_user_id, "email": user.email, "status": user.status}
    if user.status == "Registered":
        shown["inviteCode"] = user.invite_code
    return shown | ({"itsIdHash": user.id_hash} if user.id_hash else {})


def _body(request: Request) -> Json:
    try:
        body: Any = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        raise Failed(9602) from None
    if not isinstance(body, dict):
        raise Failed(9602)
    return body


def _mail(body: Json) -> str:
    return str(body.get("email", ""))


def _error(number: int) -> Json:
    return {"errorNumber": number, "errorMessage": _TEXTS[number]}
