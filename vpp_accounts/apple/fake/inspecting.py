"""State as the control API and the portal show it."""

from typing import TYPE_CHECKING

from vpp_accounts.apple.fake.clock import apple_date
from vpp_accounts.apple.fake.state import Asset, Location
from vpp_accounts.apple.fake.wire import Json

if TYPE_CHECKING:
    from vpp_accounts.apple.fake.fake import FakeApple


def summary(location: Location) -> Json:
    return {
        "uId": location.uid,
        "locationName": location.name,
        "orgName": location.org_name,
        "country": location.country,
        "platform": location.platform,
        "mdmInfo": location.mdm_info,
        "titles": len(location.assets),
        "users": len(location.users),
    }


def seeded(location: Location) -> Json:
    return summary(location) | {"token": location.tokens[-1].text}


def asset(owned: Asset) -> Json:
    return owned.counts("retired") | {
        "adamId": owned.adam_id,
        "pricingParam": owned.pricing_param,
        "productType": owned.product_type,
        "unlimited": owned.unlimited,
        "deviceAssignable": owned.device_assignable,
        "revocable": owned.revocable,
        "supportedPlatforms": owned.supported_platforms,
    }


def state(apple: "FakeApple", location: Location) -> Json:
    """Everything about a location; large for a large one."""
    return summary(location) | {
        "assets": [asset(owned) for owned in location.assets.values()],
        "assignments": [row for owned in location.assets.values() for row in _rows(owned)],
        "users": [user.wire(invite_code_stays=True) for user in location.users],
        "events": [
            event.wire() | {"eventId": event.id}
            for event in apple.events.values()
            if event.uid == location.uid
        ],
        "notifications": {
            "url": location.subscription.url,
            "types": location.subscription.types,
        },
        "tokens": [
            {
                "expires": apple_date(token.expires),
                "revoked": token.revoked,
                "legacy": token.legacy,
                "manager": token.manager,
            }
            for token in location.tokens
        ],
        "managers": [
            {"account": each.account, "mayWrite": each.may_write} for each in location.managers
        ],
        "managedByApple": location.managed_by_apple,
        "subscriptions": [plan.wire() for plan in location.plans.values()],
        "versionIds": {
            "assets": location.asset_versions.id,
            "assignments": location.assignment_versions.id,
            "users": location.user_versions.id,
        },
        "settings": location.settings(apple.settings).wire(),
    }


def clock(apple: "FakeApple") -> Json:
    return {"now": apple_date(apple.clock.now()), "advancedSeconds": apple.clock.offset}


def _rows(owned: Asset) -> list[Json]:
    title = {"adamId": owned.adam_id, "pricingParam": owned.pricing_param}
    kept = [name for name, count in owned.retired.items() for _ in range(count)]
    holders = (*owned.users, *kept)
    devices: list[Json] = [title | {"serialNumber": name} for name in owned.devices]
    return devices + [title | {"clientUserId": name} for name in holders]
