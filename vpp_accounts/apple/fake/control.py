"""The control API for programs: JSON in, JSON out, below /control/."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson

from vpp_accounts.apple.fake import inspecting
from vpp_accounts.apple.fake.settings import snake
from vpp_accounts.apple.fake.wire import Answer, Json, NotHere, Rejected, Request

if TYPE_CHECKING:
    from vpp_accounts.apple.fake.fake import FakeApple


class Asked:
    """One call: the parts of its path, its query, and its body read key by key."""

    def __init__(self, apple: "FakeApple", request: Request, parts: dict[str, str]) -> None:
        self.apple = apple
        self.parts = parts
        self.query = request.query
        self._body = _body(request)

    @property
    def uid(self) -> str:
        return self.parts["uid"]

    def need(self, name: str) -> Any:
        if name not in self._body:
            raise Rejected(f"{name} is missing.")
        return self._body.pop(name)

    def given(self, *names: str) -> Json:
        """The optional keys that were sent, in Python's spelling."""
        return {snake(name): self._body.pop(name) for name in names if name in self._body}

    def rest(self) -> Json:
        rest, self._body = self._body, {}
        return rest

    def no_more(self) -> None:
        if self._body:
            raise Rejected(f"Nobody knows {', '.join(sorted(self._body))} here.")


def answer(apple: "FakeApple", request: Request) -> Answer:
    try:
        action, parts = _find(request)
        return Answer.json(action(Asked(apple, request, parts)))
    except Rejected as rejected:
        return Answer.json({"error": str(rejected)}, rejected.status)
    except (TypeError, ValueError, AttributeError) as wrong:
        return Answer.json({"error": f"A value has the wrong type: {wrong}."}, 400)


def _find(request: Request) -> tuple[Callable[[Asked], Json], dict[str, str]]:
    path = request.path.removeprefix("/control")
    matches = [(methods, pattern.fullmatch(path)) for pattern, methods in _ROUTES]
    for methods, match in matches:
        if match and request.method in methods:
            return methods[request.method], match.groupdict()
        if match:
            raise Rejected(f"{request.path} takes {', '.join(methods)}.")
    raise NotHere(f"There is no {request.path}.")


def _body(request: Request) -> Json:
    if not request.body:
        return {}
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        raise Rejected("The body is not JSON.") from None
    if not isinstance(body, dict):
        raise Rejected("The body is not a JSON object.")
    return body


def list_locations(asked: Asked) -> Json:
    return {"locations": [inspecting.summary(each) for each in asked.apple.locations.values()]}


def create_location(asked: Asked) -> Json:
    given = asked.given("orgName", "country", "platform", "expires")
    name = asked.need("name")
    asked.no_more()
    location = asked.apple.create_location(name=name, **given)
    shown = {"uId": location.uid, "locationName": location.name}
    return shown | {"token": location.tokens[-1].text}


def issue_token(asked: Asked) -> Json:
    given = asked.given("expires", "legacy")
    revoke = asked.given("revokeOlder").get("revoke_older")
    asked.no_more()
    return {"token": asked.apple.issue_token(asked.uid, revoke_older=revoke, **given)}


def revoke_tokens(asked: Asked) -> Json:
    asked.apple.revoke_tokens(asked.uid)
    return {"revoked": len(asked.apple.location(asked.uid).tokens)}


def purchase(asked: Asked) -> Json:
    adam_id = asked.need("adamId")
    given = asked.given(
        "quantity",
        "pricingParam",
        "productType",
        "unlimited",
        "deviceAssignable",
        "revocable",
        "supportedPlatforms",
        "name",
    )
    asked.no_more()
    asset = asked.apple.purchase(asked.uid, adam_id, **given)
    return inspecting.asset(asset)


def fill(asked: Asked) -> Json:
    adam_id, assignments = asked.need("adamId"), asked.need("assignments")
    given = asked.given("holder", "pricingParam")
    asked.no_more()
    return {"assigned": asked.apple.fill(asked.uid, adam_id, assignments, **given)}


def replace(asked: Asked) -> Json:
    adam_id, fraction = asked.need("adamId"), asked.need("fraction")
    given = asked.given("pricingParam")
    asked.no_more()
    return {"replaced": asked.apple.replace(asked.uid, adam_id, fraction, **given)}


def assign(asked: Asked) -> Json:
    adam_id, given = _targets(asked)
    return {"assigned": asked.apple.assign(asked.uid, adam_id, **given)}


def unassign(asked: Asked) -> Json:
    adam_id, given = _targets(asked)
    return {"unassigned": asked.apple.unassign(asked.uid, adam_id, **given)}


def _targets(asked: Asked) -> tuple[str, Json]:
    adam_id = asked.need("adamId")
    given = asked.given("pricingParam", "serialNumbers", "clientUserIds")
    asked.no_more()
    for name in ("serial_numbers", "client_user_ids"):
        names = given.get(name, [])
        if not isinstance(names, list) or not all(n and isinstance(n, str) for n in names):
            raise Rejected("serialNumbers and clientUserIds are lists of texts.")
    return adam_id, given


