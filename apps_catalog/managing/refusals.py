"""Why an app cannot be added or saved."""

from __future__ import annotations

from collections.abc import Sequence

from organizations.models import Network
from organizations.refusals import Conflict, Refusal

NAMED = 5


class AppAlreadyThere(Conflict):
    code = "app_already_there"
    field = "networks"

    def __init__(self, name: str, networks: Sequence[Network]) -> None:
        named = ", ".join(f"“{network}”" for network in networks[:NAMED])
        more = f" and {len(networks) - NAMED:,} more" if len(networks) > NAMED else ""
        super().__init__(f"{name} is already an app of {named}{more}. Open it under Manage > Apps.")


class AppGone(Conflict):
    code = "app_gone"

    def __init__(self) -> None:
        super().__init__("This app was deleted meanwhile. Go back to the list of apps.")


class WrongPlatform(Refusal):
    code = "wrong_platform"
    field = "platform"

    def __init__(self, name: str, platform: str, platforms: Sequence[str]) -> None:
        super().__init__(
            f"{name} does not run on {platform}, only on {', '.join(platforms)}. Add it there."
        )


class NoNetworkChosen(Refusal):
    code = "no_network_chosen"
    field = "networks"

    def __init__(self) -> None:
        super().__init__("Choose at least one network whose devices are to get the app.")


class MethodNotPossible(Refusal):
    code = "purchase_method_not_possible"
    field = "purchase_method"

    def __init__(self, method: str, possible: Sequence[str]) -> None:
        super().__init__(
            f"“{method}” is not possible for this app. Choose {' or '.join(possible)}."
        )


class AccountUnknown(Refusal):
    code = "vpp_account_unknown"
    field = "accounts"

    def __init__(self, account_id: int) -> None:
        super().__init__(
            f"There is no VPP account {account_id} that you may use. Choose one of the list."
        )


class AccountNotYours(Refusal):
    code = "vpp_account_not_yours"
    field = "accounts"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"You may not manage licenses of {name}, so no app can be made to draw from it by you."
            " One of its allowed admins can."
        )


class LicensesNotYours(Refusal):
    code = "licenses_not_yours"

    def __init__(self) -> None:
        super().__init__(
            "This app draws licenses from a VPP account that you may not manage, so you cannot change"
            " who gets them: its scope, purchase method, accounts and automatic licensing. One of that"
            " account's allowed admins can. How the app is installed you may change."
        )


class AccountNotAssignable(Refusal):
    code = "vpp_account_not_assignable"
    field = "accounts"

    def __init__(self, name: str, network: Network) -> None:
        super().__init__(
            f"{name} is not assignable in “{network}”. A full admin can change its assignable"
            " networks on Organization > MDM."
        )


class NumberOutOfRange(Refusal):
    code = "number_out_of_range"

    def __init__(self, field: str, what: str, smallest: int, largest: int) -> None:
        self.field = field
        super().__init__(f"{what} is a whole number from {smallest} to {largest}.")
