"""All addresses of the installation."""

from django.urls import include, path, re_path

from organizations.api.docs import docs as api_docs
from organizations.api.errors import not_found as api_not_found
from organizations.api.openapi import OpenApiView
from organizations.views.home import home
from vpp_dashboard import demo_inbox, health
from vpp_dashboard.metrics.door import metrics

urlpatterns = [
    path("", home, name="home"),
    path("", include("organizations.urls")),
    path("", include("licensing.urls")),
    path("", include("users.urls")),
    path("", include("apps_catalog.urls")),
    path("", include("vpp_accounts.urls")),
    path("accounts/", include("organizations.signin_urls")),
    path("api/v1/", include("organizations.api.urls")),
    path("api/v1/", include("licensing.api.urls")),
    path("api/v1/", include("users.api.urls")),
    path("api/v1/", include("apps_catalog.api.urls")),
    path("api/v1/openapi.json", OpenApiView.as_view(), name="openapi"),
    path("api/v1/docs", api_docs, name="api_docs"),
    re_path(r"^api(?:/.*)?$", api_not_found),
    path("demo/inbox/", demo_inbox.inbox, name="demo_inbox"),
    path("demo/inbox/<str:file>/<int:number>/", demo_inbox.read_mail, name="demo_mail"),
    path("demo/inbox/<str:file>/<int:number>/html", demo_inbox.mail_html, name="demo_mail_html"),
    path("metrics", metrics, name="metrics"),
    path("health/live", health.live, name="health_live"),
    path("health/ready", health.ready, name="health_ready"),
]
