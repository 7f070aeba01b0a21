"""What the school district's networks deploy: each app with its scope, and a story of its own."""

from __future__ import annotations

from dataclasses import dataclass, field

from apps_catalog.models import ManagedPlatform, PurchaseMethod
from licensing.demo.district import (
    ADULT,
    ELEMENTARY,
    HIGH,
    MIDDLE,
    OAKMONT,
    OFFICE,
    RIVERSIDE,
    SECONDARY,
)
from organizations.scopes import Operator

ANY, BOTH, WITHOUT = Operator.WITH_ANY, Operator.WITH_ALL, Operator.WITHOUT_ANY
DEVICE, USER, NONE = PurchaseMethod.DEVICE, PurchaseMethod.USER, PurchaseMethod.NONE
IOS, MACOS, TVOS = ManagedPlatform.IOS, ManagedPlatform.MACOS, ManagedPlatform.TVOS


@dataclass(frozen=True, slots=True)
class AppPlan:
    """`accounts`: names of VPP accounts, drawn from in this order."""

    network: str
    adam_id: str
    accounts: tuple[str, ...]
    operator: Operator = Operator.ALL
    tags: tuple[str, ...] = ()
    platform: ManagedPlatform = IOS
    method: PurchaseMethod = DEVICE
    grants: bool = True
    revokes: bool = True
    installs: bool = True
    is_paused: bool = False
    codes: int = 0  # redemption codes of an old order
    gone: str = ""  # the name of an app that Apple sells and lists no more
    more: dict[str, int | bool] = field(default_factory=dict)  # of ManagedAppDetails


EAST, WEST = (ELEMENTARY.name,), (SECONDARY.name,)

DEPLOYED = (
    AppPlan(RIVERSIDE, "1187400216", EAST, ANY, ("cart",), more={"keeps_up_to_date": True}),
    AppPlan(RIVERSIDE, "1092235680", EAST, ANY, ("ipads",), more={"is_removable": False}),
    AppPlan(
        RIVERSIDE, "1203518844", EAST, BOTH, ("cart", "grade-3"), more={"priority": 5}
    ),  # short
    AppPlan(RIVERSIDE, "1457206698", EAST, ANY, ("grade-3", "grade-5")),  # not for the old iPads
    AppPlan(RIVERSIDE, "1611937755", EAST, ANY, ("classroom-display",), TVOS),
    AppPlan(RIVERSIDE, "1440931205", EAST, ANY, ("teacher-device",), codes=12),
    AppPlan(OAKMONT, "1187400216", EAST, ANY, ("kindergarten",)),
    AppPlan(OAKMONT, "1203518907", EAST, ANY, ("kindergarten",), grants=False, installs=False),
    AppPlan(OAKMONT, "1092235680", EAST, WITHOUT, ("loaner",)),
    AppPlan(OAKMONT, "1604482019", EAST, platform=TVOS),
    AppPlan(OAKMONT, "871220439", EAST, ANY, ("cart",), gone="Chalkboard Classic"),
    AppPlan(MIDDLE, "1264077130", WEST, ANY, ("one-to-one",)),
    AppPlan(MIDDLE, "1187400216", (*WEST, *EAST), ANY, ("one-to-one", "loaner")),  # two locations
    AppPlan(MIDDLE, "1533371290", WEST, BOTH, ("lab", "music"), MACOS),
    AppPlan(HIGH, "1378112960", WEST, ANY, ("one-to-one",), method=USER),
    AppPlan(HIGH, "1733640259", WEST, ANY, ("teacher-device", "one-to-one")),  # for people only
    AppPlan(HIGH, "1512209973", WEST, ANY, ("media",), MACOS),
    AppPlan(HIGH, "1520048816", WEST, ANY, ("lab",), MACOS, is_paused=True),
    AppPlan(HIGH, "1688204316", WEST, ANY, ("science",)),
    AppPlan(OFFICE, "1148812063", WEST, ANY, ("transportation",)),
    AppPlan(OFFICE, "1101174459", WEST, ANY, ("leadership",)),  # a tag of owners
    AppPlan(ADULT, "1122360947", (), ANY, ("evening",), method=NONE),  # unsupervised iPads
)
