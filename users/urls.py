"""The organization's people, and the pages of those who are invited."""

from django.urls import path

from users.views import imports, invitation_settings, invited, owner_merge, owners

app_name = "users"
OWNERS = "organizations/<int:organization_id>/configure/owners"
IMPORT = f"{OWNERS}/import"
INVITATIONS = "organizations/<int:organization_id>/manage/vpp/invitations"
urlpatterns = [
    path(f"{OWNERS}/", owners.owner_list, name="owner_list"),
    path(f"{OWNERS}/add/", owners.owner_add, name="owner_add"),
    path(f"{OWNERS}/<int:owner_id>/", owners.owner_edit, name="owner_edit"),
    path(f"{OWNERS}/<int:owner_id>/merge/", owner_merge.owner_merge, name="owner_merge"),
    path(f"{OWNERS}/<int:owner_id>/delete/", owners.owner_delete, name="owner_delete"),
    path(f"{IMPORT}/", imports.import_add, name="import_add"),
    path(f"{IMPORT}/template/", imports.import_template, name="import_template"),
    path(f"{IMPORT}/<uuid:import_id>/", imports.import_detail, name="import_detail"),
    path(f"{IMPORT}/<uuid:import_id>/confirm/", imports.import_confirm, name="import_confirm"),
    path(f"{IMPORT}/<uuid:import_id>/cancel/", imports.import_cancel, name="import_cancel"),
    path(f"{INVITATIONS}/", invitation_settings.invitation_settings, name="invitation_settings"),
    path(
        f"{INVITATIONS}/preview/", invitation_settings.invitation_preview, name="invitation_preview"
    ),
    path(
        f"{INVITATIONS}/test-mail/",
        invitation_settings.invitation_test_mail,
        name="invitation_test_mail",
    ),
    path("i/<str:token>", invited.invitation, name="invitation"),
    path("i/<str:token>/go", invited.invitation_go, name="invitation_go"),
    path("i/<str:token>/ask", invited.invitation_ask, name="invitation_ask"),
    path("i/<str:token>/logo", invited.invitation_logo, name="invitation_logo"),
]
