"""Why a batch cannot be planned, started, stopped or repeated; each says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from organizations.refusals import Conflict, Refusal

if TYPE_CHECKING:
    from licensing.models import BatchPlan


WHAT_TO_CHOOSE = {
    "grant": "Choose at least one title, and somebody to grant it to.",
    "revoke": "Choose at least one title, and somebody to revoke it from.",
}


class NothingChosen(Refusal):
    code = "nothing_chosen"

    def __init__(self, kind: str) -> None:
        super().__init__(WHAT_TO_CHOOSE.get(kind, f"Choose at least one person to {kind}."))


class TooMuch(Refusal):
    code = "too_much"

    def __init__(self, size: int, most: int) -> None:
        super().__init__(
            f"That is {size:,} items at once; a batch takes {most:,}. Choose fewer titles or holders."
        )


class OtherAccount(Refusal):
    code = "other_account"

    def __init__(self, name: str) -> None:
        super().__init__(f"One of the titles does not belong to the VPP account “{name}”.")


class AccountCannotWrite(Conflict):
    code = "account_stopped"

    def __init__(self, name: str, state: str, reason: str) -> None:
        super().__init__(
            f"“{name}” is “{state}”, so no license can be changed now. {reason}".strip()
        )


class ConfirmIrrevocable(Refusal):
    code = "confirm_irrevocable"
    field = "confirm_irrevocable"

    def __init__(self, kind: str, count: int) -> None:
        what = (
            f"{count:,} permanent licenses stay with these people for good"
            if kind == "retire"
            else f"{count:,} of these licenses are permanent"
        )
        super().__init__(f"{what}: nobody can ever take them back. Confirm that this is meant.")


class PlanGotWorse(Conflict):
    """The world changed since the plan was shown; `plan` is how it stands now."""

    code = "plan_got_worse"

    def __init__(self, plan: BatchPlan) -> None:
        self.plan = plan
        super().__init__(
            "Meanwhile something changed, and the result would be another one than was shown. Look"
            " at the new plan and confirm again."
        )


class PlanUnknown(Refusal):
    code = "plan_unknown"
    field = "planId"

    def __init__(self) -> None:
        super().__init__(
            "This plan does not exist (any more): plans are kept for a day. Plan again."
        )


class NothingToCancel(Conflict):
    code = "nothing_to_cancel"

    def __init__(self) -> None:
        super().__init__("Nothing of this batch can be stopped any more: all of it was sent.")


class NothingToRetry(Conflict):
    code = "nothing_to_retry"

    def __init__(self) -> None:
        super().__init__("No item of this batch has failed, so there is nothing to try again.")


class NothingWaits(Conflict):
    code = "nothing_waits"

    def __init__(self) -> None:
        super().__init__(
            "None of these waits for a license any more: they were served, or taken off the list."
        )
