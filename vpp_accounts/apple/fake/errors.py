"""Apple's synchronous refusals: number, HTTP status, text (protocol reference 2.13.1)."""

from vpp_accounts.apple.fake.wire import Answer, Json

_TEXTS: dict[int, tuple[int, str]] = {
    9601: (401, "Authentication is required."),
    9602: (400, "An argument is not valid."),
    9603: (500, "An internal error occurred."),
    9609: (400, "The client user is not registered."),
    9621: (401, "The content token has expired."),
    9625: (401, "The content token has been revoked."),
    9634: (410, "This service is no longer available."),
    9637: (403, "The account of this content token may not perform this operation."),
    9644: (503, "The service is in maintenance mode."),
    9645: (403, "This location is managed by Apple's own service and is read-only here."),
    9646: (429, "Too many requests for this organization."),
    9647: (403, "This operation is not available to legacy tokens."),
    9650: (400, "The page index is out of range."),
    9700: (400, "Too many assets."),
    9701: (400, "Too many client users."),
    9702: (400, "Too many serial numbers."),
    9703: (400, "The assets contain duplicates."),
    9704: (400, "The client users contain duplicates."),
    9705: (400, "The serial numbers contain duplicates."),
    9706: (400, "The asset is not revocable."),
    9707: (400, "The asset is not assignable to devices."),
    9708: (400, "The event id is not known."),
    9709: (400, "There are not enough licenses available."),
    9710: (400, "The notification URL and auth token must be given together."),
    9711: (400, "The notification URL or auth token is too long."),
    9712: (400, "The notification URL is not a valid HTTPS address."),
    9713: (400, "The metadata of mdmInfo is too long."),
    9714: (400, "Too many users."),
    9715: (400, "The users contain duplicates."),
    9716: (400, "An active user with this client user id exists."),
    9717: (400, "The e-mail address is not valid."),
    9718: (400, "At least one asset is required."),
    9719: (400, "Client users or serial numbers are required."),
    9720: (400, "At least one user is required."),
    9721: (400, "The version id is not valid."),
    9722: (401, "The authorization header is malformed."),
    9723: (400, "mdmInfo requires id, name and metadata."),
    9724: (400, "The id of mdmInfo is too long."),
    9725: (400, "The name of mdmInfo is too long."),
    9726: (405, "The HTTP method is not supported."),
    9727: (415, "The content type is not supported."),
    9728: (400, "The notification URL could not be reached."),
    9729: (503, "The service is temporarily unavailable."),
    9811: (400, "The request about subscriptions is not valid."),
    9812: (400, "The cursor is not valid."),
    9813: (400, "The Adam ID is not valid."),
    9814: (400, "No associated user is registered with this client user id."),
    9815: (400, "The user does not hold this subscription."),
    9816: (400, "Too many subscriptions."),
    9817: (400, "The user already has the subscription through a group."),
    9818: (400, "There are subscriptions, so their management cannot be disabled."),
    # Failures of single tasks, told later by the event.
    9635: (400, "The Apple Account cannot be associated with this user."),
    9641: (400, "The Apple Account is already associated with another user."),
}


class Refused(Exception):
    """The whole request is refused and nothing was done."""

    def __init__(self, number: int, info: Json | None = None) -> None:
        super().__init__(_TEXTS[number][1])
        self.number = number
        self.info = info

    def answer(self) -> Answer:
        return refusal(self.number, self.info)


def error_body(number: int, info: Json | None = None) -> Json:
    body: Json = {"errorNumber": number, "errorMessage": _TEXTS[number][1]}
    return body | {"errorInfo": info} if info else body


def refusal(number: int, info: Json | None = None, status: int | None = None) -> Answer:
    answer = Answer.json(error_body(number, info), status or _TEXTS[number][0])
    answer.number = number
    return answer


def all_errors() -> list[Json]:
    return [error_body(number) for number in sorted(_TEXTS)]
