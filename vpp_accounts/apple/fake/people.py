"""Client users: registered by somebody else, invited, accepting with an Apple Account."""

from collections.abc import Mapping, Sequence

from vpp_accounts.apple.fake.base import Base, change
from vpp_accounts.apple.fake.ids import id_hash
from vpp_accounts.apple.fake.state import ClientUser, Location
from vpp_accounts.apple.fake.wire import NotHere, Rejected


class People(Base):
    @change
    def add_users(self, uid: str, users: Sequence[Mapping[str, str]]) -> list[ClientUser]:
        """Register users; one with `appleAccount` is associated at once."""
        location = self.location(uid)
        _check_users(location, users)
        added = [
            self.register(location, user["clientUserId"], user.get("email", "")) for user in users
        ]
        for user, wanted in zip(added, users, strict=True):
            if wanted.get("appleAccount"):
                self.associate(location, user, wanted["appleAccount"])
        location.user_versions.bump(added)
        told = {"eventId": self.ids.uuid("event"), "type": "CREATE", "result": "SUCCESS"}
        rows = [user.wire() for user in added]
        self.tell_in_parts(location, "USER_MANAGEMENT", told, "users", rows)
        return added

    @change
    def accept_invitation(self, invite_code: str, apple_account: str) -> ClientUser:
        """The invited person signs in with an Apple Account and accepts."""
        if "@" not in apple_account:
            raise Rejected("An Apple Account is an e-mail address.")
        location, user = self.invitation(invite_code)
        self.associate(location, user, apple_account)
        location.user_versions.bump([user])
        told = user.wire(invite_code_stays=True)
        self.tell(location, "USER_ASSOCIATED", {"associatedUsers": [told]})
        return user

    def invitation(self, invite_code: str) -> tuple[Location, ClientUser]:
        for location in self.locations.values():
            for user in location.users:
                if user.invite_code == invite_code and user.status == "Registered":
                    return location, user
        raise NotHere("This invitation is not valid any more, or never was.")

    def register(self, location: Location, client_user_id: str, email: str) -> ClientUser:
        user = ClientUser(client_user_id, email, invite_code=self.ids.invite_code())
        location.add_user(user)
        return user

    def associate(self, location: Location, user: ClientUser, apple_account: str) -> None:
        proof = id_hash(apple_account, location.org_name)
        shared_allowed = location.settings(self.settings).guesses.same_apple_account_twice
        if not shared_allowed and _holder_of(location, proof, besides=user):
            raise Rejected("This Apple Account already belongs to another user of the location.")
        user.status, user.id_hash, user.apple_account = "Associated", proof, apple_account
        _bring_books_back(location, user)

    def retire(self, location: Location, users: Sequence[ClientUser]) -> None:
        """Their revocable licenses return; what cannot be revoked stays with the retired record."""
        for user in users:
            user.status = "Retired"
            for asset in location.assets.values():
                if user.client_user_id in asset.users:
                    location.take(asset, "user", [user.client_user_id])
                    if not asset.revocable:
                        kept = asset.retired.get(user.client_user_id, 0)
                        asset.retired[user.client_user_id] = kept + 1
        location.user_versions.bump(users)
        names = [user.client_user_id for user in users]
        forgotten = [plan.forget(name) for plan in location.plans.values() for name in names]
        if any(forgotten):
            location.subscription_versions.bump()


def _holder_of(location: Location, proof: str, besides: ClientUser) -> ClientUser | None:
    others = (user for user in location.users if user.is_active and user is not besides)
    return next((user for user in others if user.id_hash == proof), None)


def _bring_books_back(location: Location, user: ClientUser) -> None:
    """Somebody who was retired and returns with the same account finds the books kept then."""
    former = [record for record in location.records(user.client_user_id) if record is not user]
    if not any(record.id_hash == user.id_hash for record in former):
        return
    for asset in location.assets.values():
        name = user.client_user_id
        if name in asset.retired and name not in asset.users:
            asset.retired[name] -= 1
            if not asset.retired[name]:
                del asset.retired[name]
            location.give(asset, "user", [name])


def _check_users(location: Location, users: Sequence[Mapping[str, str]]) -> None:
    names = [user.get("clientUserId") for user in users]
    if not all(names) or not all(isinstance(text, str) for user in users for text in user.values()):
        raise Rejected("Each user is an object of texts with a clientUserId.")
    taken = [name for name in names if name and location.active_user(name)]
    if taken or len(set(names)) < len(names):
        raise Rejected(f"Each clientUserId can be active once; given twice or taken: {taken}.")
