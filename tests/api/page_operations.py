"""Which operation of the API does what a page changes (tests/api/test_page_operations.py).

What a page can do, a program can do: by the same service, with the same refusals. `Without` says why
there is no operation.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Without:
    why: str


FRESH = Without("asks for a fresh sign-in, which a key cannot show")
BROWSER = Without("is about the browser session itself")
SIGN_IN = Without("is how a person signs in; programs have keys")
LINK = Without("is opened from a mail by somebody who has no key")
MACHINE = Without("is itself for programs: of Apple, or of an MDM server")
PREVIEW = Without("changes nothing: it says what a file is before it is sent")

Operations = tuple[str, ...] | Without

ORGANIZATION: dict[str, Operations] = {
    "organizations:settings": ("updateOrganizationSettings",),
    "organizations:alarms": ("updateOrganizationAlarms",),
    "organizations:alarms_off": LINK,
    "organizations:audit_retention": ("updateOrganizationAuditEventsRetention",),
    "organizations:leave": ("leaveOrganization",),
    "organizations:network_add": ("createOrganizationNetwork",),
    "organizations:network_edit": ("updateNetwork",),
    "organizations:network_delete": ("deleteNetwork",),
    "organizations:network_choose": BROWSER,
    "organizations:admin_add": ("createOrganizationAdmin",),
    "organizations:admin_edit": ("updateOrganizationAdmin",),
    "organizations:admin_remove": ("deleteOrganizationAdmin",),
    "organizations:admin_invite_again": ("inviteOrganizationAdmin",),
    "organizations:admin_sign_out": ("signOutOrganizationAdmin",),
    "organizations:admin_unlock": ("unlockOrganizationAdmin",),
    "organizations:admin_key_revoke": ("revokeOrganizationAdminApiKey",),
    "organizations:api_key_add": ("generateAdministeredIdentitiesMeApiKeys",),
    "organizations:api_key_revoke": ("revokeAdministeredIdentitiesMeApiKeys",),
    "organizations:my_data": FRESH,
    "organizations:sign_in_second_factor": FRESH,
    "organizations:sign_in_required": FRESH,
    "organizations:sign_in_skippers": FRESH,
    "organizations:sign_in_provider_add": FRESH,
    "organizations:sign_in_provider_edit": FRESH,
    "organizations:sign_in_provider_delete": FRESH,
    "organizations:sign_in_reset": FRESH,
    "organizations:sign_in_test_begin": BROWSER,
    "organizations:invitation": LINK,
    "organizations:invitation_accept": Without("is a person's own consent, given in a browser"),
    "organizations:invitation_decline": Without("is a person's own answer, given in a browser"),
    "organizations:organization_deleted": Without("keys open no deleted organization"),
    "licensing:organization_delete": ("deleteOrganization",),
}

ACCOUNTS: dict[str, Operations] = {
    "licensing:account_add": ("createOrganizationSmVppAccount",),
    "licensing:token_preview": PREVIEW,
    "licensing:account_edit": ("updateOrganizationSmVppAccount",),
    "licensing:account_renew": ("renewOrganizationSmVppAccount",),
    "licensing:account_take_over": ("takeOverOrganizationSmVppAccount",),
    "licensing:account_remove": ("deleteOrganizationSmVppAccount",),
    "licensing:account_sync": ("syncOrganizationSmVppAccount",),
    "licensing:account_notifications_try_again": ("retryOrganizationSmVppAccountNotifications",),
    "licensing:foreign_changes_seen": ("seeOrganizationSmForeignChanges",),
    "vpp_accounts:receive_notification": MACHINE,
}

LICENSES: dict[str, Operations] = {
    "licensing:licensed_app_detail": ("createOrganizationSmVppAccountBatch",),
    "licensing:plan_detail": ("createOrganizationSmVppAccountBatch",),
    "licensing:batch_cancel": ("cancelOrganizationSmVppAccountBatch",),
    "licensing:batch_retry": ("retryOrganizationSmVppAccountBatch",),
    "licensing:waiting_list": (
        "takeOffOrganizationSmVppAccountAssetWaiting",
        "moveOrganizationSmVppAccountAssetWaiting",
    ),
    "licensing:threshold": ("updateOrganizationSmVppAccountAssetThreshold",),
    "licensing:settings": ("updateOrganizationSmSettings",),
    "licensing:holder_detail": (
        "createOrganizationSmVppAccountBatch",
        "inviteOrganizationSmVppAccountUsers",
        "retireOrganizationSmVppAccountUsers",
    ),
    "licensing:unknown_holders": ("revokeOrganizationSmVppAccountUnknownHolders",),
    "licensing:automation_pause": ("pauseOrganizationSmAutomation",),
    "licensing:automation_resume": ("resumeOrganizationSmAutomation",),
    "licensing:reclaim": (
        "takeOrganizationSmReclaim",
        "keepOrganizationSmReclaim",
        "protectOrganizationSmReclaim",
    ),
    "licensing:reclaim_look": ("lookOrganizationSmReclaim",),
    "licensing:reclaim_decide": ("decideOrganizationSmVppAccountAssetReclaim",),
    "licensing:reclaim_rules": (
        "updateOrganizationSmReclaimRules",
        "createOrganizationSmReclaimPreview",
    ),
    "licensing:reclaim_protected": ("createOrganizationSmReclaimProtected",),
    "licensing:reclaim_unprotect": ("deleteOrganizationSmReclaimProtected",),
}

PEOPLE: dict[str, Operations] = {
    "licensing:user_list": (
        "inviteOrganizationSmVppAccountUsers",
        "retireOrganizationSmVppAccountUsers",
    ),
    "licensing:user_add": ("createOrganizationSmVppAccountUser",),
    "licensing:user_edit": ("updateOrganizationSmVppAccountUser",),
    "licensing:user_invite": ("inviteOrganizationSmVppAccountUsers",),
    "licensing:user_register": ("registerOrganizationSmVppAccountUser",),
    "licensing:user_link": (
        "createOrganizationSmVppAccountUserInvitationLink",
        "deleteOrganizationSmVppAccountUserInvitationLink",
    ),
    "users:invitation_settings": ("updateOrganizationSmInvitationSettings",),
    "users:invitation_test_mail": ("sendOrganizationSmInvitationSettingsTestMail",),
    "users:invitation_ask": LINK,
    "users:owner_add": ("createOrganizationSmOwner",),
    "users:owner_edit": ("updateOrganizationSmOwner",),
    "users:owner_merge": ("mergeOrganizationSmOwner",),
    "users:owner_delete": ("deleteOrganizationSmOwner",),
    "licensing:owner_data": ("deleteOrganizationSmOwnerData",),
    "licensing:owner_data_export": ("getOrganizationSmOwnerData",),
    "users:import_add": ("createOrganizationSmOwnersImport",),
    "users:import_confirm": ("confirmOrganizationSmOwnersImport",),
    "users:import_cancel": ("cancelOrganizationSmOwnersImport",),
}

DEVICES: dict[str, Operations] = {
    "licensing:device_add": ("createNetworkSmDevices",),
    "licensing:device_edit": ("updateNetworkSmDevice",),
    "licensing:device_tags": ("modifyNetworkSmDevicesTags",),
    "licensing:device_owner": ("assignNetworkSmDevicesOwner",),
    "licensing:device_move": ("moveNetworkSmDevices",),
    "licensing:device_grant": ("createOrganizationSmVppAccountBatch",),
    "licensing:device_revoke": ("createOrganizationSmVppAccountBatch",),
    "licensing:device_install": ("installNetworkSmDevicesApps",),
    "licensing:device_unenroll": ("unenrollNetworkSmDevices",),
    "licensing:device_delete": ("deleteNetworkSmDevices",),
    "organizations:device_import_add": ("createOrganizationSmDevicesImport",),
    "organizations:device_import_confirm": ("confirmOrganizationSmDevicesImport",),
    "organizations:device_import_cancel": ("cancelOrganizationSmDevicesImport",),
    "licensing:tag_add": ("createOrganizationSmTag",),
    "licensing:tag_edit": ("updateOrganizationSmTag",),
    "licensing:tag_delete": ("deleteOrganizationSmTag",),
    "apps_catalog:channel_edit": ("updateOrganizationSmDeviceChannel",),
    "apps_catalog:channel_key": ("createOrganizationSmDeviceChannelKey",),
    "apps_catalog:channel_check": ("checkOrganizationSmDeviceChannel",),
    "apps_catalog:channel_profile": ("createOrganizationSmDeviceChannelProfile",),
    "apps_catalog:fleet_enroll": ("enrollOrganizationSmDeviceChannelFleet",),
    "apps_catalog:fleet_tick": ("tickOrganizationSmDeviceChannelFleet",),
    "apps_catalog:fleet_fault": ("switchOrganizationSmDeviceChannelFleetFaults",),
    "apps_catalog:receive_event": MACHINE,
}

APPS: dict[str, Operations] = {
    "licensing:app_add": ("createOrganizationSmAppsSearch",),
    "licensing:app_networks": ("createOrganizationSmApps",),
    "licensing:app_detail": ("updateNetworkSmApp",),
    "licensing:app_delete": ("deleteNetworkSmApp",),
    "licensing:app_pause": ("pauseNetworkSmApp",),
    "licensing:app_resume": ("resumeNetworkSmApp",),
    "licensing:app_decide": ("decideNetworkSmApp",),
    "licensing:installation_install": ("installNetworkSmAppsInstallation",),
    "licensing:installation_retry": ("retryNetworkSmAppsInstallation",),
    "licensing:installation_remove": ("removeNetworkSmAppsInstallation",),
    "apps_catalog:code_list": (
        "redeemNetworkSmAppCodes",
        "takeBackNetworkSmAppCodes",
        "deleteNetworkSmAppCodes",
    ),
    "apps_catalog:code_hand_out": ("handOutNetworkSmAppCodes",),
    "apps_catalog:code_show": ("showNetworkSmAppCode",),
    "apps_catalog:code_import_add": ("createNetworkSmAppCodesImport",),
    "apps_catalog:code_import_detail": (
        "updateNetworkSmAppCodesImport",
        "confirmNetworkSmAppCodesImport",
        "deleteNetworkSmAppCodesImport",
    ),
}

WEBHOOKS: dict[str, Operations] = {
    "organizations:webhook_add": ("createOrganizationWebhook",),
    "organizations:webhook_edit": ("updateOrganizationWebhook",),
    "organizations:webhook_delete": ("deleteOrganizationWebhook",),
    "organizations:webhook_test": ("testOrganizationWebhook",),
    "organizations:webhook_rotate": ("rotateOrganizationWebhookSecret",),
    "organizations:webhook_redeliver": ("redeliverOrganizationWebhookDelivery",),
}

PAGES = ORGANIZATION | ACCOUNTS | LICENSES | PEOPLE | DEVICES | APPS | WEBHOOKS
