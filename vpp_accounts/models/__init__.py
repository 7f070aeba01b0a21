"""The account at Apple: its token, its state, and the runs that copy Apple's data to us."""

from vpp_accounts.models.accounts import (
    AccountState,
    FormerClaim,
    Notifications,
    VppAccount,
)
from vpp_accounts.models.alarms import Alarm
from vpp_accounts.models.notifications import Notification
from vpp_accounts.models.runs import SyncRun
from vpp_accounts.models.sets import AllowedAdmins, AssignableNetworks, VppAccountQuerySet

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
    "VppAccountQuerySet",
]
