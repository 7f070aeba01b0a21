"""What saving an app would lead to, for programs; nothing is saved, and nothing made."""

from __future__ import annotations

from typing import Any

from apps_catalog.managing import ManagedAppDetails
from apps_catalog.managing.checking import checked
from apps_catalog.models import App, ManagedApp
from licensing.automation.preview import preview
from licensing.managing import words
from licensing.managing.drafts import draft_of
from organizations.models import Membership, Network


def foreseen(
    managed_app: ManagedApp, details: ManagedAppDetails, membership: Membership
) -> dict[str, Any]:
    was = ManagedAppDetails.of(managed_app) if managed_app.pk else ManagedAppDetails()
    draft = draft_of(managed_app, checked(details, managed_app, membership, was=was))
    told = preview(draft, membership)
    return words.preview_json(told) | {"message": words.saved(draft, told)}


def known_app(adam_id: str) -> App:
    """Also one that nobody has heard of."""
    known = App.objects.filter(adam_id=adam_id).order_by("pk")
    return known.first() or App(adam_id=adam_id)


def unsaved(app: App, platform: str, network: Network, details: ManagedAppDetails) -> ManagedApp:
    return ManagedApp(
        organization_id=network.organization_id,
        network=network,
        app=app,
        adam_id=app.adam_id,
        platform=platform,
        purchase_method=details.purchase_method,
    )
