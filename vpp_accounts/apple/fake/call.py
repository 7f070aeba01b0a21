"""An admitted call: its location, its token, and what every answer to it carries."""

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from vpp_accounts.apple.fake.clock import apple_date
from vpp_accounts.apple.fake.errors import Refused
from vpp_accounts.apple.fake.parameters import Parameters
from vpp_accounts.apple.fake.settings import Settings
from vpp_accounts.apple.fake.state import Location, Token
from vpp_accounts.apple.fake.wire import Json, Request

if TYPE_CHECKING:
    from vpp_accounts.apple.fake.fake import FakeApple

WARNING_DAYS = 15


@dataclass(frozen=True, slots=True)
class Call:
    apple: "FakeApple"
    request: Request
    location: Location
    token: Token
    settings: Settings

    @property
    def parameters(self) -> Parameters:
        return Parameters(self.request.query)

    def envelope(self) -> Json:
        shown: Json = {"uId": self.location.uid}
        if self._tells_expiry():
            shown["tokenExpirationDate"] = apple_date(self.token.expires)
        if self.location.mdm_info:
            shown["mdmInfo"] = self.location.mdm_info
        return shown

    def json(self) -> Json:
        """The body of a POST; 9602 unless it is a JSON object."""
        try:
            body = orjson.loads(self.request.body)
        except orjson.JSONDecodeError:
            raise Refused(9602) from None
        if not isinstance(body, dict):
            raise Refused(9602)
        return body

    def _tells_expiry(self) -> bool:
        left = self.token.expires - self.apple.clock.now()
        always = self.settings.guesses.expiry_shown == "always"
        return always or left <= WARNING_DAYS * 86400


def secret_in(stoken: str) -> str:
    """What the Base64 text of a content token says under `token`; 9722 if it is no content token."""
    try:
        content = orjson.loads(base64.b64decode(stoken, validate=True))
        secret = content["token"]
    except (binascii.Error, ValueError, TypeError, KeyError):
        raise Refused(9722) from None
    if not isinstance(secret, str):
        raise Refused(9722)
    return secret
