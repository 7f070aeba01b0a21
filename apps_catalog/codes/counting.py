"""How many codes there are, and how many people of the scope have none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Q
from django.utils import timezone

from apps_catalog.models import Installation, ManagedApp, PurchaseMethod, RedemptionCode
from organizations.models import Device

State = RedemptionCode.State


@dataclass(frozen=True, slots=True)
class Counts:
    unused: int
    handed_out: int
    redeemed: int
    not_sent: int  # of those handed out
    imported_at: datetime | None
    as_of: datetime

    @property
    def total(self) -> int:
        return self.unused + self.handed_out + self.redeemed


def has_codes(managed_app: ManagedApp) -> bool:
    return RedemptionCode.objects.filter(managed_app=managed_app.pk).exists()


def counts_of(managed_app: ManagedApp) -> Counts:
    found = RedemptionCode.objects.filter(managed_app=managed_app.pk).aggregate(
        unused=Count("pk", filter=Q(state=State.UNUSED)),
        handed_out=Count("pk", filter=Q(state=State.HANDED_OUT)),
        redeemed=Count("pk", filter=Q(state=State.REDEEMED)),
        not_sent=Count("pk", filter=Q(state=State.HANDED_OUT) & ~Q(mail_problem="")),
        imported_at=Max("created_at"),
    )
    return Counts(**found, as_of=timezone.now())


def lacking(managed_app: ManagedApp) -> int:
    """Devices in scope whose owner has no code. Nobody gets one by itself: see NO_CODE."""
    if managed_app.purchase_method != PurchaseMethod.CODES:
        return 0
    wanted = Installation.objects.filter(managed_app=managed_app.pk, is_wanted=True)
    served = RedemptionCode.objects.filter(managed_app=managed_app.pk, owner__isnull=False)
    in_scope = Device.objects.filter(pk__in=wanted.values("device"))
    owned = Q(owner__in=served.values("owner"))
    return in_scope.exclude(owned & Q(owner__isnull=False)).count()
