"""Organizations out of one JSON document: the fixture format for tests and demos.

{"organizations": [{"name": "…", "locations": [{
    "name": "…", "country": "US", "platform": "volumestore",
    "users": [{"clientUserId": "…", "email": "…", "appleAccount": "…"}],
    "assets": [{"adamId": "…", "quantity": 10, "pricingParam": "STDQ", …as in a purchase…,
                "serialNumbers": ["…"], "clientUserIds": ["…"], "fill": 100, "fillUsers": 10}],
    "mdmInfo": {"id": "…", "name": "…", "metadata": "…"}}]}]}
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from vpp_accounts.apple.fake.settings import snake
from vpp_accounts.apple.fake.state import Location
from vpp_accounts.apple.fake.wire import Json, Rejected

if TYPE_CHECKING:
    from vpp_accounts.apple.fake.fake import FakeApple

_HOLDERS = ("serialNumbers", "clientUserIds", "fill", "fillUsers")


def seed(apple: "FakeApple", fixture: Json) -> list[Location]:
    """The locations that were made, in the order of the document."""
    return [
        _location(apple, organization["name"], dict(wanted))
        for organization in _listed(fixture, "organizations")
        for wanted in _listed(organization, "locations")
    ]


def _location(apple: "FakeApple", org_name: str, wanted: Json) -> Location:
    users, assets = _taken(wanted, "users"), _taken(wanted, "assets")
    claim = wanted.pop("mdmInfo", None)
    location = apple.create_location(org_name=org_name, **_snaked(wanted))
    if users:
        apple.add_users(location.uid, users)
    for asset in assets:
        _asset(apple, location.uid, dict(asset))
    if claim:
        apple.claim(location.uid, claim)
    return location


def _asset(apple: "FakeApple", uid: str, wanted: Json) -> None:
    held = {name: wanted.pop(name) for name in _HOLDERS if name in wanted}
    asset = apple.purchase(uid, **_snaked(wanted))
    title = {"adam_id": asset.adam_id, "pricing_param": asset.pricing_param}
    apple.assign(
        uid,
        **title,
        serial_numbers=held.get("serialNumbers", ()),
        client_user_ids=held.get("clientUserIds", ()),
    )
    for name, holder in (("fill", "serial"), ("fillUsers", "user")):
        if name in held:
            apple.fill(uid, assignments=held[name], holder=holder, **title)


def _listed(found: Json, name: str) -> list[Json]:
    values = found.get(name, [])
    if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
        raise Rejected(f"{name} is a list of objects.")
    return values


def _taken(wanted: Json, name: str) -> list[Json]:
    values = _listed(wanted, name)
    wanted.pop(name, None)
    return values


def _snaked(wanted: Iterable[tuple[str, object]] | Json) -> Json:
    return {snake(name): value for name, value in dict(wanted).items()}
