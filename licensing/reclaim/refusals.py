"""Why something cannot be taken back, kept or protected; each says what to do."""

from __future__ import annotations

from organizations.refusals import Conflict, Refusal


class NobodyChosen(Refusal):
    code = "nobody_chosen"

    def __init__(self) -> None:
        super().__init__("Choose at least one license: tick the boxes, or all that match.")


class TooLate(Conflict):
    code = "too_late"

    def __init__(self) -> None:
        super().__init__(
            "None of these can be kept any more: they are being taken back, or nobody waits for them."
            " To give a license again, grant it."
        )


class NothingToTake(Conflict):
    code = "nothing_to_take"

    def __init__(self) -> None:
        super().__init__(
            "None of these is still to be taken back, or they are not yours to take back."
        )


class SeveralAccounts(Refusal):
    code = "several_accounts"

    def __init__(self, names: str) -> None:
        super().__init__(
            f"These licenses are of several VPP accounts: {names}. Filter the list by VPP account,"
            " and take back those of one at a time."
        )


class NothingWaits(Conflict):
    code = "nothing_waits"

    def __init__(self) -> None:
        super().__init__("Nothing of this title waits for a decision any more.")


class MoreWaits(Conflict):
    code = "more_waits"

    def __init__(self, number: int) -> None:
        super().__init__(
            f"By now {number:,} licenses of this title would be taken back, more than you saw. Look at"
            " them, and decide again."
        )


class NoSuchHolder(Refusal):
    code = "no_such_holder"
    field = "holder"

    def __init__(self) -> None:
        super().__init__(
            "No device has this serial number, and no person of a VPP account this e-mail address."
            " Check how it is spelled."
        )


class NoSuchTitle(Refusal):
    code = "no_such_title"
    field = "adam_id"

    def __init__(self) -> None:
        super().__init__(
            "No VPP account has a title with this Adam ID. Leave it empty for all titles."
        )


class DaysOutOfRange(Refusal):
    code = "days_out_of_range"

    def __init__(self, most: int) -> None:
        super().__init__(f"Choose a number of days from 0 to {most:,}.")
