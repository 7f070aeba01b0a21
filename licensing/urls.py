"""The pages that show or act on licenses, whatever menu they stand in."""

from django.urls import path

from licensing.views import (
    accounts,
    activity,
    frame,
    licensed_app_detail,
    licensed_apps,
    mdm,
    overview,
    sync_history,
)

app_name = "licensing"
MDM = "organizations/<int:organization_id>/mdm/accounts"
VPP = "organizations/<int:organization_id>/manage/vpp"
urlpatterns = [
    path("organizations/<int:organization_id>/", overview.overview, name="overview"),
    path(
        "organizations/<int:organization_id>/running-work/", frame.running_work, name="running_work"
    ),
    path(
        "organizations/<int:organization_id>/activity/",
        activity.organization_activity,
        name="organization_activity",
    ),
    # Organization > MDM
    path("organizations/<int:organization_id>/mdm/", mdm.mdm, name="mdm"),
    path(f"{MDM}/add/", accounts.account_add, name="account_add"),
    path(f"{MDM}/token-preview/", accounts.token_preview, name="token_preview"),
    path(f"{MDM}/<int:account_id>/edit/", accounts.account_edit, name="account_edit"),
    path(f"{MDM}/<int:account_id>/renew/", accounts.account_renew, name="account_renew"),
    path(
        f"{MDM}/<int:account_id>/take-over/", accounts.account_take_over, name="account_take_over"
    ),
    path(f"{MDM}/<int:account_id>/remove/", accounts.account_remove, name="account_remove"),
    path(f"{MDM}/<int:account_id>/sync/", mdm.account_sync, name="account_sync"),
    path(f"{MDM}/<int:account_id>/row/", mdm.account_row, name="account_row"),
    path(f"{MDM}/<int:account_id>/syncs/", sync_history.account_runs, name="account_runs"),
    # Systems Manager > Manage > VPP
    path(f"{VPP}/", licensed_apps.vpp, name="vpp"),
    path(
        f"{VPP}/licensed-applications/", licensed_apps.licensed_app_list, name="licensed_app_list"
    ),
    path(
        f"{VPP}/licensed-applications/sync/",
        licensed_apps.licensed_app_sync,
        name="licensed_app_sync",
    ),
    path(
        f"{VPP}/<int:account_id>/apps/<slug:adam_id>/<slug:pricing_param>/",
        licensed_app_detail.licensed_app_detail,
        name="licensed_app_detail",
    ),
    path(f"{VPP}/activity/", activity.vpp_activity, name="vpp_activity"),
]
