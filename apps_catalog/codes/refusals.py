"""Why codes cannot be imported, handed out or changed; each says what to do."""

from __future__ import annotations

from organizations.imports import FileWrong
from organizations.refusals import Conflict, Refusal


class SheetTooLarge(FileWrong):
    def __init__(self, most: str) -> None:
        super().__init__(
            f"This file has more than {most}. A sheet of codes is smaller: choose the one of a single"
            " order."
        )


class ColumnUnknown(Refusal):
    code = "column_unknown"
    field = "column"

    def __init__(self) -> None:
        super().__init__("The sheet has no such column. Choose the one in which the codes stand.")


class NoCodes(Refusal):
    code = "no_codes"

    def __init__(self) -> None:
        super().__init__(
            "There is nothing to import: no row has a code that is not here already. Choose another"
            " column, or cancel and upload another file."
        )


class ImportOver(Conflict):
    code = "import_over"

    def __init__(self) -> None:
        super().__init__("This import was cancelled or forgotten. Upload the file again.")


class NobodyChosen(Refusal):
    code = "nobody_chosen"

    def __init__(self) -> None:
        super().__init__("Choose at least one owner: tick the boxes, or all that match.")


class TooManyChosen(Refusal):
    code = "too_many_chosen"

    def __init__(self, most: int) -> None:
        super().__init__(f"At most {most:,} owners get a code at a time. Choose fewer of them.")


class NobodyLeft(Refusal):
    code = "nobody_left"

    def __init__(self) -> None:
        super().__init__(
            "Everybody chosen has a code of this app already, or no email address. Take a code back"
            " first, or add the address under Configure > Owners."
        )


class NotEnoughCodes(Conflict):
    code = "not_enough_codes"

    def __init__(self, *, wanted: int, unused: int) -> None:
        super().__init__(
            f"{wanted:,} wanted, and {unused:,} unused {'is' if unused == 1 else 'are'} left."
            " Choose fewer owners, or import more codes."
        )


class NoneChosen(Refusal):
    code = "none_chosen"

    def __init__(self, wanted: str) -> None:
        super().__init__(f"Nothing was changed: choose at least one code that is {wanted}.")


class NothingSaid(Refusal):
    code = "nothing_said"

    def __init__(self) -> None:
        super().__init__("Press one of the buttons above the list to say what is to be done.")


class Unreadable(Conflict):
    code = "codes_unreadable"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"No key of this installation opens this {what} any more. Import Apple's sheet again, or ask"
            " the operator for the lost key of FIELD_ENCRYPTION_KEYS."
        )
