"""Everything about Apple that nobody outside knows, as named switches with the likeliest default.

Each is marked [inferred] or contradictory in the protocol reference. A test can turn each one to see
that the client survives being wrong about it.
"""

from dataclasses import dataclass, fields
from typing import Any

from vpp_accounts.apple.fake.wire import Rejected

CHOICES: dict[str, tuple[object, ...]] = {
    "expiry_shown": ("always", "only_within_15_days"),
    "unknown_parameters": ("ignore", "refuse"),
    "unlimited_available": ("remaining", "max"),
    "books_of_retired_users": ("retired", "assigned"),
    "empty_total_pages": (1, 0),
    "unknown_asset_number": (9602, 9709),
    "password_change_number": (9625, 9601),
    "retiring_the_retired": ("fails", "complete"),
    "unlimited_asset_payload": ("asset", "empty"),
}


@dataclass
class Guesses:
    # Apple says within 15 days of the end, all its examples show it always.
    expiry_shown: str = "always"
    # One client reports that a newer download revokes the older token, Apple's guide does not.
    newer_token_revokes_older: bool = False
    unknown_parameters: str = "ignore"
    # With unlimited=true, are the limited assets still listed beside the unlimited ones?
    unlimited_lists_limited_too: bool = True
    # availableCount of an unlimited asset: 2147483647 less what is assigned, or 2147483647.
    unlimited_available: str = "remaining"
    empty_total_pages: int = 1
    empty_list_is_present: bool = True
    # A delta cannot say "no longer assigned"; would a removed row be listed all the same?
    delta_lists_removed_rows: bool = False
    # Which count holds the books that stay with a retired user?
    books_of_retired_users: str = "retired"
    invite_code_stays_after_association: bool = False
    same_apple_account_twice: bool = False
    # client/config POST: do fields that are left out keep their value?
    omitted_config_fields_stay: bool = True
    # client/config POST: does an explicit null take the claim or the receiver away?
    null_clears_config: bool = False
    # Tokens that a manager downloaded are dead after a change of the password; with which number?
    password_change_number: int = 9625

    # More wanted than there are: are some served, or none?
    shortage_is_partial: bool = True
    # Associating what the location does not own: refused (9602), or failing later (9709)?
    unknown_asset_number: int = 9602
    # Can somebody who has not accepted yet hold apps and books? Else 9609.
    registered_users_can_hold: bool = True
    # Update and retirement of unknown users: refused at once, or failing later? 9609 both.
    unknown_users_are_refused: bool = False
    # Retiring who is retired already: fails with 9609, or counts as done.
    retiring_the_retired: str = "fails"
    # Is there an ASSET_MANAGEMENT for the licenses that a retirement frees?
    retire_tells_freed_licenses: bool = False
    # What UNLIMITED_ASSET carries when a free title becomes unlimited or stops being it.
    unlimited_asset_payload: str = "asset"
    # Lists of subscriptions: is the last page with rows followed by an empty one?
    subscriptions_end_with_empty_page: bool = True

    def change(self, name: str, value: Any) -> None:
        known = {item.name: item.type for item in fields(self)}
        if name not in known:
            raise Rejected(f"There is no guess named {name}. There are: {', '.join(known)}.")
        if value not in CHOICES.get(name, (True, False)):
            raise Rejected(f"{name} can be one of {CHOICES.get(name, (True, False))}.")
        setattr(self, name, value)
