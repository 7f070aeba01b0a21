"""What Apple keeps about a location: tokens, assets, assignments, users.

A million assignments fit because each is one key in a dictionary of its asset: the dictionary keeps
their order, answers "does this holder have it?" at once, and shares the holders' names between assets.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from vpp_accounts.apple.fake import ids
from vpp_accounts.apple.fake.plans import Plan
from vpp_accounts.apple.fake.settings import Settings
from vpp_accounts.apple.fake.versions import Versions
from vpp_accounts.apple.fake.wire import Json, NotHere

UNLIMITED = 2147483647

Holders = dict[str, None]


class AssetKey(NamedTuple):
    adam_id: str
    pricing_param: str


class Touched(NamedTuple):
    """Holders of one asset whose assignments changed together."""

    key: AssetKey
    holder: str
    names: list[str]


@dataclass(slots=True, eq=False, repr=False)
class Asset:
    adam_id: str
    pricing_param: str = "STDQ"
    product_type: str = "App"
    total: int = 0
    unlimited: bool = False
    device_assignable: bool = True
    revocable: bool = True
    supported_platforms: tuple[str, ...] = ("iOS",)
    devices: Holders = field(default_factory=dict)
    users: Holders = field(default_factory=dict)
    # How many retired records of a client user keep what cannot be revoked.
    retired: dict[str, int] = field(default_factory=dict)
    # How many generated devices and users have ever been given this asset.
    generated: dict[str, int] = field(default_factory=lambda: {"serial": 0, "user": 0})

    @property
    def key(self) -> AssetKey:
        return AssetKey(self.adam_id, self.pricing_param)

    @property
    def available(self) -> int:
        if self.unlimited:
            return UNLIMITED - len(self.devices) - len(self.users)
        return self.total - len(self.devices) - len(self.users) - self.retired_count

    @property
    def retired_count(self) -> int:
        return sum(self.retired.values())

    def holders(self, holder: str) -> Holders:
        return self.devices if holder == "serial" else self.users

    def counts(self, books_of_retired: str) -> dict[str, int]:
        assigned, retired = len(self.devices) + len(self.users), self.retired_count
        if books_of_retired == "assigned":
            assigned, retired = assigned + retired, 0
        return {
            "assignedCount": assigned,
            "availableCount": self.available,
            "retiredCount": retired,
            "totalCount": UNLIMITED if self.unlimited else self.total,
        }


@dataclass(slots=True)
class ClientUser:
    client_user_id: str
    email: str = ""
    status: str = "Registered"
    invite_code: str = ""
    id_hash: str = ""
    apple_account: str = ""

    @property
    def is_active(self) -> bool:
        return self.status in ("Registered", "Associated")

    def wire(self, *, invite_code_stays: bool = False) -> Json:
        shown = {"clientUserId": self.client_user_id, "status": self.status}
        if self.email:
            shown["email"] = self.email
        if self.invite_code and (self.status == "Registered" or invite_code_stays):
            shown["inviteCode"] = self.invite_code
        if self.id_hash:
            shown["idHash"] = self.id_hash
        return shown


@dataclass(slots=True)
class Manager:
    """A person with a Managed Apple Account who looks after the location in the portal."""

    account: str
    may_write: bool = True


@dataclass(slots=True)
class Token:
    secret: str
    text: str
    expires: float
    revoked: bool = False
    legacy: bool = False
    # Who downloaded it.
    manager: str = ""
    # The refusal of a revoked one.
    number: int = 9625


@dataclass(slots=True)
class Subscription:
    """Where a location's notifications go."""

    url: str = ""
    auth_token: str = ""
    types: list[str] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False)
