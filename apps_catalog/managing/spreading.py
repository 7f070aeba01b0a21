"""An app in many networks at once, for programs: each network for itself."""

from __future__ import annotations

from collections.abc import Mapping

from apps_catalog.managing.adding import add_apps, refuse_platform
from apps_catalog.managing.details import ManagedAppDetails
from apps_catalog.models import App, ManagedApp
from organizations.audit import Actor
from organizations.models import Membership, Network
from organizations.refusals import Refusal


def add_where_possible(
    *,
    by: Actor,
    membership: Membership,
    app: App,
    platform: str,
    networks: Mapping[Network, ManagedAppDetails],
) -> dict[Network, ManagedApp | Refusal]:
    """A network in which it cannot be added hinders no other one."""
    refuse_platform(app, platform)
    outcomes: dict[Network, ManagedApp | Refusal] = {}
    for network, details in networks.items():
        try:
            (outcomes[network],) = add_apps(
                by=by,
                membership=membership,
                app=app,
                platform=platform,
                networks={network: details},
            )
        except Refusal as refusal:
            outcomes[network] = refusal
    return outcomes
