"""Some licenses that this dashboard itself granted, and some devices that wait for one."""

from __future__ import annotations

from licensing import batches
from licensing.models import Assignment, Batch, LicensedApp
from organizations.audit import Actor
from organizations.models import Device, Membership
from vpp_accounts.models import VppAccount

GRANTED, WAITING = 6, 3
WHY = "For the new school year"


def grant_some(account: VppAccount) -> None:
    """One batch of a title with licenses left, one of a title without; the worker carries them out."""
    if Batch.objects.filter(account=account).exists():
        return
    admin = Membership.objects.filter(organization=account.organization, access="full")
    membership = admin.select_related("admin").order_by("pk").first()
    titles = LicensedApp.objects.present().filter(
        account=account, device_assignable=True, platforms__contains=["iOS"]
    )
    for title, wanted in (
        (titles.filter(available_count__gte=50).order_by("adam_id").first(), GRANTED),
        (titles.filter(available_count=0).order_by("adam_id").first(), WAITING),
    ):
        devices = _without(title, wanted) if title else []
        if title and membership and devices:
            _grant(Actor.of_admin(membership.admin), membership, title, devices)


def _without(title: LicensedApp, wanted: int) -> list[Device]:
    held = Assignment.objects.filter(account=title.account_id, licensed_app=title.pk)
    devices = Device.objects.filter(
        organization=title.organization_id, platform__in=("iOS", "iPadOS")
    ).exclude(serial_number=None)
    missing = devices.exclude(serial_number__in=held.values("holder"))
    return list(missing.order_by("pk")[:wanted])


def _grant(by: Actor, membership: Membership, title: LicensedApp, devices: list[Device]) -> None:
    wish = batches.wish_for(kind="grant", titles=[title], devices=devices, why=WHY)
    plan = batches.make_plan(by=by, membership=membership, account=title.account, wish=wish)
    batches.start(by=by, membership=membership, plan=plan)
