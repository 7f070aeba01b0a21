"""What an admin says about an app of a network, and what the audit log keeps of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from apps_catalog.models import ManagedApp, PurchaseMethod
from organizations.models import Tag
from organizations.scopes import Operator, Scope
from vpp_accounts.models import VppAccount

# Fields that are taken as they are, by their names in the audit log and over REST.
PLAIN = {
    "installs_automatically": "installAutomatically",
    "removes_with_mdm": "removeWithMdm",
    "manages_unmanaged": "manageUnmanaged",
    "keeps_up_to_date": "keepUpToDate",
    "is_removable": "removableByUser",
    "removes_out_of_scope": "removeOutOfScope",
    "grants_automatically": "grantAutomatically",
    "revokes_automatically": "revokeAutomatically",
    "grace_days": "gracePeriodDays",
    "priority": "priority",
}


NOBODY = Scope(Operator.NONE)


@dataclass(frozen=True, slots=True)
class ManagedAppDetails:
    """The defaults are those of an app that was just added: nobody is in its scope."""

    scope: Scope = NOBODY
    purchase_method: str = PurchaseMethod.DEVICE
    account_ids: tuple[int, ...] = ()  # drawn from in this order
    installs_automatically: bool = True
    removes_with_mdm: bool = True
    manages_unmanaged: bool = False
    keeps_up_to_date: bool = False
    is_removable: bool = True
    removes_out_of_scope: bool = True
    grants_automatically: bool = False
    revokes_automatically: bool = False
    grace_days: int = 7
    priority: int = 0

    @classmethod
    def of(cls, managed_app: ManagedApp) -> Self:
        accounts = managed_app.accounts.order_by("place", "pk")
        return cls(
            scope=managed_app.scope,
            purchase_method=managed_app.purchase_method,
            account_ids=tuple(accounts.values_list("account_id", flat=True)),
            **{name: getattr(managed_app, name) for name in PLAIN},
        )


def assign(managed_app: ManagedApp, details: ManagedAppDetails) -> None:
    """Put checked details on the row."""
    managed_app.scope_operator = details.scope.operator
    managed_app.scope_tag_ids = list(details.scope.tag_ids)
    managed_app.purchase_method = details.purchase_method
    for name in PLAIN:
        setattr(managed_app, name, getattr(details, name))


def facts_of(organization_id: int, details: ManagedAppDetails) -> dict[str, Any]:
    tags = Tag.objects.filter(organization=organization_id, pk__in=details.scope.tag_ids)
    accounts = VppAccount.objects.in_bulk(details.account_ids)
    return {
        "scope": details.scope.sentence(dict(tags.values_list("pk", "name"))),
        "purchaseMethod": str(PurchaseMethod(details.purchase_method).label),
        "vppAccounts": [accounts[pk].name for pk in details.account_ids if pk in accounts],
        **{wire: getattr(details, name) for name, wire in PLAIN.items()},
    }
