"""Who holds a title, who could, and what one of them holds.

sets        holders and open items of a title, as ranges of an index
candidates  everybody who could hold a title, and those in a certain state
licenses    the state of a license: what is held, overlaid by what is under way
people      rows of candidates, dressed with what the inventory knows
"""

from licensing.holders.candidates import (
    CandidateState,
    device_candidates,
    devices_matching,
    given_by,
    in_state,
    user_candidates,
    users_matching,
)
from licensing.holders.licenses import (
    BY,
    License,
    LicenseState,
    licenses_of_holder,
    licenses_of_title,
)
from licensing.holders.people import (
    DeviceHolder,
    UserHolder,
    dressed_devices,
    dressed_users,
)
from licensing.holders.sets import (
    DEVICE,
    USER,
    begins_with,
    elsewhere,
    holders_of,
    open_items_of,
    pending_of,
)

__all__ = [
    "BY",
    "DEVICE",
    "USER",
    "CandidateState",
    "DeviceHolder",
    "License",
    "LicenseState",
    "UserHolder",
    "begins_with",
    "device_candidates",
    "devices_matching",
    "dressed_devices",
    "dressed_users",
    "elsewhere",
    "given_by",
    "holders_of",
    "in_state",
    "licenses_of_holder",
    "licenses_of_title",
    "open_items_of",
    "pending_of",
    "user_candidates",
    "users_matching",
]
