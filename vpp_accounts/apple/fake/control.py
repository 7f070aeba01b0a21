"""The control API for programs: JSON in, JSON out, below /control/."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from vpp_accounts.apple.fake import control_locations as locations
from vpp_accounts.apple.fake import inspecting, seeding
from vpp_accounts.apple.fake.asked import Asked
from vpp_accounts.apple.fake.wire import Answer, Json, NotHere, Rejected, Request

if TYPE_CHECKING:
    from vpp_accounts.apple.fake.fake import FakeApple

Action = Callable[[Asked], Json | Answer]


def answer(apple: "FakeApple", request: Request) -> Answer:
    try:
        action, parts = _find(request)
        done = action(Asked(apple, request, parts))
        return done if isinstance(done, Answer) else Answer.json(done)
    except Rejected as rejected:
        return Answer.json({"error": str(rejected)}, rejected.status)
    except (TypeError, ValueError, AttributeError) as wrong:
        return Answer.json({"error": f"A value has the wrong type: {wrong}."}, 400)


def _find(request: Request) -> tuple[Action, dict[str, str]]:
    path = request.path.removeprefix("/control")
    matches = [(methods, pattern.fullmatch(path)) for pattern, methods in _ROUTES]
    for methods, match in matches:
        if match and request.method in methods:
            return methods[request.method], match.groupdict()
        if match:
            raise Rejected(f"{request.path} takes {', '.join(methods)}.")
    raise NotHere(f"There is no {request.path}.")


def seed(asked: Asked) -> Json:
    made = seeding.seed(asked.apple, {"organizations": asked.need("organizations")})
    asked.no_more()
    return {"locations": [inspecting.seeded(location) for location in made]}


def take_snapshot(asked: Asked) -> Json:
    asked.no_more()
    return {"id": asked.apple.snapshots.take()}


def show_snapshot(asked: Asked) -> Json:
    return asked.apple.snapshots.body(asked.parts["id"])


def restore_snapshot(asked: Asked) -> Json:
    """By the id of one that was taken, or with the whole of one as the body."""
    wanted = asked.given("id")
    if wanted:
        asked.no_more()
        asked.apple.snapshots.restore(str(wanted["id"]))
    else:
        asked.apple.snapshots.restore_body(asked.rest())
    return locations.list_locations(asked)


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
    given = asked.given("path", "times", "after", "probability", "durationSeconds", "args")
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

Methods = dict[str, Action]

_PATHS: tuple[tuple[str, Methods], ...] = (
    ("/locations", {"GET": locations.list_locations, "POST": locations.create_location}),
    (f"{_UID}/tokens", {"POST": locations.issue_token, "DELETE": locations.revoke_tokens}),
    (rf"{_UID}/tokens/(?P<number>\d{{1,6}})", {"DELETE": locations.revoke_token}),
    (f"{_UID}/managers", {"POST": locations.add_manager}),
    (f"{_UID}/password", {"POST": locations.change_password}),
    (f"{_UID}/options", {"POST": locations.change_options}),
    (f"{_UID}/subscriptions", {"POST": locations.buy_seats}),
    (rf"{_UID}/mdm/(?P<path>.+)", {"POST": locations.act_as_other_mdm}),
    (f"{_UID}/purchase", {"POST": locations.purchase}),
    (f"{_UID}/fill", {"POST": locations.fill}),
    (f"{_UID}/replace", {"POST": locations.replace}),
    (f"{_UID}/assign", {"POST": locations.assign}),
    (f"{_UID}/unassign", {"POST": locations.unassign}),
    (f"{_UID}/users", {"POST": locations.add_users}),
    (f"{_UID}/claim", {"POST": locations.claim, "DELETE": locations.unclaim}),
    (f"{_UID}/rename", {"POST": locations.rename}),
    ("/transfer", {"POST": transfer}),
    ("/invitations/(?P<code>[^/]+)/accept", {"POST": accept_invitation}),
    ("/faults", {"GET": list_faults, "POST": set_fault, "DELETE": clear_faults}),
    ("/faults/(?P<id>[^/]+)", {"DELETE": remove_fault}),
    ("/settings", {"GET": show_settings, "POST": change_settings}),
    ("/clock", {"GET": show_clock, "POST": advance_clock}),
    ("/journal", {"GET": journal, "DELETE": clear_journal}),
    ("/state/(?P<uid>[^/]+)", {"GET": state}),
    ("/seed", {"POST": seed}),
    ("/snapshot", {"POST": take_snapshot}),
    ("/snapshots/(?P<id>[^/]+)", {"GET": show_snapshot}),
    ("/restore", {"POST": restore_snapshot}),
    ("/reset", {"POST": reset}),
)

_ROUTES = [(re.compile(pattern), methods) for pattern, methods in _PATHS]
