"""Why a person's data cannot be erased now; each says what to do."""

from __future__ import annotations

from collections.abc import Sequence

from organizations.refusals import Conflict, Refusal


class NotTyped(Refusal):
    code = "confirmation_wrong"
    field = "typed"

    def __init__(self, wanted: str) -> None:
        super().__init__(f"Type “{wanted}” exactly; nothing was erased.")


class ClosedAccounts(Refusal):
    code = "accounts_closed"

    def __init__(self, accounts: Sequence[str]) -> None:
        super().__init__(
            f"This person is also in {', '.join(accounts)}, whose people only its allowed admins may"
            " change. Have one of them erase the person, or change its allowed admins on Organization"
            " > MDM first."
        )


class AccountsCannotWrite(Conflict):
    code = "accounts_cannot_write"

    def __init__(self, obstacles: Sequence[str]) -> None:
        super().__init__(
            f"Apple cannot be told to retire this person now: {' '.join(obstacles)} Renew the token, or"
            " remove the account on Organization > MDM; then erase."
        )
