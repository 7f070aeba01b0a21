"""Addresses of the part of the API about channels and codes, without trailing slashes
(see vpp_dashboard)."""

from django.urls import path

from apps_catalog.api.code_imports import (
    CodeImportsView,
    CodeImportView,
    ConfirmCodeImportView,
)
from apps_catalog.api.codes import (
    CodeCountsView,
    CodeRecipientsView,
    CodesView,
    DeleteCodesView,
    HandOutCodesView,
    RedeemedCodesView,
    ShowCodeView,
    TakeBackCodesView,
)
from apps_catalog.api.device_channel import (
    ChannelKeyView,
    ChannelProfileView,
    CheckChannelView,
    DeviceChannelView,
)
from apps_catalog.api.simulated_fleet import EnrollFleetView, FleetFaultsView, TickFleetView
from organizations.api.urls import ORGANIZATION

CHANNEL = f"{ORGANIZATION}/sm/deviceChannel"
CODES = "networks/<row:networkId>/sm/apps/<row:appId>/codes"
IMPORTS = f"{CODES}/imports"
IMPORT = f"{IMPORTS}/<uuid:codeImportId>"

urlpatterns = [
    path(CHANNEL, DeviceChannelView.as_view()),
    path(f"{CHANNEL}/key", ChannelKeyView.as_view()),
    path(f"{CHANNEL}/check", CheckChannelView.as_view()),
    path(f"{CHANNEL}/profile", ChannelProfileView.as_view()),
    path(f"{CHANNEL}/fleet/enroll", EnrollFleetView.as_view()),
    path(f"{CHANNEL}/fleet/tick", TickFleetView.as_view()),
    path(f"{CHANNEL}/fleet/faults", FleetFaultsView.as_view()),
    path(CODES, CodesView.as_view()),
    path(f"{CODES}/overview", CodeCountsView.as_view()),
    path(f"{CODES}/recipients", CodeRecipientsView.as_view()),
    path(f"{CODES}/handOut", HandOutCodesView.as_view()),
    path(f"{CODES}/redeemed", RedeemedCodesView.as_view()),
    path(f"{CODES}/takeBack", TakeBackCodesView.as_view()),
    path(f"{CODES}/delete", DeleteCodesView.as_view()),
    path(f"{CODES}/<row:codeId>/show", ShowCodeView.as_view()),
    path(IMPORTS, CodeImportsView.as_view()),
    path(IMPORT, CodeImportView.as_view()),
    path(f"{IMPORT}/confirm", ConfirmCodeImportView.as_view()),
]
