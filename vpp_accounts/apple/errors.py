"""What can go wrong between us and Apple, and the one table that says which number means what.

    AppleError
    ├── TokenDead              stop all work for the location; only a person with a new token helps
    │   ├── TokenExpired           9621
    │   ├── TokenRevoked           9625
    │   ├── TokenNotAccepted       9601, 9622, 9722
    │   └── LegacyToken            9647
    ├── ReadOnly               9637: keep reading, stop writing
    │   └── AppleManaged           9645
    ├── Throttled              9646, 429: wait, then go on
    ├── Unavailable            5xx, 9603, 9644, 9729, no network, an answer that is not Apple's
    ├── LimitsMoved            9700-9702, 9714, 9816: read service/config again and cut smaller
    ├── RequestRefused         a mistake of ours: no retry
    ├── StateDrift             what we believed is no longer so: read again, never retry blindly
    │   ├── VersionNotFound        9721
    │   ├── PageOutOfRange         9650
    │   └── EventNotFound          9708
    ├── ServiceWithdrawn       9634, 410
    └── ClaimedByAnother       another device management service holds the location

Apple's texts change and one number has several, so only the number decides (protocol reference 2.13,
Apple: "handling-error-responses"). A number that is not in the table is decided by the status.
"""

from collections.abc import Iterable

from vpp_accounts.apple.types import ErrorInfo, MdmInfo


class AppleError(Exception):
    """A call that did not give what was asked for.

    `text` is Apple's own sentence where there was one (never stable, never to be matched), `status`
    the HTTP status (None: no answer), `number` Apple's errorNumber, `retry_after` seconds.
    """

    def __init__(
        self,
        text: str,
        *,
        number: int | None = None,
        status: int | None = None,
        retry_after: float | None = None,
        error_info: ErrorInfo | None = None,
    ) -> None:
        super().__init__(text)
        self.text = text
        self.number = number
        self.status = status
        self.retry_after = retry_after
        self.error_info = error_info

    def __str__(self) -> str:
        return self.text if self.number is None else f"{self.text} (Apple's error {self.number})"


class TokenDead(AppleError):
    """The token opens nothing any more; repeating a call with it is pointless."""


class TokenExpired(TokenDead):
    """A year has passed since the token was downloaded."""


class TokenRevoked(TokenDead):
    """A newer download, or a changed password of the account that downloaded it, ended the token."""


class TokenNotAccepted(TokenDead):
    """Apple does not recognise what was sent as a token."""


class LegacyToken(TokenDead):
    """A token from before locations existed; this API does not serve it."""


class ReadOnly(AppleError):
    """The account behind the token may read but not write."""


class AppleManaged(ReadOnly):
    """Apple's built-in device management holds the location."""


class Throttled(AppleError):
    """More requests than Apple allows for this location or organization."""


class Unavailable(AppleError):
    """Apple, or the way there, is out of order for now.

    `could_not_connect` is True when the request certainly never reached Apple.
    """

    could_not_connect = False

    @property
    def may_be_done(self) -> bool:
        """Whether Apple may have done what was asked, though no answer of its own says so.

        An answer with a number of Apple's is a refusal: nothing was done (protocol reference 2.8).
        """
        return self.number is None and not self.could_not_connect

    @classmethod
    def unreached(cls, text: str) -> "Unavailable":
        error = cls(text)
        error.could_not_connect = True
        return error


class LimitsMoved(AppleError):
    """More items in one request than the limits of service/config allow now."""


class RequestRefused(AppleError):
    """Apple found the request itself wrong."""


class StateDrift(AppleError):
    """The request was fine, but not for the state Apple has now."""


class VersionNotFound(StateDrift):
    """The sinceVersionId is too old or unknown: read everything instead."""


class PageOutOfRange(StateDrift):
    """The page asked for does not exist (any more)."""


class EventNotFound(StateDrift):
    """Apple does not know the event (any more): what came of it is to be read from the lists."""


class ServiceWithdrawn(AppleError):
    """Apple has switched this service off for good."""


class ClaimedByAnother(AppleError):
    """An answer carried the `mdmInfo` of another device management service.

    `event_id` is set when it was the answer to a write, which Apple has accepted all the same.
    """

    def __init__(self, mdm_info: MdmInfo, event_id: str | None = None) -> None:
        super().__init__(f"Another device management service holds this location: {mdm_info.name}")
        self.args = (mdm_info, event_id)  # what unpickling calls the class with
        self.mdm_info = mdm_info
        self.event_id = event_id


def _all(numbers: Iterable[int], kind: type[AppleError]) -> dict[int, type[AppleError]]:
    return dict.fromkeys(numbers, kind)


CLASS_OF_NUMBER: dict[int, type[AppleError]] = {
    9621: TokenExpired,
    9625: TokenRevoked,
    **_all((9601, 9622, 9722), TokenNotAccepted),
    9647: LegacyToken,
    9637: ReadOnly,
    9645: AppleManaged,
    9646: Throttled,
    **_all((9603, 9644, 9729), Unavailable),
    # 9805 is the number an early text of 2026 gave for what is 9816 now.
    **_all((9700, 9701, 9702, 9714, 9805, 9816), LimitsMoved),
    **_all((9602, 9623, 9703, 9704, 9705, 9710, 9711, 9712, 9713, 9715), RequestRefused),
    **_all((9717, 9718, 9719, 9720, *range(9723, 9729)), RequestRefused),
    **_all((9811, 9812, 9813, 9818), RequestRefused),
    **_all((9609, 9635, 9641, 9706, 9707, 9709, 9716), StateDrift),
    **_all((9814, 9815, 9817), StateDrift),
    9721: VersionNotFound,
    9650: PageOutOfRange,
    9708: EventNotFound,
    9634: ServiceWithdrawn,
}

CLASS_OF_STATUS: dict[int, type[AppleError]] = {
    401: TokenNotAccepted,
    410: ServiceWithdrawn,
    429: Throttled,
}


def class_of(number: int | None, status: int = 400) -> type[AppleError]:
    """The class for Apple's number; for none or an unknown one, the class for the status.

    The failures of an event have a number and no status.
    """
    if number in CLASS_OF_NUMBER:
        return CLASS_OF_NUMBER[number]
    if status >= 500:
        return Unavailable
    return CLASS_OF_STATUS.get(status, RequestRefused)
