"""The account at Apple: its token, its state, and the runs that copy Apple's data to us."""

from vpp_accounts.models.accounts import (
    AccountState,
    AllowedAdmins,
    AssignableNetworks,
    FormerClaim,
    Notifications,
    VppAccount,
)
from vpp_accounts.models.alarms import Alarm
from vpp_accounts.models.notifications import Notification
from vpp_accounts.models.runs import SyncRun

__all__ = [
    "AccountState",
    "Alarm",
    "AllowedAdmins",
    "AssignableNetworks",
    "FormerClaim",
    "Notification",
    "Notifications",
    "SyncRun",
    "VppAccount",
]
