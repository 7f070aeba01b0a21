"""The portal for people who play Apple: what Apple School Manager is to a real organization."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from vpp_accounts.apple.fake import pages
from vpp_accounts.apple.fake.paths import INVITATION
from vpp_accounts.apple.fake.wire import Answer, NotHere, Rejected, Request

if TYPE_CHECKING:
    from vpp_accounts.apple.fake.fake import FakeApple

Form = dict[str, str]
Action = Callable[["FakeApple", str, Form], str]

_LOCATION = re.compile(r"/portal/locations/(?P<uid>\d+)(?:/(?P<action>[a-z]+))?")


def answer(apple: "FakeApple", request: Request) -> Answer:
    try:
        with apple.lock:
            return _answer(apple, request)
    except Rejected as rejected:
        return Answer.html(pages.message(str(rejected)), rejected.status)


def _answer(apple: "FakeApple", request: Request) -> Answer:
    match = _LOCATION.fullmatch(request.path)
    if request.path == "/portal.css":
        return Answer(200, pages.STYLE.encode(), "text/css; charset=utf-8")
    if request.path == "/":
        return Answer.html(pages.home(apple, request.query.get("said", "")))
    if request.path == "/portal/locations" and request.method == "POST":
        return _create(apple, _form(request))
    if request.path == INVITATION:
        return _invitation(apple, request)
    if match:
        return _location(apple, request, match["uid"], match["action"])
    raise NotHere("There is no such page.")


def _location(apple: "FakeApple", request: Request, uid: str, action: str | None) -> Answer:
    location = apple.location(uid)
    if request.method == "GET" and action is None:
        return Answer.html(pages.location(apple, location, request.query.get("said", "")))
    if request.method != "POST" or action not in (*_ACTIONS, "token"):
        raise NotHere("There is no such page.")
    if action == "token":
        return _token_file(location.name, apple.issue_token(uid))
    try:
        said = _ACTIONS[action](apple, uid, _form(request))
    except Rejected as rejected:
        said = str(rejected)
    return Answer.redirect(f"/portal/locations/{uid}?said={quote(said)}")


def _token_file(name: str, text: str) -> Answer:
    file_name = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")
    disposition = f'attachment; filename="sToken_for_{file_name}.vpptoken"'
    headers = {"Content-Disposition": disposition}
    return Answer(200, text.encode(), "application/octet-stream", headers)


def _create(apple: "FakeApple", form: Form) -> Answer:
    try:
        location = apple.create_location(
            name=form.get("name", ""),
            org_name=form.get("org_name") or "Example Schools",
            country=form.get("country") or "US",
            platform=form.get("platform") or "volumestore",
        )
    except Rejected as rejected:
        return Answer.redirect(f"/?said={quote(str(rejected))}")
    return Answer.redirect(f"/portal/locations/{location.uid}")


def _invitation(apple: "FakeApple", request: Request) -> Answer:
    code = request.query.get("inviteCode", "")
    location, user = apple.invitation(code)
    if request.method != "POST":
        return Answer.html(pages.invitation(location.org_name, user.email))
    form = _form(request)
    if form.get("choice") != "accept":
        return Answer.html(pages.message("Declined. The invitation stays valid."))
    apple.accept_invitation(code, form.get("apple_account", ""))
    done = f"Your Apple Account now receives apps and books from {location.org_name}."
    return Answer.html(pages.message(done))


def _buy(apple: "FakeApple", uid: str, form: Form) -> str:
    adam_id, _, pricing_param = form.get("title", "").partition("/")
    quantity = _quantity(form)
    apple.purchase(uid, adam_id, quantity, pricing_param=pricing_param or "STDQ")
    return f"Bought {quantity}."


def _refund(apple: "FakeApple", uid: str, form: Form) -> str:
    adam_id, _, pricing_param = form.get("title", "").partition("/")
    apple.location(uid).asset(adam_id, pricing_param)
    apple.purchase(uid, adam_id, -_quantity(form), pricing_param=pricing_param)
    return f"Refunded {_quantity(form)}."


def _transfer(apple: "FakeApple", uid: str, form: Form) -> str:
    adam_id, _, pricing_param = form.get("title", "").partition("/")
    target = form.get("to", "")
    apple.transfer(uid, target, adam_id, _quantity(form), pricing_param)
    return f"Transferred {_quantity(form)} to {apple.location(target).name}."


def _rename(apple: "FakeApple", uid: str, form: Form) -> str:
    apple.rename(uid, form.get("name", ""))
    return "Renamed."


def _revoke(apple: "FakeApple", uid: str, form: Form) -> str:
    apple.revoke_tokens(uid)
    return "All content tokens of this location are revoked."


def _quantity(form: Form) -> int:
    text = form.get("quantity", "")
    if not text.isdigit() or not 0 < int(text) < 10_000_000:
        raise Rejected("The quantity is a whole number above zero.")
    return int(text)


def _form(request: Request) -> Form:
    return dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))


_ACTIONS: dict[str, Action] = {
    "buy": _buy,
    "refund": _refund,
    "transfer": _transfer,
    "rename": _rename,
    "revoke": _revoke,
}
