"""The portal for people who play Apple: what Apple School Manager is to a real organization."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from vpp_accounts.apple.fake import page_location, pages
from vpp_accounts.apple.fake.paths import INVITATION
from vpp_accounts.apple.fake.style import CSS
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
        return Answer(200, CSS.encode(), "text/css; charset=utf-8")
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
        return Answer.html(page_location.location(apple, location, request.query.get("said", "")))
    if request.method != "POST" or action not in (*_ACTIONS, "token"):
        raise NotHere("There is no such page.")
    if action == "token":
        manager = _form(request).get("manager") or None
        return _token_file(location.name, apple.issue_token(uid, manager=manager))
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
        return Answer.html(pages.invitation(location, user.email))
    form = _form(request)
    if form.get("choice") != "accept":
        return Answer.html(pages.message("Declined. The invitation stays valid."))
    account = form.get("apple_account", "")
    try:
        apple.accept_invitation(code, account)
    except Rejected as rejected:
        return Answer.html(pages.invitation(location, account, str(rejected)), rejected.status)
    done = f"Your Apple Account now receives apps and books from {location.org_name}."
    return Answer.html(pages.message(f"{done} You can close this page."))


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
    number = form.get("number", "")
    if number.isdigit():
        apple.revoke_token(uid, int(number))
        return "The content token is revoked."
    apple.revoke_tokens(uid)
    return "All content tokens of this location are revoked."


def _change_password(apple: "FakeApple", uid: str, form: Form) -> str:
    manager = form.get("manager") or None
    revoked = apple.change_password(uid, manager)
    return f"The password is changed. Content tokens that ended with it: {revoked}."


def _add_manager(apple: "FakeApple", uid: str, form: Form) -> str:
    may_write = form.get("may") != "read"
    manager = apple.add_manager(uid, form.get("account", ""), may_write=may_write)
    return f"{manager.account} may {'manage licenses' if may_write else 'only read'}."


def _set_managed(apple: "FakeApple", uid: str, form: Form) -> str:
    managed = form.get("managed") == "yes"
    apple.set_managed_by_apple(uid, managed)
    return "Apple manages this location now." if managed else "Apple let this location go."


def _set_free(apple: "FakeApple", uid: str, form: Form) -> str:
    wanted = {"yes": True, "no": False}.get(form.get("unlimited", ""))
    apple.set_unlimited_free(uid, wanted)
    return "Saved."


def _buy_seats(apple: "FakeApple", uid: str, form: Form) -> str:
    adam_id = form.get("adam_id", "")
    if not (adam_id.isascii() and adam_id.isdigit()):
        raise Rejected("The Adam ID of a subscription is a number.")
    apple.buy_seats(uid, int(adam_id), renewing=_quantity(form))
    return f"Bought {_quantity(form)} seats."


def _quantity(form: Form) -> int:
    text = form.get("quantity", "")
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 10_000_000:
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
    "password": _change_password,
    "manager": _add_manager,
    "managed": _set_managed,
    "free": _set_free,
    "seats": _buy_seats,
}
