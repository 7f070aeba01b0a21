"""Why a person cannot be added or changed; each says what to do."""

from __future__ import annotations

from collections.abc import Sequence

from organizations.refusals import Conflict, Refusal

LONGEST_NAME = 200
ADDRESSES = {"email": "e-mail address", "managed_apple_account": "Managed Apple Account"}


class AddressWrong(Refusal):
    code = "email_wrong"

    def __init__(self, field: str, text: str) -> None:
        self.field = field
        super().__init__(f"“{text[:100]}” is no {ADDRESSES[field]}. Give one like ann@example.org.")


class EmailMissing(Refusal):
    code = "email_missing"
    field = "email"

    def __init__(self) -> None:
        super().__init__(
            "A person needs an e-mail address, or a Managed Apple Account. Give one like"
            " ann@example.org."
        )


class NameTooLong(Refusal):
    code = "name_too_long"

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(f"Names have at most {LONGEST_NAME} characters.")


class PersonExists(Conflict):
    code = "person_exists"
    field = "email"

    def __init__(self, name: str, account: str, user_id: int) -> None:
        self.user_id = user_id
        super().__init__(
            f"“{name}” is in “{account}” already, with the id {user_id}. Change that person"
            " instead of adding them again."
        )


class EmailTaken(Conflict):
    code = "email_taken"
    field = "email"

    def __init__(self, email: str, name: str) -> None:
        super().__init__(
            f"“{name}” of this organization has the e-mail address {email}. Choose that person, or"
            " another address."
        )


class AnotherEmail(Conflict):
    code = "another_email"
    field = "email"

    def __init__(self, name: str, email: str) -> None:
        super().__init__(
            f"The e-mail address of “{name}” is {email}. Leave the address out, or change it"
            " at the person first."
        )


class AppleAccountTaken(Conflict):
    code = "managed_apple_account_taken"
    field = "managed_apple_account"

    def __init__(self, address: str, name: str) -> None:
        super().__init__(
            f"“{name}” of this organization has the Managed Apple Account {address}. Choose that"
            " person, or another account."
        )


class EmailNeeded(Conflict):
    code = "email_needed"
    field = "email"

    def __init__(self, name: str, accounts: Sequence[str]) -> None:
        super().__init__(
            f"“{name}” is a person of {quoted(accounts)}, who must have an e-mail address or"
            " a Managed Apple Account. Give another one, or retire the person there first."
        )


class LanguageUnknown(Refusal):
    code = "language_unknown"
    field = "language"

    def __init__(self, code: str, known: Sequence[str]) -> None:
        super().__init__(f"“{code[:20]}” is no language that mails have. Use {' or '.join(known)}.")


class OwnerNameless(Refusal):
    code = "owner_nameless"
    field = "name"

    def __init__(self) -> None:
        super().__init__(
            "An owner needs a name, or else an e-mail address, a username or a Managed Apple"
            " Account."
        )


class OwnerGone(Conflict):
    code = "owner_gone"

    def __init__(self) -> None:
        super().__init__("This owner was deleted or merged meanwhile. Look in the list of owners.")


class OwnerInUse(Conflict):
    code = "owner_in_use"

    def __init__(self, name: str, accounts: Sequence[str]) -> None:
        super().__init__(
            f"“{name}” is a person of {quoted(accounts)}. Retire the person there first, so that"
            " the licenses come back."
        )


class MergedWithItself(Refusal):
    code = "merged_with_itself"

    def __init__(self) -> None:
        super().__init__("Choose another owner of this organization to merge with.")


class RegisteredTwice(Conflict):
    code = "registered_twice"

    def __init__(self, names: tuple[str, str], accounts: Sequence[str]) -> None:
        super().__init__(
            f"“{names[0]}” and “{names[1]}” are both people of {quoted(accounts)}, and one person"
            " is there only once. Retire one of them there first."
        )


def quoted(names: Sequence[str]) -> str:
    """“North”, “South” and “West”."""
    *others, last = [f"“{name}”" for name in names]
    return f"{', '.join(others)} and {last}" if others else last
