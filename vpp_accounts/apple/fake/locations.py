"""Locations, their content tokens, and who manages them."""

import base64
import re
from collections.abc import Mapping

import orjson

from vpp_accounts.apple.fake.base import Base, change
from vpp_accounts.apple.fake.clock import apple_date, seconds_of
from vpp_accounts.apple.fake.state import Location, Manager, Token
from vpp_accounts.apple.fake.wire import NotHere, Rejected

YEAR = 365 * 86400.0
PLATFORMS = ("volumestore", "enterprisestore")


class Locations(Base):
    @change
    def create_location(
        self,
        *,
        name: str,
        org_name: str = "Example Schools",
        country: str = "US",
        platform: str = "volumestore",
        expires: str | None = None,
    ) -> Location:
        """A new, empty location with one token; `expires` is that token's end (ISO 8601)."""
        _check_location(name, country, platform)
        ends = self._end(expires)
        location = Location(self.ids.uid(), name, org_name, country.upper(), platform)
        location.managers.append(Manager(first_manager(org_name)))
        self._issue(self.adopt(location), ends, location.manager())
        return location

    def adopt(self, location: Location) -> Location:
        location.issuer = self._renew
        self.locations[location.uid] = location
        return location

    def keep_token(self, location: Location, token: Token) -> Token:
        location.tokens.append(token)
        self.tokens[token.secret] = (location, token)
        return token

    @change
    def issue_token(
        self,
        uid: str,
        *,
        revoke_older: bool | None = None,
        expires: str | None = None,
        legacy: bool = False,
        manager: str | None = None,
    ) -> str:
        """A manager downloads a new token; the older ones stay valid unless said otherwise."""
        location = self.location(uid)
        who = location.manager(manager)
        ends = self._end(expires)
        if revoke_older is None:
            guesses = location.settings(self.settings).guesses
            revoke_older = guesses.newer_token_revokes_older
        if revoke_older:
            self._revoke(location, who)
        return self._issue(location, ends, who, legacy=legacy).text

    @change
    def revoke_tokens(self, uid: str) -> None:
        """Every token so far is dead (9625)."""
        for token in self.location(uid).tokens:
            token.revoked = True

    @change
    def revoke_token(self, uid: str, number: int) -> None:
        """Revoke one: the first that was ever downloaded is number 0."""
        tokens = self.location(uid).tokens
        if not 0 <= number < len(tokens):
            raise NotHere(f"There is no content token {number}.")
        tokens[number].revoked = True

    @change
    def add_manager(self, uid: str, account: str, *, may_write: bool = True) -> Manager:
        """A new manager, or other rights for one who is there."""
        location = self.location(uid)
        if not isinstance(may_write, bool) or "@" not in account.strip():
            raise Rejected("A manager has an account with an @, and mayWrite is true or false.")
        known = [each for each in location.managers if each.account == account]
        manager = known[0] if known else Manager(account)
        manager.may_write = may_write
        if not known:
            location.managers.append(manager)
        return manager

    @change
    def change_password(self, uid: str, manager: str | None = None) -> int:
        """The manager's password changes, and with it end the tokens that the manager downloaded."""
        location = self.location(uid)
        number = location.settings(self.settings).guesses.password_change_number
        return self._revoke(location, location.manager(manager), number)

    @change
    def set_managed_by_apple(self, uid: str, managed: bool) -> None:
        """Apple's built-in device management takes the location, or lets it go."""
        if not isinstance(managed, bool):
            raise Rejected("managedByApple is true or false.")
        self.location(uid).managed_by_apple = managed

    @change
    def rename(self, uid: str, name: str) -> None:
        if not name.strip():
            raise Rejected("A location needs a name.")
        self.location(uid).name = name

    @change
    def claim(self, uid: str, mdm_info: Mapping[str, str]) -> None:
        """Another device management service writes its name on the location."""
        if not all(isinstance(mdm_info.get(key), str) for key in ("id", "name", "metadata")):
            raise Rejected("A claim is an object with the texts id, name and metadata.")
        self.location(uid).mdm_info = {key: mdm_info[key] for key in ("id", "name", "metadata")}

    @change
    def unclaim(self, uid: str) -> None:
        self.location(uid).mdm_info = None

    def _renew(self, location: Location) -> str:
        return self.issue_token(location.uid)

    def _end(self, expires: str | None) -> float:
        if expires is None:
            return self.clock.now() + YEAR
        try:
            return seconds_of(expires)
        except (TypeError, ValueError):
            raise Rejected(f"{expires!r} is not a date such as 2027-05-01T10:11:12+0000.") from None

    @staticmethod
    def _revoke(location: Location, manager: Manager, number: int = 9625) -> int:
        dying = [each for each in location.tokens if each.manager == manager.account]
        dying = [token for token in dying if not token.revoked]
        for token in dying:
            token.revoked, token.number = True, number
        return len(dying)

    def _issue(
        self, location: Location, expires: float, manager: Manager, *, legacy: bool = False
    ) -> Token:
        secret = self.ids.secret()
        content = {"token": secret, "expDate": apple_date(expires), "orgName": location.org_name}
        text = base64.b64encode(orjson.dumps(content)).decode()
        token = Token(secret, text, expires, legacy=legacy, manager=manager.account)
        return self.keep_token(location, token)


def first_manager(org_name: str) -> str:
    domain = re.sub(r"[^a-z0-9]+", "-", org_name.lower()).strip("-") or "organization"
    return f"manager@{domain}.example"


def _check_location(name: str, country: str, platform: str) -> None:
    if not name.strip():
        raise Rejected("A location needs a name.")
    if not re.fullmatch("[A-Za-z]{2}", country):
        raise Rejected("country is two letters, such as US.")
    if platform not in PLATFORMS:
        raise Rejected(f"platform is one of {', '.join(PLATFORMS)}.")
