"""The way to devices (Organization > MDM, and where MDM servers find us), and codes of an app."""

from django.urls import path

from apps_catalog.views import (
    channel_events,
    channel_profile,
    channel_settings,
    code_imports,
    codes,
    simulated_fleet,
)

app_name = "apps_catalog"
CHANNEL = "organizations/<int:organization_id>/mdm/device-channel"
CODES = "organizations/<int:organization_id>/manage/apps/<int:app_id>/codes"
urlpatterns = [
    # As the server was told it: without a slash at the end, and never redirected.
    path("channels/nanomdm/<uuid:uuid>", channel_events.receive_event, name="receive_event"),
    path(f"{CHANNEL}/", channel_settings.channel_settings, name="channel_settings"),
    path(f"{CHANNEL}/edit/", channel_settings.channel_edit, name="channel_edit"),
    path(f"{CHANNEL}/key/", channel_settings.channel_key, name="channel_key"),
    path(f"{CHANNEL}/check/", channel_settings.channel_check, name="channel_check"),
    path(f"{CHANNEL}/profile/", channel_profile.channel_profile, name="channel_profile"),
    path(f"{CHANNEL}/fleet/enroll/", simulated_fleet.fleet_enroll, name="fleet_enroll"),
    path(f"{CHANNEL}/fleet/tick/", simulated_fleet.fleet_tick, name="fleet_tick"),
    path(f"{CHANNEL}/fleet/fault/", simulated_fleet.fleet_fault, name="fleet_fault"),
    path(f"{CODES}/", codes.code_list, name="code_list"),
    path(f"{CODES}/hand-out/", codes.code_hand_out, name="code_hand_out"),
    path(f"{CODES}/<int:code_id>/show/", codes.code_show, name="code_show"),
    path(f"{CODES}/import/", code_imports.code_import_add, name="code_import_add"),
    path(
        f"{CODES}/import/<uuid:import_id>/",
        code_imports.code_import_detail,
        name="code_import_detail",
    ),
]
