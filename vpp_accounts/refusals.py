"""Why an account cannot be added, renewed or synced; each says what to do."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from organizations.refusals import Conflict, Refusal
from vpp_accounts.apple.types import MdmInfo
from vpp_accounts.stoken import TokenRefusal

DOWNLOAD = "Download a new one at Apple and add it."


class TokenExpired(TokenRefusal):
    code = "token_expired"

    def __init__(self, expired_at: datetime) -> None:
        super().__init__(f"This service token expired on {expired_at:%-d %B %Y}. {DOWNLOAD}")


class TokenExpiredAtApple(TokenRefusal):
    code = "token_expired"

    def __init__(self) -> None:
        super().__init__(f"Apple says that this service token has expired (9621). {DOWNLOAD}")


class OrganizationClosed(Conflict):
    """Suspended, or deleted: nothing is begun for it."""

    code = "organization_closed"


class AppleAskedToWait(Conflict):
    code = "apple_asked_to_wait"

    def __init__(self, until: datetime) -> None:
        self.retry_after = max(1, int((until - timezone.now()).total_seconds()))
        moment = timezone.localtime(until)
        super().__init__(
            f"Apple asked to be left alone until {moment:%H:%M}. The sync goes on by itself then."
        )


class TokenRevoked(TokenRefusal):
    code = "token_revoked"

    def __init__(self) -> None:
        super().__init__(
            "Apple has revoked this service token (9625): a newer one was downloaded, or the "
            f"password of its manager was changed. {DOWNLOAD}"
        )


class TokenMalformed(TokenRefusal):
    code = "token_malformed"

    def __init__(self, number: int | None) -> None:
        super().__init__(
            f"Apple does not accept this service token ({number}): it was changed or cut off. {DOWNLOAD}"
        )


class TokenLegacy(TokenRefusal):
    code = "token_legacy"

    def __init__(self) -> None:
        super().__init__(
            "This is a legacy token of one purchaser (9647), which Apple's current service refuses. "
            "Move its licenses to a location in Apple Business or Apple School Manager and "
            "download that location's content token."
        )


class RefusedByApple(TokenRefusal):
    code = "refused_by_apple"

    def __init__(self, number: int | None, text: str) -> None:
        super().__init__(
            f"Apple refused this service token ({number or 'no number'}: {text[:200]}). {DOWNLOAD}"
        )


class AddedAlready(Conflict):
    code = "account_exists"
    field = "token"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"This location is already added here as “{name}”. To replace its token, use the pencil "
            "of that account and Update Token."
        )


class InUseElsewhere(Conflict):
    code = "location_in_use"
    field = "token"

    def __init__(self) -> None:
        super().__init__(
            "This location is already in use by another organization of this installation. Apple "
            "allows one manager per location: remove it there first, or create a location of your own."
        )


class WrongLocation(Conflict):
    code = "wrong_location"
    field = "token"

    def __init__(self, *, found: str, expected: str) -> None:
        super().__init__(
            f"This token belongs to the location “{found}”, but this account is “{expected}”. "
            f"Download the token of “{expected}”, or add “{found}” with Add new."
        )


class ClaimedByAnotherMdm(Conflict):
    """The page offers *Take over*; the API takes `takeOver`."""

    code = "claimed_by_another_mdm"
    field: str | None = "token"

    def __init__(self, holder: MdmInfo) -> None:
        self.holder = holder
        self.owner_name = (holder.name or holder.id)[:200]
        self.metadata = holder.metadata
        super().__init__(
            f"Another MDM manages this location: “{self.owner_name}”. Remove it there, or take it "
            "over here on purpose."
        )


class AnotherMdmThanShown(ClaimedByAnotherMdm):
    """Consent was given to displace another one, or none; the API takes `mdmId`."""

    field = None

    def __init__(self, holder: MdmInfo) -> None:
        super().__init__(holder)
        self.args = (
            f"“{self.owner_name}” manages this location now. Confirm that this is the MDM to "
            f"displace; its id is {holder.id[:100]}.",
        )


class AppleDidNotAnswer(Refusal):
    retry_after = 60
    code = "apple_unavailable"
    field = "token"

    def __init__(self) -> None:
        super().__init__(
            "Apple did not answer, so this token could not be compared with the account's location. "
            "The old token stays; send the new one again in a few minutes."
        )


class HolderUnknown(Refusal):
    retry_after = 60
    code = "apple_unavailable"

    def __init__(self) -> None:
        super().__init__(
            "Apple did not answer, so nobody can say which MDM manages the location now. Nothing has "
            "changed; take it over again in a few minutes."
        )


class CannotDo(Refusal):
    """The button is disabled, and says the same."""

    code = "cannot_do"


class AccountStopped(Conflict):
    code = "account_stopped"

    def __init__(self, *, state: str, reason: str) -> None:
        super().__init__(f"{state}: {reason}")


class NothingToTakeOver(Conflict):
    code = "not_claimed"

    def __init__(self, name: str) -> None:
        super().__init__(f"No other MDM has claimed “{name}”, so there is nothing to take over.")


class NameNotTyped(Refusal):
    code = "name_not_typed"
    field = "typed_name"

    def __init__(self, name: str) -> None:
        super().__init__(f"Type the name of the account, “{name}”, to remove it.")


class UnreadableToken(Conflict):
    code = "token_unreadable"

    def __init__(self) -> None:
        super().__init__(
            "The stored token cannot be decrypted: FIELD_ENCRYPTION_KEYS lacks the key it was made "
            "with. Restore that key, or renew the token."
        )
