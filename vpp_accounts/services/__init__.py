"""What admins do with VPP accounts: add, edit, renew, take over, remove.

Refusals carry the sentence that a person reads; nothing is stored when one is raised.

    accounts    add, edit, renew, take over
    tokens      a new token before it is taken
    rights      who may use an account where
    removal     remove, and what that stops
    goodbye     afterwards: switch Apple's notifications off
"""

from vpp_accounts.services.accounts import (
    add_account,
    edit_account,
    holder_of,
    renew_token,
    take_over,
)
from vpp_accounts.services.removal import Consequences, removal_consequences, remove_account
from vpp_accounts.services.rights import Rights
from vpp_accounts.services.tokens import preview_token

__all__ = [
    "Consequences",
    "Rights",
    "add_account",
    "edit_account",
    "holder_of",
    "preview_token",
    "removal_consequences",
    "remove_account",
    "renew_token",
    "take_over",
]
