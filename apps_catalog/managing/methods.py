"""How an app may be licensed: a free one from a license or without, a paid one from a license."""

from __future__ import annotations

from apps_catalog.codes.counting import has_codes
from apps_catalog.models import App, ManagedApp, PurchaseMethod

FREE = (PurchaseMethod.DEVICE, PurchaseMethod.NONE)
PAID = (PurchaseMethod.DEVICE, PurchaseMethod.USER)


def is_free(app: App) -> bool:
    """What the store tells no price of, such as a custom app, is taken for paid."""
    return app.price is not None and not app.price


def methods_for(app: App) -> list[PurchaseMethod]:
    return list(FREE if is_free(app) else PAID)


def possible_methods(managed_app: ManagedApp) -> list[PurchaseMethod]:
    """Also the one it has: prices change. Redemption codes only where some were imported."""
    found = methods_for(managed_app.app)
    if has_codes(managed_app):
        found.append(PurchaseMethod.CODES)
    current = PurchaseMethod(managed_app.purchase_method)
    return found if current in found else [*found, current]
