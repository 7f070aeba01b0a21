"""Another device management service at work in a location, through the same rules as everybody.

It needs no token, meets no fault and stands in no journal: those belong to the product under test.
Whatever it does is told to the one notification URL that the location has.
"""

from typing import TYPE_CHECKING

import orjson

from vpp_accounts.apple.fake import service
from vpp_accounts.apple.fake.call import Call
from vpp_accounts.apple.fake.errors import Refused
from vpp_accounts.apple.fake.locations import YEAR
from vpp_accounts.apple.fake.paths import ROOT
from vpp_accounts.apple.fake.state import Token
from vpp_accounts.apple.fake.wire import Answer, Json, NotHere, Request

if TYPE_CHECKING:
    from vpp_accounts.apple.fake.fake import FakeApple


def act(apple: "FakeApple", uid: str, path: str, body: Json) -> Answer:
    """POST `body` to Apple's `path`, such as `assets/associate`; answers as Apple does."""
    location = apple.location(uid)
    handler = service.routes_for(apple, location).get(f"/{path}", {}).get("POST")
    if handler is None:
        raise NotHere(f"Apple takes no POST {path}.")
    request = Request("POST", f"{ROOT}/{path}", body=orjson.dumps(body))
    token = Token("", "", apple.clock.now() + YEAR)
    try:
        call = Call(apple, request, location, token, location.settings(apple.settings))
        answer = Answer.json(handler(call))
    except Refused as refused:
        return refused.answer()
    for event in request.begun:
        apple.start(event)
    return answer
