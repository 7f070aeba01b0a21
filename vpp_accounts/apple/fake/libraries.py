"""What locations own and who holds it: bought, refunded, transferred, assigned by somebody else."""

from collections.abc import Sequence
from typing import TypedDict, Unpack

from vpp_accounts.apple.fake.base import Base, change
from vpp_accounts.apple.fake.ids import id_hash
from vpp_accounts.apple.fake.state import UNLIMITED, Asset, AssetKey, ClientUser, Location
from vpp_accounts.apple.fake.titles import Title, plain_title
from vpp_accounts.apple.fake.wire import Json, Rejected

MOST_PER_TRANSFER = 24_999
ALL_PLATFORMS = ("iOS", "macOS", "tvOS", "watchOS", "visionOS")
HOLDERS = ("serial", "user")


class Traits(TypedDict, total=False):
    """What can be said about a title while buying it; a name makes it known to the store."""

    product_type: str
    unlimited: bool
    device_assignable: bool
    revocable: bool
    supported_platforms: Sequence[str]
    name: str


class Libraries(Base):
    @change
    def purchase(
        self,
        uid: str,
        adam_id: str,
        quantity: int = 0,
        pricing_param: str = "STDQ",
        **traits: Unpack[Traits],
    ) -> Asset:
        """Buy licenses, or give some back with a negative quantity.

        Traits of a new title that are not given follow from the catalogue.
        """
        location = self.location(uid)
        _check_title(adam_id, pricing_param, traits.get("product_type"))
        _check_purchase(quantity, traits)
        known = location.assets.get(AssetKey(adam_id, pricing_param))
        asset = known or self._new_asset(
            location, adam_id, pricing_param, traits.get("product_type")
        )
        if quantity < 0 and asset.available < -quantity:
            raise Rejected(f"Only {asset.available} licenses are unassigned and can be refunded.")
        _apply(traits, asset)
        if name := traits.get("name"):
            self.titles[adam_id] = plain_title(adam_id, name, asset)
        asset.total += quantity
        location.assets[asset.key] = asset
        self._total_changed(location, asset, quantity)
        return asset

    def _total_changed(self, location: Location, asset: Asset, delta: int) -> None:
        location.asset_versions.bump([asset.key])
        told = {"adamId": asset.adam_id, "pricingParam": asset.pricing_param, "countDelta": delta}
        if delta:
            self.tell(location, "ASSET_COUNT", told)

    @change
    def transfer(
        self, source: str, target: str, adam_id: str, quantity: int, pricing_param: str = "STDQ"
    ) -> None:
        """Move unassigned licenses to another location."""
        giver, taker = self.location(source), self.location(target)
        asset = giver.asset(adam_id, pricing_param)
        if not 0 < quantity <= MOST_PER_TRANSFER:
            raise Rejected(f"A transfer moves 1 to {MOST_PER_TRANSFER} licenses.")
        if asset.unlimited or asset.available < quantity:
            raise Rejected(f"Only {asset.available} unassigned licenses can be transferred.")
        if giver is taker:
            raise Rejected("Choose another location to transfer to.")
        new = self._twin(asset)
        twin = taker.assets.setdefault(asset.key, new)
        asset.total -= quantity
        twin.total += quantity
        self._total_changed(giver, asset, -quantity)
        self._total_changed(taker, twin, quantity)

    @change
    def fill(
        self,
        uid: str,
        adam_id: str,
        assignments: int,
        holder: str = "serial",
        *,
        pricing_param: str = "STDQ",
    ) -> int:
        """Assign that many more licenses to generated holders, buying the licenses that are missing.

        Each title starts with the location's first generated device or user, so titles share holders.
        """
        location = self.location(uid)
        if holder not in HOLDERS or assignments < 0:
            raise Rejected('holder is "serial" or "user", assignments a number of zero or more.')
        _check_title(adam_id, pricing_param, None)
        asset = location.assets.get(AssetKey(adam_id, pricing_param))
        asset = asset or self._new_asset(location, adam_id, pricing_param, None)
        if holder == "serial" and not asset.device_assignable:
            raise Rejected(f"{adam_id} cannot be assigned to devices.")
        location.assets[asset.key] = asset
        asset.total += max(0, assignments - asset.available)
        location.asset_versions.bump([asset.key])
        return self._give_generated(location, asset, holder, assignments)

    @change
    def replace(
        self, uid: str, adam_id: str, fraction: float, *, pricing_param: str = "STDQ"
    ) -> int:
        """Take that share of a title's assignments away, evenly spread, and give them to new holders."""
        if not 0 <= fraction <= 1:
            raise Rejected("fraction is a number from 0 to 1.")
        location = self.location(uid)
        asset = location.asset(adam_id, pricing_param)
        return sum(self._replace(location, asset, holder, fraction) for holder in HOLDERS)

    @change
    def assign(
        self,
        uid: str,
        adam_id: str,
        *,
        serial_numbers: Sequence[str] = (),
        client_user_ids: Sequence[str] = (),
        pricing_param: str = "STDQ",
    ) -> int:
        """Another service or person assigns; answers how many assignments are new."""
        location = self.location(uid)
        asset = location.asset(adam_id, pricing_param)
        _check_assignable(location, asset, serial_numbers, client_user_ids)
        devices = location.give(asset, "serial", list(serial_numbers))
        users = location.give(asset, "user", list(client_user_ids))
        return self._moved(location, asset, "ASSOCIATE", devices, users)

    @change
    def unassign(
        self,
        uid: str,
        adam_id: str,
        *,
        serial_numbers: Sequence[str] = (),
        client_user_ids: Sequence[str] = (),
        pricing_param: str = "STDQ",
    ) -> int:
        location = self.location(uid)
        asset = location.asset(adam_id, pricing_param)
        if not asset.revocable:
            raise Rejected(f"{adam_id} {pricing_param} cannot be taken back from who holds it.")
        devices = location.take(asset, "serial", list(serial_numbers))
        users = location.take(asset, "user", list(client_user_ids))
        return self._moved(location, asset, "DISASSOCIATE", devices, users)

    def _moved(
        self, location: Location, asset: Asset, kind: str, devices: list[str], users: list[str]
    ) -> int:
        """Whoever is subscribed hears of it, as of any event; answers how many assignments it is."""
        title = {"adamId": asset.adam_id, "pricingParam": asset.pricing_param}
        rows: list[Json] = [title | {"serialNumber": name} for name in devices]
        rows += [title | {"clientUserId": name} for name in users]
        told = {"eventId": self.ids.uuid("event"), "type": kind, "result": "SUCCESS"}
        self.tell_in_parts(location, "ASSET_MANAGEMENT", told, "assignments", rows)
        return len(rows)

    @change
    def set_unlimited_free(self, uid: str, unlimited: bool | None) -> None:
        """Are free apps without limit here? None is as the catalogue says of each title."""
        if unlimited not in (True, False, None):
            raise Rejected("unlimitedFreeApps is true, false, or null for as the catalogue says.")
        location = self.location(uid)
        location.unlimited_free = unlimited
        for asset in location.assets.values():
            wanted = self._is_unlimited(location, asset.adam_id, asset.product_type)
            if wanted != asset.unlimited and self._is_free(asset):
                self._turn(location, asset, unlimited=wanted)

    def _turn(self, location: Location, asset: Asset, *, unlimited: bool) -> None:
        asset.unlimited = unlimited
        # Nobody loses a license because there is a limit now.
        asset.total = max(asset.total, len(asset.devices) + len(asset.users) + asset.retired_count)
        location.asset_versions.bump([asset.key])
        title = {"adamId": asset.adam_id, "pricingParam": asset.pricing_param}
        payload = location.settings(self.settings).guesses.unlimited_asset_payload
        told = title | {"unlimited": unlimited} if payload == "asset" else {}
        self.tell(location, "UNLIMITED_ASSET", told)

    def _is_free(self, asset: Asset) -> bool:
        title = self.titles.get(asset.adam_id)
        return asset.product_type == "App" and (title is None or title.price == 0)

    def _is_unlimited(self, location: Location, adam_id: str, kind: str) -> bool:
        title = self.titles.get(adam_id) or Title(adam_id, adam_id)
        if kind != "App" or title.price or location.unlimited_free is None:
            return title.unlimited
        return location.unlimited_free

    def _new_asset(
        self, location: Location, adam_id: str, pricing_param: str, product_type: str | None
    ) -> Asset:
        title = self.titles.get(adam_id) or Title(adam_id, adam_id)
        kind = product_type or title.product_type
        return Asset(
            adam_id,
            pricing_param,
            kind,
            unlimited=self._is_unlimited(location, adam_id, kind),
            device_assignable=title.device_assignable and kind == "App",
            revocable=kind == "App",
            supported_platforms=title.platforms,
        )

    @staticmethod
    def _twin(asset: Asset) -> Asset:
        return Asset(
            asset.adam_id,
            asset.pricing_param,
            asset.product_type,
            device_assignable=asset.device_assignable,
            revocable=asset.revocable,
            supported_platforms=asset.supported_platforms,
        )

    def _replace(self, location: Location, asset: Asset, holder: str, fraction: float) -> int:
        held = list(asset.holders(holder))
        count = round(len(held) * fraction)
        leaving = [held[position * len(held) // count] for position in range(count)]
        location.take(asset, holder, leaving)
        return self._give_generated(location, asset, holder, count)

    def _give_generated(self, location: Location, asset: Asset, holder: str, count: int) -> int:
        given = 0
        # More than one round only where a generated name was assigned by hand before.
        while given < count:
            names = location.generated_names(holder, asset.generated[holder], count - given)
            asset.generated[holder] += len(names)
            if holder == "user":
                self._register_generated(location, names)
            given += len(location.give(asset, holder, names))
        return given

    def _register_generated(self, location: Location, names: list[str]) -> None:
        new = [self._generated_user(location, name) for name in names if not location.records(name)]
        for user in new:
            location.add_user(user)
        if new:
            location.user_versions.bump(new)

    @staticmethod
    def _generated_user(location: Location, client_user_id: str) -> ClientUser:
        account = f"{client_user_id}@appleaccount.example"
        proof = id_hash(account, location.org_name)
        return ClientUser(client_user_id, status="Associated", id_hash=proof)


def _apply(traits: Traits, asset: Asset) -> None:
    asset.unlimited = traits.get("unlimited", asset.unlimited)
    asset.device_assignable = traits.get("device_assignable", asset.device_assignable)
    asset.revocable = traits.get("revocable", asset.revocable)
    platforms = traits.get("supported_platforms", asset.supported_platforms)
    asset.supported_platforms = tuple(platforms)


def _check_title(adam_id: str, pricing_param: str, product_type: str | None) -> None:
    if not (isinstance(adam_id, str) and adam_id.isdigit()):
        raise Rejected("adamId is a text of digits.")
    if pricing_param not in ("STDQ", "PLUS"):
        raise Rejected("pricingParam is STDQ or PLUS.")
    if product_type not in (None, "App", "Book"):
        raise Rejected("productType is App or Book.")


def _check_purchase(quantity: object, traits: Traits) -> None:
    if not isinstance(quantity, int) or abs(quantity) >= UNLIMITED:
        raise Rejected("quantity is a whole number; below zero it is a refund.")
    flags = (traits.get(name, True) for name in ("unlimited", "device_assignable", "revocable"))
    if not all(isinstance(flag, bool) for flag in flags):
        raise Rejected("unlimited, deviceAssignable and revocable are true or false.")
    if not set(traits.get("supported_platforms", ())) <= set(ALL_PLATFORMS):
        raise Rejected(f"supportedPlatforms are among {', '.join(ALL_PLATFORMS)}.")


def _check_assignable(
    location: Location, asset: Asset, serial_numbers: Sequence[str], client_user_ids: Sequence[str]
) -> None:
    unknown = [name for name in client_user_ids if not location.active_user(name)]
    if unknown:
        raise Rejected(f"No active user of this location: {', '.join(unknown)}.")
    if serial_numbers and not asset.device_assignable:
        raise Rejected(f"{asset.adam_id} cannot be assigned to devices.")
    new = {name for name in serial_numbers if name not in asset.devices}
    wanted = len(new) + len({name for name in client_user_ids if name not in asset.users})
    if wanted > asset.available:
        raise Rejected(f"{wanted} licenses wanted, {asset.available} available.")
