"""Pages of the organization: its networks, its admins, how they sign in, and its VPP accounts."""

from __future__ import annotations

from tests.sweep.rules import (
    FORBIDDEN,
    FULL,
    MANAGERS,
    MEMBERS,
    NOT_FOUND,
    ORGANIZATION,
    THEIRS,
    Line,
    button,
    form,
    page,
)

ORGANIZATION_PAGES: dict[str, Line] = {
    "licensing:overview": page(),
    "licensing:running_work": page(),
    "organizations:alarms": page(writes=MEMBERS),  # their own
    "organizations:leave": page(writes=MEMBERS),  # their own
    "organizations:settings": page(ORGANIZATION, FULL),
    "licensing:organization_delete": form(),
    "organizations:organization_deleted": form(answers=302),  # it is not
    # Networks
    "organizations:network_list": page(),
    "organizations:network_add": form(),
    "organizations:network_edit": form(),
    "organizations:network_delete": form(),
    "organizations:network_choose": page(writes=MEMBERS),  # their own
    # Devices
    "organizations:device_import_add": page(ORGANIZATION, FULL),
    "organizations:device_import_template": page(ORGANIZATION),
    "organizations:device_import_detail": page(
        ORGANIZATION, rows={"import_id": "device_import_id"}
    ),
    "organizations:device_import_confirm": button(rows={"import_id": "device_import_id"}),
    "organizations:device_import_cancel": button(rows={"import_id": "device_import_id"}),
    # Activity
    "licensing:organization_activity": page(),
    "licensing:event_detail": page(ORGANIZATION),
    "organizations:audit_retention": form(),
    # Administrators
    "organizations:admin_list": page(ORGANIZATION),
    "organizations:admin_add": form(),
    "organizations:admin_detail": page(ORGANIZATION),
    "organizations:admin_edit": form(),
    "organizations:admin_remove": form(),
    "organizations:admin_invite_again": button(),
    "organizations:admin_sign_out": button(),
    "organizations:admin_unlock": button(),
    "organizations:admin_key_revoke": button(rows={"admin_id": "own_membership_id"}),
    # Webhooks
    "organizations:webhook_list": page(ORGANIZATION),
    "organizations:webhook_add": form(),
    "organizations:webhook_detail": page(ORGANIZATION),
    "organizations:webhook_edit": form(),
    "organizations:webhook_delete": form(),
    "organizations:webhook_rotate": form(),
    "organizations:webhook_test": button(),
    "organizations:webhook_delivery": page(ORGANIZATION),
    "organizations:webhook_redeliver": button(),
    # Signing in
    "organizations:sign_in_settings": page(ORGANIZATION),
    "organizations:sign_in_second_factor": button(),
    "organizations:sign_in_required": button(),
    "organizations:sign_in_skippers": button(),
    "organizations:sign_in_provider_add": form(),
    "organizations:sign_in_provider": page(ORGANIZATION),
    "organizations:sign_in_provider_edit": form(answers=302),
    "organizations:sign_in_provider_delete": form(),
    "organizations:sign_in_reset": button(acts=NOT_FOUND),  # nobody is named
    "organizations:sign_in_test_begin": button(),
    "organizations:sign_in_test": page(FULL, hides=FORBIDDEN),
    # MDM
    "licensing:mdm": page(),
    "licensing:account_add": form(),
    "licensing:token_preview": button(),
    "licensing:account_edit": form(),
    "licensing:account_renew": form(),
    "licensing:account_take_over": form(),
    "licensing:account_remove": form(),
    "licensing:account_sync": button(MANAGERS),
    "licensing:account_row": page(THEIRS),
    "licensing:account_runs": page(THEIRS),
    "licensing:account_notifications": page(THEIRS),
    "licensing:account_notifications_try_again": button(),
    "apps_catalog:channel_settings": page(ORGANIZATION),
    "apps_catalog:channel_edit": form(answers=302),
    "apps_catalog:channel_key": form(),
    "apps_catalog:channel_check": page(ORGANIZATION, FULL, answers=302),
    "apps_catalog:channel_profile": form(),
    "apps_catalog:fleet_enroll": button(),
    "apps_catalog:fleet_tick": button(),
    "apps_catalog:fleet_fault": button(),
}