def add_users(asked: Asked) -> Json:
    users = asked.need("users")
    asked.no_more()
    return {"users": [user.wire() for user in asked.apple.add_users(asked.uid, users)]}


def claim(asked: Asked) -> Json:
    asked.apple.claim(asked.uid, asked.rest())
    return inspecting.summary(asked.apple.location(asked.uid))


def unclaim(asked: Asked) -> Json:
    asked.apple.unclaim(asked.uid)
    return inspecting.summary(asked.apple.location(asked.uid))


def rename(asked: Asked) -> Json:
    name = asked.need("name")
    asked.no_more()
    asked.apple.rename(asked.uid, name)
    return inspecting.summary(asked.apple.location(asked.uid))


def transfer(asked: Asked) -> Json:
    source, target = asked.need("from"), asked.need("to")
    adam_id, quantity = asked.need("adamId"), asked.need("quantity")
    given = asked.given("pricingParam")
    asked.no_more()
    asked.apple.transfer(source, target, adam_id, quantity, **given)
    return {"transferred": quantity}


def accept_invitation(asked: Asked) -> Json:
    account = asked.need("appleAccount")
    asked.no_more()
    return asked.apple.accept_invitation(asked.parts["code"], account).wire()


def list_faults(asked: Asked) -> Json:
    return asked.apple.faults.wire()


def set_fault(asked: Asked) -> Json:
    name = asked.need("fault")
    uid = asked.given("uId").get("u_id")
    given = asked.given("path", "times", "after", "probability", "args")
    asked.no_more()
    return {"id": asked.apple.set_fault(name, uid=uid, **given)}


def clear_faults(asked: Asked) -> Json:
    asked.apple.faults.clear()
    return {}


def remove_fault(asked: Asked) -> Json:
    asked.apple.faults.remove(asked.parts["id"])
    return {}


def change_settings(asked: Asked) -> Json:
    uid = asked.given("uId").get("u_id")
    asked.apple.change_settings(asked.rest(), uid)
    return _settings(asked, uid)


def show_settings(asked: Asked) -> Json:
    return _settings(asked, asked.query.get("uId"))


def _settings(asked: Asked, uid: str | None) -> Json:
    common = asked.apple.settings
    return (asked.apple.location(uid).settings(common) if uid else common).wire()


def advance_clock(asked: Asked) -> Json:
    seconds = float(asked.need("advanceSeconds"))
    asked.no_more()
    if seconds < 0:
        raise Rejected("The clock only goes forward.")
    asked.apple.advance(seconds)
    return inspecting.clock(asked.apple)


def show_clock(asked: Asked) -> Json:
    return inspecting.clock(asked.apple)


def journal(asked: Asked) -> Json:
    return {"entries": asked.apple.journal.since(int(asked.query.get("since", "0")))}


def clear_journal(asked: Asked) -> Json:
    asked.apple.journal.clear()
    return {}


def state(asked: Asked) -> Json:
    with asked.apple.lock:
        return inspecting.state(asked.apple, asked.apple.location(asked.uid))


def reset(asked: Asked) -> Json:
    asked.apple.reset()
    return {}


_UID = r"/locations/(?P<uid>[^/]+)"

Methods = dict[str, Callable[[Asked], Json]]

_PATHS: tuple[tuple[str, Methods], ...] = (
    ("/locations", {"GET": list_locations, "POST": create_location}),
    (f"{_UID}/tokens", {"POST": issue_token, "DELETE": revoke_tokens}),
    (f"{_UID}/purchase", {"POST": purchase}),
    (f"{_UID}/fill", {"POST": fill}),
    (f"{_UID}/replace", {"POST": replace}),
    (f"{_UID}/assign", {"POST": assign}),
    (f"{_UID}/unassign", {"POST": unassign}),
    (f"{_UID}/users", {"POST": add_users}),
    (f"{_UID}/claim", {"POST": claim, "DELETE": unclaim}),
    (f"{_UID}/rename", {"POST": rename}),
    ("/transfer", {"POST": transfer}),
    ("/invitations/(?P<code>[^/]+)/accept", {"POST": accept_invitation}),
    ("/faults", {"GET": list_faults, "POST": set_fault, "DELETE": clear_faults}),
    ("/faults/(?P<id>[^/]+)", {"DELETE": remove_fault}),
    ("/settings", {"GET": show_settings, "POST": change_settings}),
    ("/clock", {"GET": show_clock, "POST": advance_clock}),
    ("/journal", {"GET": journal, "DELETE": clear_journal}),
    ("/state/(?P<uid>[^/]+)", {"GET": state}),
    ("/reset", {"POST": reset}),
)

_ROUTES = [(re.compile(pattern), methods) for pattern, methods in _PATHS]
