"""Locations, their content tokens, and who manages them."""

import base64
import re
from collections.abc import Mapping

import orjson

from vpp_accounts.apple.fake.base import Base, change
from vpp_accounts.apple.fake.clock import apple_date, seconds_of
from vpp_accounts.apple.fake.state import Location, Token
from vpp_accounts.apple.fake.wire import Rejected

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
        self._issue(self.adopt(location), ends)
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
    ) -> str:
        """Download a new token for the location; the older ones stay valid unless said otherwise."""
        location = self.location(uid)
        ends = self._end(expires)
        if revoke_older is None:
            guesses = location.settings(self.settings).guesses
            revoke_older = guesses.newer_token_revokes_older
        if revoke_older:
            self.revoke_tokens(uid)
        return self._issue(location, ends, legacy=legacy).text

    @change
    def revoke_tokens(self, uid: str) -> None:
        """As when the manager's password changes: every token so far is dead (9625)."""
        for token in self.location(uid).tokens:
            token.revoked = True

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

    def _issue(self, location: Location, expires: float, *, legacy: bool = False) -> Token:
        secret = self.ids.secret()
        content = {"token": secret, "expDate": apple_date(expires), "orgName": location.org_name}
        text = base64.b64encode(orjson.dumps(content)).decode()
        return self.keep_token(location, Token(secret, text, expires, legacy=legacy))


def _check_location(name: str, country: str, platform: str) -> None:
    if not name.strip():
        raise Rejected("A location needs a name.")
    if not re.fullmatch("[A-Za-z]{2}", country):
        raise Rejected("country is two letters, such as US.")
    if platform not in PLATFORMS:
        raise Rejected(f"platform is one of {', '.join(PLATFORMS)}.")
