"""An app as it would be after saving: what a preview looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from apps_catalog.models import ManagedApp, PurchaseMethod
from apps_catalog.requirements import DEVICES_OF
from licensing.models import Assignment
from organizations.models import Device
from organizations.models.inventory import DeviceQuerySet
from organizations.scopes import Scope, devices_in

LICENSED = (PurchaseMethod.DEVICE, PurchaseMethod.USER)


@dataclass(frozen=True, slots=True)
class Draft:
    """`account_ids` in the order in which they are drawn from; `managed_app_id` None: it is new."""

    organization_id: int
    network_ids: tuple[int, ...]
    adam_id: str
    platform: str
    scope: Scope
    purchase_method: str
    account_ids: tuple[int, ...]
    grants: bool
    revokes: bool
    grace_days: int
    managed_app_id: int | None = None

    @classmethod
    def of(cls, managed_app: ManagedApp) -> Self:
        """As it is saved now: a preview of it is a dry run."""
        return cls(
            organization_id=managed_app.organization_id,
            network_ids=(managed_app.network_id,),
            adam_id=managed_app.adam_id,
            platform=managed_app.platform,
            scope=managed_app.scope,
            purchase_method=managed_app.purchase_method,
            account_ids=tuple(managed_app.accounts.values_list("account", flat=True)),
            grants=managed_app.grants_automatically,
            revokes=managed_app.revokes_automatically,
            grace_days=managed_app.grace_days,
            managed_app_id=managed_app.pk,
        )

    @property
    def needs_license(self) -> bool:
        return self.purchase_method in LICENSED

    @property
    def is_for_people(self) -> bool:
        return self.purchase_method == PurchaseMethod.USER

    @property
    def holder_kind(self) -> str:
        kinds = Assignment.HolderKind
        return kinds.USER if self.is_for_people else kinds.DEVICE

    @property
    def devices(self) -> DeviceQuerySet:
        """Those in scope."""
        near = Device.objects.filter(
            organization=self.organization_id,
            network__in=self.network_ids,
            platform__in=DEVICES_OF[self.platform],
        )
        return devices_in(near, self.scope, self.organization_id)
