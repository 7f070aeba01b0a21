"""Control calls about one location: what is in it, who looks after it, who else is at work there."""

from vpp_accounts.apple.fake import inspecting, other_mdm
from vpp_accounts.apple.fake.asked import Asked
from vpp_accounts.apple.fake.wire import Answer, Json, Rejected


def list_locations(asked: Asked) -> Json:
    return {"locations": [inspecting.summary(each) for each in asked.apple.locations.values()]}


def create_location(asked: Asked) -> Json:
    given = asked.given("orgName", "country", "platform", "expires")
    name = asked.need("name")
    asked.no_more()
    location = asked.apple.create_location(name=name, **given)
    shown = {"uId": location.uid, "locationName": location.name}
    return shown | {"token": location.tokens[-1].text}


def issue_token(asked: Asked) -> Json:
    given = asked.given("expires", "legacy", "manager")
    revoke = asked.given("revokeOlder").get("revoke_older")
    asked.no_more()
    return {"token": asked.apple.issue_token(asked.uid, revoke_older=revoke, **given)}


def revoke_tokens(asked: Asked) -> Json:
    asked.apple.revoke_tokens(asked.uid)
    return {"revoked": len(asked.apple.location(asked.uid).tokens)}


def revoke_token(asked: Asked) -> Json:
    asked.apple.revoke_token(asked.uid, int(asked.parts["number"]))
    return {"revoked": 1}


def add_manager(asked: Asked) -> Json:
    account, given = asked.need("account"), asked.given("mayWrite")
    asked.no_more()
    manager = asked.apple.add_manager(asked.uid, account, **given)
    return {"account": manager.account, "mayWrite": manager.may_write}


def change_password(asked: Asked) -> Json:
    given = asked.given("manager")
    asked.no_more()
    return {"revoked": asked.apple.change_password(asked.uid, **given)}


def change_options(asked: Asked) -> Json:
    given = asked.given("managedByApple", "unlimitedFreeApps")
    asked.no_more()
    if "managed_by_apple" in given:
        asked.apple.set_managed_by_apple(asked.uid, given["managed_by_apple"])
    if "unlimited_free_apps" in given:
        asked.apple.set_unlimited_free(asked.uid, given["unlimited_free_apps"])
    return inspecting.summary(asked.apple.location(asked.uid))


def buy_seats(asked: Asked) -> Json:
    adam_id = asked.need("adamId")
    given = asked.given("parentAdamId", "renewing", "expiring", "periodEnd", "status")
    asked.no_more()
    return asked.apple.buy_seats(asked.uid, adam_id, **given).wire()


def act_as_other_mdm(asked: Asked) -> Answer:
    return other_mdm.act(asked.apple, asked.uid, asked.parts["path"], asked.rest())


def purchase(asked: Asked) -> Json:
    adam_id = asked.need("adamId")
    given = asked.given(
        "quantity",
        "pricingParam",
        "productType",
        "unlimited",
        "deviceAssignable",
        "revocable",
        "supportedPlatforms",
        "name",
    )
    asked.no_more()
    asset = asked.apple.purchase(asked.uid, adam_id, **given)
    return inspecting.asset(asset)


def fill(asked: Asked) -> Json:
    adam_id, assignments = asked.need("adamId"), asked.need("assignments")
    given = asked.given("holder", "pricingParam")
    asked.no_more()
    return {"assigned": asked.apple.fill(asked.uid, adam_id, assignments, **given)}


def replace(asked: Asked) -> Json:
    adam_id, fraction = asked.need("adamId"), asked.need("fraction")
    given = asked.given("pricingParam")
    asked.no_more()
    return {"replaced": asked.apple.replace(asked.uid, adam_id, fraction, **given)}


def assign(asked: Asked) -> Json:
    adam_id, given = _targets(asked)
    return {"assigned": asked.apple.assign(asked.uid, adam_id, **given)}


def unassign(asked: Asked) -> Json:
    adam_id, given = _targets(asked)
    return {"unassigned": asked.apple.unassign(asked.uid, adam_id, **given)}


def _targets(asked: Asked) -> tuple[str, Json]:
    adam_id = asked.need("adamId")
    given = asked.given("pricingParam", "serialNumbers", "clientUserIds")
    asked.no_more()
    for name in ("serial_numbers", "client_user_ids"):
        names = given.get(name, [])
        if not isinstance(names, list) or not all(n and isinstance(n, str) for n in names):
            raise Rejected("serialNumbers and clientUserIds are lists of texts.")
    return adam_id, given


def add_users(asked: Asked) -> Json:
    users = asked.need("users")
    asked.no_more()
    return {"users": [user.wire() for user in asked.apple.add_users(asked.uid, users)]}


def claim(asked: Asked) -> Json:
    asked.apple.claim(asked.uid, asked.rest())
    return inspecting.summary(asked.apple.location(asked.uid))


def unclaim(asked: Asked) -> Json:
    asked.apple.unclaim(asked.uid)
    return inspecting.summary(asked.apple.location(asked.uid))


def rename(asked: Asked) -> Json:
    name = asked.need("name")
    asked.no_more()
    asked.apple.rename(asked.uid, name)
    return inspecting.summary(asked.apple.location(asked.uid))