class Location:
    uid: str
    name: str
    org_name: str
    country: str = "US"
    platform: str = "volumestore"
    managers: list[Manager] = field(default_factory=list)
    tokens: list[Token] = field(default_factory=list)
    # Apple's own device management looks after it, so that everybody else may only read.
    managed_by_apple: bool = False
    # None is as the catalogue says of each title.
    unlimited_free: bool | None = None
    subscriptions_enabled: bool = False
    # What a v1 client noted about itself.
    client_context: str = ""
    mdm_info: dict[str, str] | None = None
    subscription: Subscription = field(default_factory=Subscription)
    overrides: Json = field(default_factory=dict)
    assets: dict[AssetKey, Asset] = field(default_factory=dict)
    users: list[ClientUser] = field(default_factory=list)
    plans: dict[int, Plan] = field(default_factory=dict)
    asset_versions: Versions[AssetKey] = field(init=False)
    assignment_versions: Versions[Touched] = field(init=False)
    user_versions: Versions[ClientUser] = field(init=False)
    subscription_versions: Versions[int] = field(init=False)
    # Set by the Apple that the location belongs to.
    issuer: Callable[["Location"], str] | None = None
    # Prepared listings, each good for one version of its data set.
    listings: dict[Any, Any] = field(default_factory=dict)
    _by_id: dict[str, list[ClientUser]] = field(default_factory=dict)
    _serials: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.asset_versions = Versions(f"{self.uid}/assets")
        self.assignment_versions = Versions(f"{self.uid}/assignments")
        self.user_versions = Versions(f"{self.uid}/users")
        self.subscription_versions = Versions(f"{self.uid}/subscriptions")

    @property
    def website_url(self) -> str:
        host = "school" if self.platform == "volumestore" else "business"
        return f"https://{host}.apple.com"

    def issue_token(self) -> str:
        """The whole text of a new `.vpptoken` file."""
        if self.issuer is None:
            raise NotHere(f"{self.name} belongs to no Apple.")
        return self.issuer(self)

    def settings(self, common: Settings) -> Settings:
        return common.overlaid(self.overrides)

    def manager(self, account: str | None = None) -> Manager:
        """That manager, or the first one."""
        found = [each for each in self.managers if account in (None, each.account)]
        if not found:
            raise NotHere(f"{self.name} has no manager {account}.")
        return found[0]

    def asset(self, adam_id: str, pricing_param: str = "STDQ") -> Asset:
        try:
            return self.assets[AssetKey(adam_id, pricing_param)]
        except KeyError:
            raise NotHere(f"{self.name} owns no {adam_id} {pricing_param}.") from None

    def records(self, client_user_id: str) -> list[ClientUser]:
        """Every record with this id, oldest first; at most one of them is active."""
        return self._by_id.get(client_user_id, [])

    def active_user(self, client_user_id: str) -> ClientUser | None:
        return next((user for user in self.records(client_user_id) if user.is_active), None)

    def add_user(self, user: ClientUser) -> None:
        self.users.append(user)
        self._by_id.setdefault(user.client_user_id, []).append(user)

    def give(self, asset: Asset, holder: str, names: list[str]) -> list[str]:
        """Record assignments without asking whether they are allowed; answers the new ones."""
        held = asset.holders(holder)
        new = [name for name in dict.fromkeys(names) if name not in held]
        held.update(dict.fromkeys(new))
        self.assignments_changed(asset, holder, new)
        return new

    def take(self, asset: Asset, holder: str, names: list[str]) -> list[str]:
        held = asset.holders(holder)
        gone = [name for name in dict.fromkeys(names) if name in held]
        for name in gone:
            del held[name]
        self.assignments_changed(asset, holder, gone)
        return gone

    def assignments_changed(self, asset: Asset, holder: str, names: list[str]) -> None:
        if names:
            self.assignment_versions.bump([Touched(asset.key, holder, names)])
            self.asset_versions.bump([asset.key])

    def generated_names(self, holder: str, start: int, count: int) -> list[str]:
        """The location's generated holders, the same objects for every asset to save memory."""
        if holder == "serial":
            missing = range(len(self._serials), start + count)
            self._serials.extend(ids.serial_number(self.uid, position) for position in missing)
            return self._serials[start : start + count]
        known = (ids.client_user_id(self.uid, position) for position in range(start, start + count))
        return [self._shared(name) for name in known]

    def _shared(self, client_user_id: str) -> str:
        records = self.records(client_user_id)
        return records[0].client_user_id if records else client_user_id
