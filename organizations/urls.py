"""The organization's own pages."""

from django.urls import path

from organizations.views import alarms, networks

app_name = "organizations"
urlpatterns = [
    path("organizations/<int:organization_id>/alarms/", alarms.alarms, name="alarms"),
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
]
