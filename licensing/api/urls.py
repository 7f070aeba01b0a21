"""Addresses of the licensing part of the API, without trailing slashes (see vpp_dashboard)."""

from django.urls import path

from licensing.api.accounts import RenewView, TakeOverView, VppAccountsView, VppAccountView
from licensing.api.app_searches import AppSearchesView, AppSearchView
from licensing.api.apps import AppScopeView, AppsView, AppView, PauseAppView, ResumeAppView
from licensing.api.assets import AssetsView, AssetView
from licensing.api.assignments import AssignmentsView
from licensing.api.audit_events import AuditEventsView, AuditEventView
from licensing.api.automation import (
    AutomationView,
    DecideAppView,
    PauseAutomationView,
    ResumeAutomationView,
)
from licensing.api.batches import (
    BatchesView,
    BatchItemsView,
    BatchView,
    CancelBatchView,
    RetryBatchView,
)
from licensing.api.device_actions import (
    AssignOwnerView,
    CheckinView,
    DeviceFieldsView,
    InstallManyView,
    ModifyTagsView,
)
from licensing.api.device_apps import InstallAppsView, InstallsView, UninstallAppsView
from licensing.api.device_departures import (
    DeleteDevicesView,
    MoveDevicesView,
    UnenrollDevicesView,
    UnenrollDeviceView,
)
from licensing.api.device_details import DeviceHistoryView, DeviceView, RefreshDetailsView
from licensing.api.device_reports import CommandLogsView, SoftwaresView
from licensing.api.device_unknown import unknown_urls
from licensing.api.devices import NetworkDevicesView, OrganizationDevicesView
from licensing.api.foreign import ForeignChangesView, SeeForeignChangesView
from licensing.api.holders import (
    RevokeUnknownHoldersView,
    UnknownHolderCountsView,
    UnknownHoldersView,
)
from licensing.api.installations import (
    InstallationsView,
    InstallInstallationView,
    RemoveInstallationView,
    RetryInstallationView,
)
from licensing.api.notifications import NotificationsView, RetryNotificationsView
from licensing.api.organization_apps import OrganizationAppsView
from licensing.api.organization_deletion import OrganizationDeletionView
from licensing.api.people_actions import InviteUsersView, RetireUsersView
from licensing.api.people_imports import UsersImportView
from licensing.api.person_steps import InvitationLinkView, RegisterUserView
from licensing.api.personal_data import OwnerDataView
from licensing.api.reclaim import (
    DecideReclaimView,
    KeepReclaimsView,
    LookForReclaimsView,
    ProtectReclaimsView,
    ReclaimSummaryView,
    ReclaimsView,
    TakeReclaimsView,
)
from licensing.api.reclaim_protected import ProtectedHolderView, ProtectedView
from licensing.api.reclaim_rules import ReclaimPreviewView, ReclaimRulesView
from licensing.api.runs import SyncRunsView, SyncRunView, SyncView
from licensing.api.sm_users import (
    SmUserDeviceProfilesView,
    SmUserSoftwaresView,
    SmUsersView,
)
from licensing.api.tags import TagsView, TagView
from licensing.api.thresholds import SettingsView, ThresholdView
from licensing.api.users import UsersView, UserView
from licensing.api.waiting import AssetWaitingView, MoveView, TakeOffView, WaitingView
from licensing.api.why import DeviceAppsListView, WhyView
from organizations.api.urls import ORGANIZATION

ACCOUNTS = f"{ORGANIZATION}/sm/vppAccounts"
ACCOUNT = f"{ACCOUNTS}/<row:vppAccountId>"
DEVICES = "networks/<row:networkId>/sm/devices"
DEVICE = f"{DEVICES}/<row:deviceId>"
APPS = "networks/<row:networkId>/sm/apps"
APP = f"{APPS}/<row:appId>"
INSTALLATION = f"{APPS}/installations/<row:installationId>"
SM_USER = "networks/<row:networkId>/sm/users/<row:userId>"
BATCH = f"{ACCOUNT}/batches/<row:batchId>"
ASSET = f"{ACCOUNT}/assets/<adam:adamId>/<pricing:pricingParam>"
RECLAIM = f"{ORGANIZATION}/sm/reclaim"

