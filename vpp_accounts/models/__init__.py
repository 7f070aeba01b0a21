"""The account at Apple: its token, its state, and the runs that copy Apple's data to us."""

from vpp_accounts.models.accounts import (
    AccountState,
    AllowedAdmins,
    AssignableNetworks,
    FormerClaim,
    VppAccount,
)
from vpp_accounts.models.runs import SyncRun

__all__ = [
    "AccountState",
    "AllowedAdmins",
    "AssignableNetworks",
    "FormerClaim",
    "SyncRun",
    "VppAccount",
]
