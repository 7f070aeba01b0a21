"""What can be deployed, to whom, and how far it is."""

from apps_catalog.models.apps import App
from apps_catalog.models.channels import (
    ChannelCommand,
    ChannelEvent,
    ChannelKind,
    ChannelSettings,
    CommandState,
    Enrollment,
)
from apps_catalog.models.codes import CodeImport, RedemptionCode
from apps_catalog.models.deployment import Deployment
from apps_catalog.models.installations import (
    Installation,
    InstallationState,
    InstallationStep,
)
from apps_catalog.models.managed import (
    ManagedApp,
    ManagedAppAccount,
    ManagedPlatform,
    PurchaseMethod,
)
from apps_catalog.models.searches import StoreSearch
from apps_catalog.models.simulated import SimulatedDevice, SimulatedFleet

__all__ = [
    "App",
    "ChannelCommand",
    "ChannelEvent",
    "ChannelKind",
    "ChannelSettings",
    "CodeImport",
    "CommandState",
    "Deployment",
    "Enrollment",
    "Installation",
    "InstallationState",
    "InstallationStep",
    "ManagedApp",
    "ManagedAppAccount",
    "ManagedPlatform",
    "PurchaseMethod",
    "RedemptionCode",
    "SimulatedDevice",
    "SimulatedFleet",
    "StoreSearch",
]