urlpatterns = [
    path(ACCOUNTS, VppAccountsView.as_view()),
    path(ACCOUNT, VppAccountView.as_view()),
    path(f"{ACCOUNT}/renew", RenewView.as_view()),
    path(f"{ACCOUNT}/takeOver", TakeOverView.as_view()),
    path(f"{ACCOUNT}/sync", SyncView.as_view()),
    path(f"{ACCOUNT}/syncRuns", SyncRunsView.as_view()),
    path(f"{ACCOUNT}/syncRuns/<row:syncRunId>", SyncRunView.as_view()),
    path(f"{ACCOUNT}/assets", AssetsView.as_view()),
    path(f"{ACCOUNT}/assets/<adam:adamId>/<pricing:pricingParam>", AssetView.as_view()),
    path(f"{ACCOUNT}/assignments", AssignmentsView.as_view()),
    path(f"{ACCOUNT}/batches", BatchesView.as_view()),
    path(BATCH, BatchView.as_view()),
    path(f"{BATCH}/items", BatchItemsView.as_view()),
    path(f"{BATCH}/cancel", CancelBatchView.as_view()),
    path(f"{BATCH}/retry", RetryBatchView.as_view()),
    path(f"{ACCOUNT}/users", UsersView.as_view()),
    path(f"{ACCOUNT}/users/import", UsersImportView.as_view()),
    path(f"{ACCOUNT}/users/invite", InviteUsersView.as_view()),
    path(f"{ACCOUNT}/users/retire", RetireUsersView.as_view()),
    path(f"{ACCOUNT}/users/<row:userId>", UserView.as_view()),
    path(f"{ACCOUNT}/users/<row:userId>/invitationLink", InvitationLinkView.as_view()),
    path(f"{ACCOUNT}/users/<row:userId>/register", RegisterUserView.as_view()),
    path(f"{ORGANIZATION}/sm/tags", TagsView.as_view()),
    path(f"{ORGANIZATION}/sm/tags/<row:tagId>", TagView.as_view()),
    path(f"{ACCOUNT}/unknownHolders", UnknownHoldersView.as_view()),
    path(f"{ACCOUNT}/unknownHolders/revoke", RevokeUnknownHoldersView.as_view()),
    path(f"{ACCOUNT}/notifications", NotificationsView.as_view()),
    path(f"{ACCOUNT}/notifications/retry", RetryNotificationsView.as_view()),
    path(f"{ASSET}/waiting", AssetWaitingView.as_view()),
    path(f"{ASSET}/waiting/takeOff", TakeOffView.as_view()),
    path(f"{ASSET}/waiting/move", MoveView.as_view()),
    path(f"{ASSET}/threshold", ThresholdView.as_view()),
    path(f"{ASSET}/reclaim", DecideReclaimView.as_view()),
    path(f"{ORGANIZATION}/sm/waiting", WaitingView.as_view()),
    path(f"{ORGANIZATION}/sm/settings", SettingsView.as_view()),
    path(f"{ORGANIZATION}/sm/unknownHolders", UnknownHolderCountsView.as_view()),
    path(f"{ORGANIZATION}/sm/foreignChanges", ForeignChangesView.as_view()),
    path(f"{ORGANIZATION}/sm/foreignChanges/seen", SeeForeignChangesView.as_view()),
    path(f"{ORGANIZATION}/sm/automation", AutomationView.as_view()),
    path(f"{ORGANIZATION}/sm/automation/pause", PauseAutomationView.as_view()),
    path(f"{ORGANIZATION}/sm/automation/resume", ResumeAutomationView.as_view()),
    path(RECLAIM, ReclaimsView.as_view()),
    path(f"{RECLAIM}/summary", ReclaimSummaryView.as_view()),
    path(f"{RECLAIM}/look", LookForReclaimsView.as_view()),
    path(f"{RECLAIM}/take", TakeReclaimsView.as_view()),
    path(f"{RECLAIM}/keep", KeepReclaimsView.as_view()),
    path(f"{RECLAIM}/protect", ProtectReclaimsView.as_view()),
    path(f"{RECLAIM}/rules", ReclaimRulesView.as_view()),
    path(f"{RECLAIM}/preview", ReclaimPreviewView.as_view()),
    path(f"{RECLAIM}/protected", ProtectedView.as_view()),
    path(f"{RECLAIM}/protected/<row:protectedId>", ProtectedHolderView.as_view()),
    path(f"{ORGANIZATION}/sm/owners/<row:ownerId>/data", OwnerDataView.as_view()),
    path(APPS, AppsView.as_view()),
    path(APP, AppView.as_view()),
    path(f"{ORGANIZATION}/sm/apps", OrganizationAppsView.as_view()),
    path(f"{ORGANIZATION}/sm/apps/searches", AppSearchesView.as_view()),
    path(f"{ORGANIZATION}/sm/apps/searches/<uuid:searchId>", AppSearchView.as_view()),
    path(f"{APP}/installations", InstallationsView.as_view()),
    path(f"{INSTALLATION}/install", InstallInstallationView.as_view()),
    path(f"{INSTALLATION}/retry", RetryInstallationView.as_view()),
    path(f"{INSTALLATION}/remove", RemoveInstallationView.as_view()),
    path(f"{DEVICE}/apps", DeviceAppsListView.as_view()),
    path(f"{DEVICE}/apps/<row:appId>/why", WhyView.as_view()),
    path(f"{APP}/scope", AppScopeView.as_view()),
    path(f"{APP}/pause", PauseAppView.as_view()),
    path(f"{APP}/resume", ResumeAppView.as_view()),
    path(f"{APP}/decide", DecideAppView.as_view()),
    path("networks/<row:networkId>/sm/apps/installs", InstallsView.as_view()),
    path(f"{ORGANIZATION}/sm/devices", OrganizationDevicesView.as_view()),
    path(DEVICES, NetworkDevicesView.as_view()),
    path(f"{DEVICES}/modifyTags", ModifyTagsView.as_view()),
    path(f"{DEVICES}/move", MoveDevicesView.as_view()),
    path(f"{DEVICES}/checkin", CheckinView.as_view()),
    path(f"{DEVICES}/fields", DeviceFieldsView.as_view()),
    path(f"{DEVICES}/assignOwner", AssignOwnerView.as_view()),
    path(f"{DEVICES}/installApps", InstallManyView.as_view()),
    path(f"{DEVICES}/unenroll", UnenrollDevicesView.as_view()),
    path(f"{DEVICES}/delete", DeleteDevicesView.as_view()),
    path(DEVICE, DeviceView.as_view()),
    path(f"{DEVICE}/history", DeviceHistoryView.as_view()),
    path(f"{DEVICE}/refreshDetails", RefreshDetailsView.as_view()),
    path(f"{DEVICE}/unenroll", UnenrollDeviceView.as_view()),
    path(f"{DEVICE}/softwares", SoftwaresView.as_view()),
    path(f"{DEVICE}/deviceCommandLogs", CommandLogsView.as_view()),
    *unknown_urls(DEVICE),
    path(f"{DEVICE}/installApps", InstallAppsView.as_view()),
    path(f"{DEVICE}/uninstallApps", UninstallAppsView.as_view()),
    path(f"{ORGANIZATION}/deletion", OrganizationDeletionView.as_view()),
    path(f"{ORGANIZATION}/auditEvents", AuditEventsView.as_view()),
    path(f"{ORGANIZATION}/auditEvents/<row:eventId>", AuditEventView.as_view()),
    path("networks/<row:networkId>/sm/users", SmUsersView.as_view()),
    path(f"{SM_USER}/deviceProfiles", SmUserDeviceProfilesView.as_view()),
    path(f"{SM_USER}/softwares", SmUserSoftwaresView.as_view()),
]
