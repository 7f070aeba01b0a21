"""Where Apple finds us."""

from django.urls import path

from vpp_accounts.views.notifications import receive_notification

app_name = "vpp_accounts"
urlpatterns = [
    # As Apple was told it: without a slash at the end, and never redirected.
    path(
        "notifications/apple/<uuid:account_uuid>", receive_notification, name="receive_notification"
    ),
]
