"""What may be refused about administrators, in words."""

from __future__ import annotations

from organizations.refusals import Conflict, Refusal


class EmailWrong(Refusal):
    code = "email_wrong"
    field = "email"

    def __init__(self, text: str) -> None:
        super().__init__(
            f"“{text[:80]}” is not an e-mail address. Enter one like name@example.org."
        )


class AdminThere(Conflict):
    code = "admin_there"
    field = "email"

    def __init__(self, email: str, *, is_invited: bool) -> None:
        is_what = "invited already" if is_invited else "an administrator here already"
        super().__init__(f"{email} is {is_what}. Open that row to change what they may do.")


class NoAccess(Refusal):
    code = "no_access"
    field = "access"

    def __init__(self) -> None:
        super().__init__(
            "This gives access to nothing. Choose organization access, a network or a network tag."
        )


class NetworkUnknown(Refusal):
    code = "network_unknown"
    field = "networks"

    def __init__(self, network_id: int) -> None:
        super().__init__(f"This organization has no network {network_id}. Choose one of its own.")


class NameIsTheirs(Refusal):
    code = "name_is_theirs"
    field = "name"

    def __init__(self, email: str) -> None:
        super().__init__(
            f"The name belongs to {email}, who changes it under Your account. Leave it as it is."
        )


class LastFullAdmin(Conflict):
    code = "last_full_admin"
    field = "access"

    def __init__(self, email: str) -> None:
        super().__init__(
            f"{email} is the last full admin of this organization."
            " Give somebody else full access first."
        )


class RightsLost(Refusal):
    code = "rights_lost"

    def __init__(self) -> None:
        super().__init__(
            "Your own access was changed meanwhile, so nothing was done. Ask a full admin."
        )


class AdminGone(Conflict):
    code = "admin_gone"

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} was removed meanwhile. Go back to the list of administrators.")


class NotInvited(Conflict):
    code = "not_invited"

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} has accepted the invitation already. Nothing was done.")


class StillInvited(Conflict):
    code = "still_invited"

    def __init__(self, email: str) -> None:
        super().__init__(
            f"{email} has not accepted the invitation yet, so there is nothing to end or unlock."
        )


class UnlockedOften(Refusal):
    code = "unlocked_often"

    def __init__(self, email: str, times: int) -> None:
        super().__init__(
            f"{email} was unlocked {times} times within an hour."
            " A wait ends by itself after a quarter of an hour at most."
        )


class InvitedJustNow(Refusal):
    code = "invited_just_now"

    def __init__(self, email: str, seconds: int) -> None:
        self.retry_after = seconds
        super().__init__(
            f"{email} was invited just now. Invite them again in {seconds} seconds if no mail came."
        )


class TooManyInvitations(Refusal):
    code = "too_many_invitations"

    def __init__(self, most: int, seconds: int) -> None:
        self.retry_after = seconds
        super().__init__(
            f"This organization has sent {most} invitations within an hour."
            f" Invite the next ones in {-(-seconds // 60)} minutes."
        )


class InvitationOver(Conflict):
    code = "invitation_over"

    def __init__(self) -> None:
        super().__init__(
            "This invitation can no longer be accepted: it was withdrawn, used, or is too old."
            " Ask for a new one."
        )


class NotAvailableNow(Conflict):
    code = "not_available_now"

    def __init__(self) -> None:
        super().__init__("This organization is closed just now. Try again when it is open.")


class PasswordIsSet(Conflict):
    code = "password_is_set"

    def __init__(self) -> None:
        super().__init__("You have a password already. Sign in with it, and accept then.")
