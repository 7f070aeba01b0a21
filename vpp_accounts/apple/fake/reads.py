"""GET assets, assignments and users: filters, pages, deltas (protocol reference 2.5 to 2.7, 2.11)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from vpp_accounts.apple.fake.call import Call
from vpp_accounts.apple.fake.errors import Refused
from vpp_accounts.apple.fake.listings import Assignments, Listing, Records, Segment
from vpp_accounts.apple.fake.state import UNLIMITED, Asset, AssetKey, ClientUser, Location, Touched
from vpp_accounts.apple.fake.versions import Versions
from vpp_accounts.apple.fake.wire import Json

T = TypeVar("T")

MOST_LISTINGS = 2_500

PRICING_PARAMS = ("STDQ", "PLUS")
PRODUCT_TYPES = ("App", "Book")

ASSET_FILTERS = (
    "adamId",
    "pricingParam",
    "productType",
    "revocable",
    "deviceAssignable",
    "minAvailableCount",
    "maxAvailableCount",
    "minAssignedCount",
    "maxAssignedCount",
    "unlimited",
)
ASSIGNMENT_FILTERS = (
    "adamId",
    "pricingParam",
    "clientUserId",
    "serialNumber",
    "sinceVersionId",
    "excludeInactiveUsers",
    "includeUserState",
)
USER_FILTERS = ("activeOnly", "retiredOnly", "clientUserId", "sinceVersionId", "includeRetired")


def assets(call: Call) -> Json:
    with call.apple.lock:
        listing = _prepared(call, call.location.asset_versions, ASSET_FILTERS, _asset_listing)
        return _page(call, call.location.asset_versions, listing)


def assignments(call: Call) -> Json:
    versions = call.location.assignment_versions
    with call.apple.lock:
        # Retiring a user changes what these two show without changing an assignment.
        build = _stateful_listing if _asks_for_users(call) else _assignment_listing
        return _page(call, versions, _prepared(call, versions, ASSIGNMENT_FILTERS, build))


def users(call: Call) -> Json:
    versions = call.location.user_versions
    with call.apple.lock:
        return _page(call, versions, _prepared(call, versions, USER_FILTERS, _user_listing))


def _prepared(
    call: Call, versions: Versions[Any], known: Sequence[str], build: Callable[[Call], Listing]
) -> Listing:
    """The listing behind all pages of a traversal, put together once per version."""
    query = call.request.query
    if call.settings.guesses.unknown_parameters == "refuse":
        call.parameters.refuse_unknown((*known, "pageIndex"))
    filters = tuple(query.get(name) for name in known)
    key = (build.__name__, filters)
    # Users belong to it, since some listings of assignments ask for their holders' state.
    state = (versions.id, call.location.user_versions.id, *vars(call.settings.guesses).values())
    kept = call.location.listings
    if kept.get(key, (None,))[0] != state:
        if len(kept) >= MOST_LISTINGS:
            kept.clear()
        kept[key] = (state, build(call))
    listing: Listing = kept[key][1]
    return listing


def _page(call: Call, versions: Versions[Any], listing: Listing) -> Json:
    index, size = call.parameters.page_index(), call.settings.page_size
    total_pages = -(-len(listing) // size)
    if index >= max(1, total_pages):
        raise Refused(9650)
    start, stop = index * size, min(len(listing), (index + 1) * size)
    shown = len(listing) > 0 or call.settings.guesses.empty_list_is_present
    body = (listing.arrays(start, stop) if shown else {}) | {
        "currentPageIndex": index,
        "size": stop - start,
        "totalPages": total_pages or call.settings.guesses.empty_total_pages,
        "versionId": versions.id,
    }
    if index + 1 < total_pages:
        body["nextPageIndex"] = index + 1
    return body | call.envelope()


# Assets


class _Assets(Records[Asset]):
    """Unlimited assets stand apart when they were asked for by name."""

    __slots__ = ()

    def arrays(self, start: int, stop: int) -> dict[str, Any]:
        page = self.records[start:stop]
        shown: dict[str, Any] = {"assets": [self.wire(a) for a in page if not a.unlimited]}
        apart = [self.wire(asset) for asset in page if asset.unlimited]
        for asset in apart:
            for count in ("availableCount", "totalCount", "retiredCount"):
                del asset[count]
        return shown | {"unlimitedAssets": apart}


def _asset_listing(call: Call) -> Listing:
    unlimited = call.parameters.boolean("unlimited")
    owned = [asset for asset in call.location.assets.values() if _passes(call, asset)]
    if unlimited is None:
        return Records("assets", owned, lambda asset: _asset_wire(call, asset))
    if unlimited:
        also = call.settings.guesses.unlimited_lists_limited_too
        chosen = [asset for asset in owned if asset.unlimited or also]
        return _Assets("assets", chosen, lambda asset: _asset_wire(call, asset))
    limited = [asset for asset in owned if not asset.unlimited]
    return Records("assets", limited, lambda asset: _asset_wire(call, asset))


def _passes(call: Call, asset: Asset) -> bool:
    ask = call.parameters
    counts = _counts(call, asset)
    wanted = (
        (ask.text("adamId"), asset.adam_id),
        (ask.choice("pricingParam", PRICING_PARAMS), asset.pricing_param),
        (ask.choice("productType", PRODUCT_TYPES), asset.product_type),
        (ask.boolean("revocable"), asset.revocable),
        (ask.boolean("deviceAssignable"), asset.device_assignable),
    )
    bounds = (
        (
            ask.integer("minAvailableCount"),
            counts["availableCount"],
            ask.integer("maxAvailableCount"),
        ),
        (ask.integer("minAssignedCount"), counts["assignedCount"], ask.integer("maxAssignedCount")),
    )
    return all(value is None or value == own for value, own in wanted) and all(
        (least is None or least <= count) and (most is None or count <= most)
        for least, count, most in bounds
    )


def _counts(call: Call, asset: Asset) -> dict[str, int]:
    guesses = call.settings.guesses
    counts = asset.counts(guesses.books_of_retired_users)
    if asset.unlimited and guesses.unlimited_available == "max":
        counts["availableCount"] = UNLIMITED
    return counts


def _asset_wire(call: Call, asset: Asset) -> Json:
    return _counts(call, asset) | {
        "adamId": asset.adam_id,
        "pricingParam": asset.pricing_param,
        "productType": asset.product_type,
        "deviceAssignable": asset.device_assignable,
        "revocable": asset.revocable,
        "supportedPlatforms": asset.supported_platforms,
    }


# Assignments


def _assignment_listing(call: Call) -> Listing:
    return Assignments(_segments(call))


def _segments(call: Call) -> list[Segment]:
    since = call.parameters.text("sinceVersionId")
    if since is not None:
        return list(_changed_segments(call, since))
    chosen = (asset for asset in call.location.assets.values() if _is_asked_for(call, asset.key))
    return [segment for asset in chosen for segment in _segments_of(call, asset)]


def _is_asked_for(call: Call, key: AssetKey) -> bool:
    adam_id = call.parameters.text("adamId")
    pricing_param = call.parameters.choice("pricingParam", PRICING_PARAMS)
    return adam_id in (None, key.adam_id) and pricing_param in (None, key.pricing_param)


def _segments_of(call: Call, asset: Asset) -> Iterable[Segment]:
    serial, user = call.parameters.text("serialNumber"), call.parameters.text("clientUserId")
    inactive_too = not call.parameters.boolean("excludeInactiveUsers")
    if user is None:
        yield Segment(asset.key, "serialNumber", _names(asset.devices, serial))
    if serial is None:
        yield Segment(asset.key, "clientUserId", _names(asset.users, user))
        if inactive_too:
            kept = [name for name, count in asset.retired.items() for _ in range(count)]
            names = [name for name in kept if user in (None, name)]
            yield Segment(asset.key, "clientUserId", names, is_inactive=True)


def _names(holders: dict[str, None], wanted: str | None) -> list[str]:
    if wanted is None:
        return list(holders)
    return [wanted] if wanted in holders else []


def _changed_segments(call: Call, since: str) -> Iterable[Segment]:
    """A delta shows what was added or touched and is still there; a removed row leaves no trace."""
    touched = _touched(call.location.assignment_versions, since)
    merged: dict[tuple[AssetKey, str], dict[str, None]] = {}
    for change in touched:
        names = merged.setdefault((change.key, change.holder), {})
        names.update(dict.fromkeys(change.names))
    for (key, holder), names in merged.items():
        if key in call.location.assets and _is_asked_for(call, key):
            yield _still_there(call, Touched(key, holder, list(names)))


def _still_there(call: Call, change: Touched) -> Segment:
    serial, user = change.holder == "serial", change.holder == "user"
    name = call.parameters.text("serialNumber" if serial else "clientUserId")
    other = call.parameters.text("clientUserId" if serial else "serialNumber")
    held = call.location.assets[change.key].holders(change.holder)
    ghosts = call.settings.guesses.delta_lists_removed_rows
    names = [
        each
        for each in change.names
        if other is None and name in (None, each) and (each in held or ghosts)
    ]
    return Segment(change.key, "clientUserId" if user else "serialNumber", names)


def _asks_for_users(call: Call) -> bool:
    return bool(call.parameters.boolean("includeUserState"))


def _stateful_listing(call: Call) -> Listing:
    rows = [(segment, name) for segment in _segments(call) for name in segment.names]
    return Records("assignments", rows, lambda row: _stateful_row(call.location, *row))


def _stateful_row(location: Location, segment: Segment, name: str) -> Json:
    key, field = segment.key, segment.field
    shown = {"adamId": key.adam_id, "pricingParam": key.pricing_param, field: name}
    if field == "clientUserId":
        retired = [user for user in location.records(name) if not user.is_active]
        active = None if segment.is_inactive else location.active_user(name)
        user = active or retired[-1]
        shown["userStatus"] = user.status
        if user.id_hash:
            shown["idHash"] = user.id_hash
    return shown


# Users


def _user_listing(call: Call) -> Listing:
    ask = call.parameters
    since, name = ask.text("sinceVersionId"), ask.text("clientUserId")
    found: Iterable[ClientUser] = call.location.users
    if since is not None:
        found = _touched(call.location.user_versions, since)
    elif name is not None:
        found = call.location.records(name)
    active, retired = _wanted_states(call)
    rows = {
        id(user): user
        for user in found
        if name in (None, user.client_user_id) and (active if user.is_active else retired)
    }
    stays = call.settings.guesses.invite_code_stays_after_association
    return Records("users", list(rows.values()), lambda user: user.wire(invite_code_stays=stays))


def _wanted_states(call: Call) -> tuple[bool, bool]:
    """Shall active and shall retired users be listed? `includeRetired` is an older spelling."""
    ask = call.parameters
    include_retired = ask.choice("includeRetired", ("0", "1", "true", "false"))
    active = not ask.boolean("retiredOnly")
    retired = not ask.boolean("activeOnly") and include_retired not in ("0", "false")
    return active, retired


def _touched(versions: Versions[T], since: str) -> list[T]:
    touched = versions.touched_since(since)
    if touched is None:
        raise Refused(9721)
    return touched
