"""Addresses of the licensing part of the API, without trailing slashes (see vpp_dashboard)."""

from django.urls import path

from licensing.api.accounts import RenewView, TakeOverView, VppAccountsView, VppAccountView
from licensing.api.apps import AppScopeView, AppsView, AppView, PauseAppView, ResumeAppView
from licensing.api.assets import AssetsView, AssetView
from licensing.api.assignments import AssignmentsView
from licensing.api.audit_events import AuditEventsView
from licensing.api.batches import (
    BatchesView,
    BatchItemsView,
    BatchView,
    CancelBatchView,
    RetryBatchView,
)
from licensing.api.device_apps import InstallAppsView, InstallsView, UninstallAppsView
from licensing.api.people_actions import InviteUsersView, RetireUsersView
from licensing.api.people_imports import UsersImportView
from licensing.api.personal_data import OwnerDataView
from licensing.api.runs import SyncRunsView, SyncRunView, SyncView
from licensing.api.users import UsersView, UserView
from organizations.api.urls import ORGANIZATION

ACCOUNTS = f"{ORGANIZATION}/sm/vppAccounts"
ACCOUNT = f"{ACCOUNTS}/<row:vppAccountId>"
DEVICE = "networks/<row:networkId>/sm/devices/<row:deviceId>"
APPS = "networks/<row:networkId>/sm/apps"
APP = f"{APPS}/<row:appId>"
BATCH = f"{ACCOUNT}/batches/<row:batchId>"

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
    path(f"{ORGANIZATION}/sm/owners/<row:ownerId>/data", OwnerDataView.as_view()),
    path(APPS, AppsView.as_view()),
    path(APP, AppView.as_view()),
    path(f"{APP}/scope", AppScopeView.as_view()),
    path(f"{APP}/pause", PauseAppView.as_view()),
    path(f"{APP}/resume", ResumeAppView.as_view()),
    path("networks/<row:networkId>/sm/apps/installs", InstallsView.as_view()),
    path(f"{DEVICE}/installApps", InstallAppsView.as_view()),
    path(f"{DEVICE}/uninstallApps", UninstallAppsView.as_view()),
    path(f"{ORGANIZATION}/auditEvents", AuditEventsView.as_view()),
]
