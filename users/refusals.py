"""Why a person cannot be added or changed; each says what to do."""

from __future__ import annotations

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
        super().__init__("A person needs an e-mail address. Give one like ann@example.org.")


class NameTooLong(Refusal):
    code = "name_too_long"

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(f"Names have at most {LONGEST_NAME} characters.")


class PersonExists(Conflict):
    code = "person_exists"
    field = "email"

    def __init__(self, name: str, account: str, user_id: int) -> None:
        super().__init__(
            f"“{name}” is in “{account}” already, with the id {user_id}. Change that person"
            " instead of adding them again."
        )


class EmailTaken(Conflict):
    code = "email_taken"
    field = "email"

    def __init__(self, email: str) -> None:
        super().__init__(
            f"Another person of this organization has the e-mail address {email}. Choose that"
            " person, or another address."
        )


class AnotherEmail(Conflict):
    code = "another_email"
    field = "email"

    def __init__(self, name: str, email: str) -> None:
        super().__init__(
            f"The e-mail address of “{name}” is {email}. Leave the address out, or change it"
            " at the person first."
        )
