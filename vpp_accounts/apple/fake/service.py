"""Apple's service below /mdm/v2: which requests are let in, and who answers each."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from vpp_accounts.apple.fake import client_config, reads, subscriptions, writes
from vpp_accounts.apple.fake.call import Call
from vpp_accounts.apple.fake.errors import Refused, all_errors
from vpp_accounts.apple.fake.paths import INVITATION, LOOKUP, ROOT
from vpp_accounts.apple.fake.state import Location, Token
from vpp_accounts.apple.fake.wire import Answer, Json, Request

if TYPE_CHECKING:
    from vpp_accounts.apple.fake.fake import FakeApple

ROUTES: dict[str, dict[str, Callable[[Call], Json]]] = {
    "/client/config": {"GET": client_config.read, "POST": client_config.write},
    "/assets": {"GET": reads.assets},
    "/assignments": {"GET": reads.assignments},
    "/users": {"GET": reads.users},
    "/assets/associate": {"POST": writes.associate},
    "/assets/disassociate": {"POST": writes.disassociate},
    "/assets/revoke": {"POST": writes.revoke},
    "/users/create": {"POST": writes.create_users},
    "/users/update": {"POST": writes.update_users},
    "/users/retire": {"POST": writes.retire_users},
    "/status": {"GET": writes.status},
}
_SUBSCRIPTIONS: dict[str, dict[str, Callable[[Call], Json]]] = {
    "/subscriptions": {"GET": subscriptions.list_subscriptions},
    "/subscriptions/assignments": {"GET": subscriptions.list_assignments},
    "/subscriptions/admins": {"GET": subscriptions.list_admins},
    "/subscriptions/enable": {"POST": subscriptions.enable},
    "/subscriptions/disable": {"POST": subscriptions.disable},
    "/subscriptions/associate": {"POST": subscriptions.associate},
    "/subscriptions/disassociate": {"POST": subscriptions.disassociate},
    "/subscriptions/admins/add": {"POST": subscriptions.add_admins},
    "/subscriptions/admins/remove": {"POST": subscriptions.remove_admins},
}
_WITHOUT_BODY = ("/subscriptions/enable", "/subscriptions/disable")


def answer(apple: "FakeApple", request: Request) -> Answer:
    path = request.path.removeprefix(ROOT)
    try:
        if path == "/service/config":
            return Answer.json(_service_config(apple, request))
        routes = routes_for(apple, apple.whose(request))
        if path not in routes:
            return Answer.json({"errorMessage": f"There is no {request.path}."}, 404)
        handler = _handler(routes, path, request)
        return Answer.json(handler(_admit(apple, request)))
    except Refused as refused:
        return refused.answer()


def routes_for(
    apple: "FakeApple", location: Location | None
) -> dict[str, dict[str, Callable[[Call], Json]]]:
    settings = location.settings(apple.settings) if location else apple.settings
    return ROUTES | _SUBSCRIPTIONS if settings.subscriptions else ROUTES


def _handler(
    routes: Mapping[str, Mapping[str, Callable[[Call], Json]]], path: str, request: Request
) -> Callable[[Call], Json]:
    handler = routes[path].get(request.method)
    if handler is None:
        raise Refused(9726)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    needs_json = request.method == "POST" and path not in _WITHOUT_BODY
    if needs_json and content_type != "application/json":
        raise Refused(9727)
    return handler


def _admit(apple: "FakeApple", request: Request) -> Call:
    """The order of the questions is part of the behaviour: header, token, state of the token, rate."""
    header = request.headers.get("authorization", "")
    if not header:
        raise Refused(9601)
    if not header.lower().startswith("bearer "):
        raise Refused(9722)
    location, token = apple.token_of(request.stoken)
    _check_token(token, apple.clock.now())
    settings = location.settings(apple.settings)
    if not apple.throttle.admits(location.uid, settings.max_request_per_second):
        raise Refused(9646)
    if request.method == "POST":
        _check_role(location, token)
    return Call(apple, request, location, token, settings)


def _check_token(token: Token, now: float) -> None:
    if token.revoked:
        raise Refused(token.number)
    if token.expires <= now:
        raise Refused(9621)
    if token.legacy:
        raise Refused(9647)


def _check_role(location: Location, token: Token) -> None:
    if location.managed_by_apple:
        raise Refused(9645)
    if any(each.account == token.manager and not each.may_write for each in location.managers):
        raise Refused(9637)


def _service_config(apple: "FakeApple", request: Request) -> Json:
    if request.method != "GET":
        raise Refused(9726)
    location = apple.whose(request)
    settings = location.settings(apple.settings) if location else apple.settings
    return {
        "limits": settings.limits,
        "notificationTypes": list(client_config.NOTIFICATION_TYPES),
        "errorCodes": all_errors(),
        "urls": _urls(request.base_url, settings.public_url or request.base_url),
    }


def _urls(base_url: str, public_url: str) -> dict[str, str]:
    service = base_url + ROOT
    return {
        "clientConfig": f"{service}/client/config",
        "getAssets": f"{service}/assets",
        "getAssignments": f"{service}/assignments",
        "getUsers": f"{service}/users",
        "createUsers": f"{service}/users/create",
        "updateUsers": f"{service}/users/update",
        "retireUsers": f"{service}/users/retire",
        "associateAssets": f"{service}/assets/associate",
        "disassociateAssets": f"{service}/assets/disassociate",
        "revokeAssets": f"{service}/assets/revoke",
        "eventStatus": f"{service}/status",
        "contentMetadataLookup": base_url + LOOKUP,
        # Apple's placeholder is percent-encoded once already.
        "invitationEmail": f"{public_url}{INVITATION}?inviteCode=%25inviteCode%25&mt=8",
    }
