"""Apps that a network deploys: added, edited, paused and deleted by admins.

details   what an admin says about an app, and its facts for the audit log
methods   how an app may be licensed
accounts  the VPP accounts that an app may draw from
checking  whether what is said may be saved
adding, editing, pausing, ending  the services
"""

from apps_catalog.managing.adding import add_apps
from apps_catalog.managing.details import ManagedAppDetails
from apps_catalog.managing.editing import edit_app
from apps_catalog.managing.ending import delete_app, empty_scope, removal_consequences
from apps_catalog.managing.pausing import pause_app, resume_app

__all__ = [
    "ManagedAppDetails",
    "add_apps",
    "delete_app",
    "edit_app",
    "empty_scope",
    "pause_app",
    "removal_consequences",
    "resume_app",
]
