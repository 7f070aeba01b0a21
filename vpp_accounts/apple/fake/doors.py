"""Which part of the fake answers which path."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from vpp_accounts.apple.fake import control, legacy, metadata, portal, service
from vpp_accounts.apple.fake.paths import LOOKUP, ROOT
from vpp_accounts.apple.fake.wire import Answer, Request

if TYPE_CHECKING:
    from vpp_accounts.apple.fake.fake import FakeApple


class Door(NamedTuple):
    answer: Callable[["FakeApple", Request], Answer]
    # Apple has it too: it is written into the journal, and faults and latency apply.
    is_apples: bool = False


_EXACT = {
    LOOKUP: Door(metadata.lookup, is_apples=True),
    "/lookup": Door(metadata.store_lookup, is_apples=True),
    "/search": Door(metadata.store_search, is_apples=True),
}
_SERVICE = Door(service.answer, is_apples=True)
_LEGACY = {
    f"{legacy.ROOT}{name}": Door(legacy.answer, is_apples=True)
    for name in ("VPPServiceConfigSrv", *legacy.SERVICES)
}
_ICONS = Door(metadata.icon)
_CONTROL = Door(control.answer)
_PORTAL = Door(portal.answer)


def door_to(path: str) -> Door:
    if path.startswith(ROOT + "/"):
        return _SERVICE
    if path.startswith("/control/"):
        return _CONTROL
    if path.startswith("/icons/"):
        return _ICONS
    return _EXACT.get(path) or _LEGACY.get(path, _PORTAL)
