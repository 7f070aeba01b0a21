"""The pages that show or act on licenses, whatever menu they stand in."""

from django.urls import path

from licensing.views import (
    accounts,
    activity,
    app_add,
    app_detail,
    apps,
    automation,
    batches,
    deployment,
    device_actions,
    device_detail,
    device_licenses,
    devices,
    frame,
    holder_detail,
    licensed_app_detail,
    licensed_apps,
    mdm,
    notifications,
    organization_deletion,
    organization_list,
    overview,
    owner_data,
    people,
    person_actions,
    person_forms,
    plans,
    reclaim,
    reclaim_rules,
    sync_history,
    tags,
    thresholds,
    unknown_holders,
    waiting,
    why,
)

app_name = "licensing"
MDM = "organizations/<int:organization_id>/mdm/accounts"
INSTALLATION = "organizations/<int:organization_id>/manage/apps/installations/<int:installation_id>"
APPS = "organizations/<int:organization_id>/manage/apps"
VPP = "organizations/<int:organization_id>/manage/vpp"
TAGS = "organizations/<int:organization_id>/configure/tags"
DEVICES = "organizations/<int:organization_id>/monitor/devices"
OWNER = "organizations/<int:organization_id>/configure/owners/<int:owner_id>"
urlpatterns = [
    path("organizations/", organization_list.organization_list, name="organization_list"),
    path("organizations/search", organization_list.organization_search, name="organization_search"),
    path("organizations/<int:organization_id>/", overview.overview, name="overview"),
    path(
        "organizations/<int:organization_id>/settings/delete/",
        organization_deletion.organization_delete,
        name="organization_delete",
    ),
    path(
        "organizations/<int:organization_id>/running-work/", frame.running_work, name="running_work"
    ),
    path(
        "organizations/<int:organization_id>/activity/",
        activity.organization_activity,
        name="organization_activity",
    ),
    path(
        "organizations/<int:organization_id>/activity/<int:event_id>/",
        activity.event_detail,
        name="event_detail",
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
    path(
        f"{MDM}/<int:account_id>/notifications/",
        notifications.account_notifications,
        name="account_notifications",
    ),
    path(
        f"{MDM}/<int:account_id>/notifications/try-again/",
        notifications.account_notifications_try_again,
        name="account_notifications_try_again",
    ),
    # Systems Manager > Monitor > Devices
    path(f"{DEVICES}/", devices.device_list, name="device_list"),
    path(f"{DEVICES}/add/", devices.device_add, name="device_add"),
    path(f"{DEVICES}/tags/", device_actions.device_tags, name="device_tags"),
    path(f"{DEVICES}/owner/", device_actions.device_owner, name="device_owner"),
    path(f"{DEVICES}/move/", device_actions.device_move, name="device_move"),
    path(f"{DEVICES}/grant/", device_licenses.device_grant, name="device_grant"),
    path(f"{DEVICES}/revoke/", device_licenses.device_revoke, name="device_revoke"),
    path(f"{DEVICES}/install/", device_actions.device_install, name="device_install"),
    path(f"{DEVICES}/unenroll/", device_actions.device_unenroll, name="device_unenroll"),
    path(f"{DEVICES}/delete/", device_actions.device_delete, name="device_delete"),
    path(f"{DEVICES}/<int:device_id>/", device_detail.device_detail, name="device_detail"),
    path(f"{DEVICES}/<int:device_id>/edit/", device_detail.device_edit, name="device_edit"),
    # Systems Manager > Configure > Owners
    path(f"{OWNER}/data/", owner_data.owner_data, name="owner_data"),
    path(f"{OWNER}/data/export/", owner_data.owner_data_export, name="owner_data_export"),
    # Systems Manager > Configure > Tags
    path(f"{TAGS}/", tags.tag_list, name="tag_list"),
    path(f"{TAGS}/add/", tags.tag_add, name="tag_add"),
    path(f"{TAGS}/<int:tag_id>/", tags.tag_edit, name="tag_edit"),
    path(f"{TAGS}/<int:tag_id>/delete/", tags.tag_delete, name="tag_delete"),
    # Help
    path("organizations/<int:organization_id>/help/vpp-installs/", why.why, name="why"),
    # Systems Manager > Manage > Apps
    path(f"{APPS}/", apps.app_list, name="app_list"),
    path(f"{APPS}/installs.csv", deployment.app_installs, name="app_installs"),
    path(f"{INSTALLATION}/install/", deployment.installation_install, name="installation_install"),
    path(f"{INSTALLATION}/retry/", deployment.installation_retry, name="installation_retry"),
    path(f"{INSTALLATION}/remove/", deployment.installation_remove, name="installation_remove"),
    path(f"{APPS}/add/", app_add.app_add, name="app_add"),
    path(f"{APPS}/add/search/<uuid:search_id>/", app_add.app_search, name="app_search"),
    path(f"{APPS}/add/networks/", app_add.app_networks, name="app_networks"),
    path(f"{APPS}/<int:app_id>/", app_detail.app_detail, name="app_detail"),
    path(f"{APPS}/<int:app_id>/delete/", apps.app_delete, name="app_delete"),
    path(f"{APPS}/<int:app_id>/pause/", apps.app_pause, name="app_pause"),
    path(f"{APPS}/<int:app_id>/resume/", apps.app_resume, name="app_resume"),
    path(f"{APPS}/<int:app_id>/decide/", apps.app_decide, name="app_decide"),
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
    path(
        f"{VPP}/<int:account_id>/apps/<slug:adam_id>/<slug:pricing_param>/waiting/",
        waiting.waiting_list,
        name="waiting_list",
    ),
    path(
        f"{VPP}/<int:account_id>/holders/<slug:holder_kind>/<path:holder>/",
        holder_detail.holder_detail,
        name="holder_detail",
    ),
    path(f"{VPP}/users/", people.user_list, name="user_list"),
    path(f"{VPP}/users/status/", people.user_status, name="user_status"),
    path(f"{VPP}/users/add/", person_forms.user_add, name="user_add"),
    path(f"{VPP}/users/<int:user_id>/edit/", person_forms.user_edit, name="user_edit"),
    path(f"{VPP}/users/<int:user_id>/invite/", person_actions.user_invite, name="user_invite"),
    path(f"{VPP}/users/<int:user_id>/link/", person_actions.user_link, name="user_link"),
    path(
        f"{VPP}/users/<int:user_id>/register/", person_actions.user_register, name="user_register"
    ),
    path(f"{VPP}/plans/<uuid:plan_id>/", plans.plan_detail, name="plan_detail"),
    path(f"{VPP}/batches/", batches.batch_list, name="batch_list"),
    path(f"{VPP}/batches/<int:batch_id>/", batches.batch_detail, name="batch_detail"),
    path(f"{VPP}/batches/<int:batch_id>/progress/", batches.batch_progress, name="batch_progress"),
    path(f"{VPP}/batches/<int:batch_id>/cancel/", batches.batch_cancel, name="batch_cancel"),
    path(f"{VPP}/batches/<int:batch_id>/retry/", batches.batch_retry, name="batch_retry"),
    path(
        f"{VPP}/unknown-holders/",
        unknown_holders.unknown_holder_counts,
        name="unknown_holder_counts",
    ),
    path(
        f"{VPP}/<int:account_id>/unknown-holders/",
        unknown_holders.unknown_holders,
        name="unknown_holders",
    ),
    path(f"{VPP}/reclaim/", reclaim.reclaim, name="reclaim"),
    path(f"{VPP}/reclaim/look/", reclaim.reclaim_look, name="reclaim_look"),
    path(f"{VPP}/reclaim/rules/", reclaim_rules.reclaim_rules, name="reclaim_rules"),
    path(f"{VPP}/reclaim/preview/", reclaim_rules.reclaim_preview, name="reclaim_preview"),
    path(f"{VPP}/reclaim/protected/", reclaim_rules.reclaim_protected, name="reclaim_protected"),
    path(
        f"{VPP}/reclaim/protected/<int:protected_id>/remove/",
        reclaim_rules.reclaim_unprotect,
        name="reclaim_unprotect",
    ),
    path(
        f"{VPP}/<int:account_id>/apps/<slug:adam_id>/<slug:pricing_param>/reclaim/",
        reclaim.reclaim_decide,
        name="reclaim_decide",
    ),
    path(f"{VPP}/settings/", thresholds.settings, name="settings"),
    path(f"{VPP}/settings/pause/", automation.automation_pause, name="automation_pause"),
    path(f"{VPP}/settings/resume/", automation.automation_resume, name="automation_resume"),
    path(
        f"{VPP}/<int:account_id>/apps/<slug:adam_id>/<slug:pricing_param>/threshold/",
        thresholds.threshold,
        name="threshold",
    ),
    path(f"{VPP}/activity/", activity.vpp_activity, name="vpp_activity"),
    path(f"{VPP}/activity/seen/", activity.foreign_changes_seen, name="foreign_changes_seen"),
]
