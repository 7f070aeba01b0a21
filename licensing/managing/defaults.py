"""What an app starts with when it is added to networks: nobody in scope, and where licenses would come from."""

from __future__ import annotations

from collections.abc import Iterable

from apps_catalog.managing import ManagedAppDetails
from apps_catalog.managing.adding import default_method
from apps_catalog.models import App
from licensing.managing.offers import offers_for, usable
from organizations.models import Membership, Network


def details_for(
    app: App, networks: Iterable[Network], membership: Membership
) -> dict[Network, ManagedAppDetails]:
    """The accounts that have the title, as far as this admin may use them in each network."""
    method = default_method(app)
    return {
        network: ManagedAppDetails(
            purchase_method=method,
            account_ids=tuple(
                offer.account.pk for offer in usable(offers_for(app.adam_id, network, membership))
            ),
        )
        for network in networks
    }
