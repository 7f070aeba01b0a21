"""Which calls a kind of fault can meet at all."""

import re

from vpp_accounts.apple.fake.paths import LOOKUP, NOTIFICATIONS, ROOT
from vpp_accounts.apple.fake.wire import Request

_LISTS = ("/assets", "/assignments", "/users")
_EVENTS = re.compile(r"/(assets|users|subscriptions)/(?!enable|disable)[a-z]+")


def notification(request: Request) -> bool:
    return request.path.startswith(NOTIFICATIONS)


def anything(request: Request) -> bool:
    return not notification(request)


def service(request: Request) -> bool:
    return request.path.startswith(ROOT)


def with_token(request: Request) -> bool:
    return service(request) and not request.path.endswith("/service/config")


def writes(request: Request) -> bool:
    return with_token(request) and request.method == "POST"


def begins_event(request: Request) -> bool:
    return writes(request) and _EVENTS.fullmatch(request.path.removeprefix(ROOT)) is not None


def associates(request: Request) -> bool:
    return begins_event(request) and request.path.endswith("/assets/associate")


def lists(request: Request) -> bool:
    return request.path.removeprefix(ROOT) in _LISTS and request.method == "GET"


def deltas(request: Request) -> bool:
    return "sinceVersionId" in request.query


def metadata(request: Request) -> bool:
    """Of Apple's devices management, and of the public store."""
    return request.path in (LOOKUP, "/lookup", "/search")
