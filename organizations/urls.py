"""The organization's own pages."""

from django.urls import path

from organizations.views import (
    admins,
    alarms,
    api_keys,
    audit_retention,
    closing,
    device_imports,
    invitations_to_me,
    my_data,
    network_choice,
    networks,
    settings,
    sign_in_settings,
    webhooks,
)

app_name = "organizations"
DEVICE_IMPORT = "organizations/<int:organization_id>/monitor/devices/import"
WEBHOOKS = "organizations/<int:organization_id>/webhooks"
WEBHOOK = f"{WEBHOOKS}/<int:webhook_id>"
DELIVERY = f"{WEBHOOK}/deliveries/<int:delivery_id>"
urlpatterns = [
    path("accounts/my-data/", my_data.my_data, name="my_data"),
    path("accounts/api-keys/", api_keys.api_key_list, name="api_key_list"),
    path("accounts/api-keys/create/", api_keys.api_key_add, name="api_key_add"),
    path("accounts/api-keys/<int:key_id>/revoke/", api_keys.api_key_revoke, name="api_key_revoke"),
    path("organizations/<int:organization_id>/settings/", settings.settings, name="settings"),
    path(
        "organizations/<int:organization_id>/deleted/",
        closing.organization_deleted,
        name="organization_deleted",
    ),
    path(
        "organizations/<int:organization_id>/networks/choose/",
        network_choice.network_choose,
        name="network_choose",
    ),
    path("organizations/<int:organization_id>/alarms/", alarms.alarms, name="alarms"),
    path(
        "organizations/<int:organization_id>/activity/retention/",
        audit_retention.audit_retention,
        name="audit_retention",
    ),
    path("alarms-off/<str:token>/", alarms.alarms_off, name="alarms_off"),
    path(
        "organizations/<int:organization_id>/networks/", networks.network_list, name="network_list"
    ),
    path(
        "organizations/<int:organization_id>/networks/add/",
        networks.network_add,
        name="network_add",
    ),
    path(
        "organizations/<int:organization_id>/networks/<int:network_id>/",
        networks.network_edit,
        name="network_edit",
    ),
    path(
        "organizations/<int:organization_id>/networks/<int:network_id>/delete/",
        networks.network_delete,
        name="network_delete",
    ),
    path(f"{DEVICE_IMPORT}/", device_imports.device_import_add, name="device_import_add"),
    path(
        f"{DEVICE_IMPORT}/template/",
        device_imports.device_import_template,
        name="device_import_template",
    ),
    path(
        f"{DEVICE_IMPORT}/<uuid:import_id>/",
        device_imports.device_import_detail,
        name="device_import_detail",
    ),
    path(
        f"{DEVICE_IMPORT}/<uuid:import_id>/confirm/",
        device_imports.device_import_confirm,
        name="device_import_confirm",
    ),
    path(
        f"{DEVICE_IMPORT}/<uuid:import_id>/cancel/",
        device_imports.device_import_cancel,
        name="device_import_cancel",
    ),
    path("organizations/<int:organization_id>/admins/", admins.admin_list, name="admin_list"),
    path("organizations/<int:organization_id>/admins/add/", admins.admin_add, name="admin_add"),
    path(
        "organizations/<int:organization_id>/admins/<int:admin_id>/",
        admins.admin_detail,
        name="admin_detail",
    ),
    path(
        "organizations/<int:organization_id>/admins/<int:admin_id>/edit/",
        admins.admin_edit,
        name="admin_edit",
    ),
    path(
        "organizations/<int:organization_id>/admins/<int:admin_id>/remove/",
        admins.admin_remove,
        name="admin_remove",
    ),
    path(
        "organizations/<int:organization_id>/admins/<int:admin_id>/invite-again/",
        admins.admin_invite_again,
        name="admin_invite_again",
    ),
    path(
        "organizations/<int:organization_id>/admins/<int:admin_id>/sign-out/",
        admins.admin_sign_out,
        name="admin_sign_out",
    ),
    path(
        "organizations/<int:organization_id>/admins/<int:admin_id>/unlock/",
        admins.admin_unlock,
        name="admin_unlock",
    ),
    path(
        "organizations/<int:organization_id>/admins/<int:admin_id>/keys/<int:key_id>/revoke/",
        admins.admin_key_revoke,
        name="admin_key_revoke",
    ),
    path(f"{WEBHOOKS}/", webhooks.webhook_list, name="webhook_list"),
    path(f"{WEBHOOKS}/add/", webhooks.webhook_add, name="webhook_add"),
    path(f"{WEBHOOK}/", webhooks.webhook_detail, name="webhook_detail"),
    path(f"{WEBHOOK}/edit/", webhooks.webhook_edit, name="webhook_edit"),
    path(f"{WEBHOOK}/delete/", webhooks.webhook_delete, name="webhook_delete"),
    path(f"{WEBHOOK}/secret/", webhooks.webhook_rotate, name="webhook_rotate"),
    path(f"{WEBHOOK}/test/", webhooks.webhook_test, name="webhook_test"),
    path(f"{DELIVERY}/", webhooks.webhook_delivery, name="webhook_delivery"),
    path(f"{DELIVERY}/redeliver/", webhooks.webhook_redeliver, name="webhook_redeliver"),
    path("organizations/<int:organization_id>/leave/", admins.leave, name="leave"),
    path("invitation/<str:token>/", invitations_to_me.invitation, name="invitation"),
    path(
        "invitation/<int:membership_id>/accept/",
        invitations_to_me.invitation_accept,
        name="invitation_accept",
    ),
    path(
        "invitation/<int:membership_id>/decline/",
        invitations_to_me.invitation_decline,
        name="invitation_decline",
    ),
    path(
        "organizations/<int:organization_id>/sign-in/",
        sign_in_settings.sign_in_settings,
        name="sign_in_settings",
    ),
    path(
        "organizations/<int:organization_id>/sign-in/second-factor/",
        sign_in_settings.sign_in_second_factor,
        name="sign_in_second_factor",
    ),
    path(
        "organizations/<int:organization_id>/sign-in/required/",
        sign_in_settings.sign_in_required,
        name="sign_in_required",
    ),
    path(
        "organizations/<int:organization_id>/sign-in/without/",
        sign_in_settings.sign_in_skippers,
        name="sign_in_skippers",
    ),
    path(
        "organizations/<int:organization_id>/sign-in/providers/add/",
        sign_in_settings.sign_in_provider_add,
        name="sign_in_provider_add",
    ),
    path(
        "organizations/<int:organization_id>/sign-in/providers/<int:provider_id>/",
        sign_in_settings.sign_in_provider,
        name="sign_in_provider",
    ),
    path(
        "organizations/<int:organization_id>/sign-in/providers/<int:provider_id>/edit/",
        sign_in_settings.sign_in_provider_edit,
        name="sign_in_provider_edit",
    ),
    path(
        "organizations/<int:organization_id>/sign-in/providers/<int:provider_id>/delete/",
        sign_in_settings.sign_in_provider_delete,
        name="sign_in_provider_delete",
    ),
    path(
        "organizations/<int:organization_id>/sign-in/providers/<int:provider_id>/reset/",
        sign_in_settings.sign_in_reset,
        name="sign_in_reset",
    ),
    path(
        "organizations/<int:organization_id>/sign-in/providers/<int:provider_id>/test/",
        sign_in_settings.sign_in_test_begin,
        name="sign_in_test_begin",
    ),
    path(
        "organizations/<int:organization_id>/sign-in/providers/<int:provider_id>/test/result/",
        sign_in_settings.sign_in_test,
        name="sign_in_test",
    ),
]
