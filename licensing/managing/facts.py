"""What is known of an app from the store, and what speaks against deploying it."""

from __future__ import annotations

from apps_catalog.managing.methods import is_free
from apps_catalog.models import App, ManagedApp
from licensing.models import LicensedApp

Fact = tuple[str, str]


def facts_of(managed_app: ManagedApp) -> list[Fact]:
    """Label and value; empty means that the store does not tell."""
    app = managed_app.app
    return [
        ("Adam ID", app.adam_id),
        ("Bundle ID", app.bundle_id),
        ("Seller", app.seller),
        ("Version", app.version),
        ("Minimum OS", app.minimum_os),
        ("Price", price_of(app)),
        ("Store", f"{app.country}, {app.genre}" if app.genre else app.country),
    ]


def price_of(app: App) -> str:
    """“Free”, “$4.99”, or nothing where the store does not tell."""
    if is_free(app):
        return "Free"
    return app.price_text or ("" if app.price is None else str(app.price))


def is_gone(managed_app: ManagedApp) -> bool:
    """Apple lists it in none of the accounts that once had it."""
    titles = LicensedApp.objects.filter(
        organization=managed_app.organization_id, adam_id=managed_app.adam_id
    )
    return titles.exists() and not titles.present().exists()
