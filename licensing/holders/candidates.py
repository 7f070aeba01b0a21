"""Everybody who could hold a title: the inventory, and the holders that no inventory knows."""

from __future__ import annotations

from typing import Any

from django.db.models import BigIntegerField, Exists, F, OuterRef, Q, QuerySet, TextChoices, Value

from licensing.holders.licenses import LicenseState
from licensing.holders.sets import (
    DEVICE,
    USER,
    begins_with,
    failed_items_of,
    holders_of,
    open_items_of,
)
from licensing.models import OPEN_ITEMS, Assignment, BatchKind, ItemState, LicensedApp
from organizations.lists import Segments
from organizations.models import Device, Membership, Owner
from users.models import VppUser

NOBODY = Value(0, output_field=BigIntegerField())
FEW = 1000
NOT_WAITING = [state for state in OPEN_ITEMS if state != ItemState.WAITING]


class CandidateState(TextChoices):
    """What the lists can be narrowed to: the states of a license, and one mistake."""

    LICENSED = LicenseState.LICENSED.value, LicenseState.LICENSED.label
    NOT_LICENSED = LicenseState.NOT_LICENSED.value, LicenseState.NOT_LICENSED.label
    PENDING = LicenseState.PENDING.value, LicenseState.PENDING.label
    REVOKING = LicenseState.REVOKING.value, LicenseState.REVOKING.label
    WAITING = LicenseState.WAITING.value, LicenseState.WAITING.label
    FAILED = LicenseState.FAILED.value, LicenseState.FAILED.label
    TWICE = "twice", "Licensed twice: device and owner"


def device_candidates(title: LicensedApp, membership: Membership) -> Segments:
    """Dicts of segment, name, holder (the serial number) and row (the device, 0 where unknown)."""
    devices = Device.objects.visible_to(membership)
    known = devices.filter(serial_number__isnull=False).annotate(
        holder=F("serial_number"), holds=_holds(title, DEVICE, "serial_number")
    )
    without_serial = devices.filter(serial_number=None).annotate(
        holder=Value(""), holds=Value(False)
    )
    is_known = Exists(devices.filter(serial_number=OuterRef("holder")))
    unknown = {"name": Value(""), "platform": Value(""), "network": NOBODY, "owner": NOBODY}
    return _segments(
        "name",
        known.annotate(row=F("pk")),
        without_serial.annotate(row=F("pk")),
        *(part.annotate(**unknown) for part in _strangers(title, DEVICE, is_known)),
    )


def user_candidates(title: LicensedApp) -> Segments:
    """Dicts of segment, email, holder (the clientUserId) and row (the VppUser, 0 where unknown)."""
    users = VppUser.objects.filter(account=title.account_id)
    known = users.annotate(
        holder=F("client_user_id"), holds=_holds(title, USER, "client_user_id"), row=F("pk")
    )
    is_known = Exists(users.filter(client_user_id=OuterRef("holder")))
    return _segments(
        "email",
        known.exclude(email=""),
        known.filter(email=""),
        *(
            part.annotate(email=Value(""), owner=NOBODY)
            for part in _strangers(title, USER, is_known)
        ),
    )


def _segments(label: str, *parts: QuerySet[Any, Any]) -> Segments:
    return Segments(
        tuple(
            part.annotate(segment=Value(place)).values("segment", label, "holder", "row")
            for place, part in enumerate(parts)
        )
    )


def _strangers(
    title: LicensedApp, kind: Assignment.HolderKind, is_known: Exists
) -> tuple[QuerySet[Any, Any], QuerySet[Any, Any]]:
    """Holders that the inventory lacks, and those who are only about to be some."""
    holders = holders_of(title, kind)
    coming = open_items_of(title, kind).filter(~_holds(title, kind, "holder"))
    return (
        holders.filter(~is_known).annotate(row=NOBODY, holds=Value(True)),
        coming.filter(~is_known).annotate(row=NOBODY, holds=Value(False)),
    )


def _holds(title: LicensedApp, kind: Assignment.HolderKind, column: str) -> Exists:
    return Exists(holders_of(title, kind).filter(holder=OuterRef(column)))


def in_state(title: LicensedApp, kind: Assignment.HolderKind, state: str) -> Q:
    """The condition on candidates that `licenses_of_title` would show in this state."""
    items = open_items_of(title, kind).filter(holder=OuterRef("holder"))
    grants = items.filter(kind=BatchKind.GRANT)
    failures = failed_items_of(title, kind).filter(holder=OuterRef("holder"), kind=BatchKind.GRANT)
    opened, failed, held = Q(Exists(items)), Q(Exists(failures)), Q(holds=True)
    conditions = {
        CandidateState.LICENSED: held & ~opened,
        CandidateState.NOT_LICENSED: Q(holds=False) & ~opened & ~failed,
        CandidateState.PENDING: Q(Exists(grants.filter(state__in=NOT_WAITING))),
        CandidateState.WAITING: Q(Exists(grants.filter(state=ItemState.WAITING))),
        CandidateState.REVOKING: Q(Exists(items.filter(kind=BatchKind.REVOKE))),
        CandidateState.FAILED: Q(holds=False) & ~opened & failed,
        CandidateState.TWICE: held & Q(owner__in=_owners_with_the_other_kind(title, kind)),
    }
    return conditions[CandidateState(state)]


def _owners_with_the_other_kind(
    title: LicensedApp, kind: Assignment.HolderKind
) -> QuerySet[Any, Any]:
    if kind == DEVICE:
        users = VppUser.objects.filter(_holds(title, USER, "client_user_id"))
        return users.filter(account=title.account_id, owner__isnull=False).values("owner")
    devices = Device.objects.filter(_holds(title, DEVICE, "serial_number"))
    return devices.filter(organization=title.organization_id, owner__isnull=False).values("owner")


def given_by(title: LicensedApp, kind: Assignment.HolderKind, origin: str) -> Q:
    return Q(Exists(holders_of(title, kind).filter(origin=origin, holder=OuterRef("holder"))))


def devices_matching(text: str, membership: Membership) -> Q:
    """By the beginning of the serial number, or by anything in the device's or owner's name."""
    return begins_with(text.upper()) | Q(name__icontains=text) | _owned_by(text, membership)


def users_matching(text: str, membership: Membership) -> Q:
    return begins_with(text) | Q(email__icontains=text) | _owned_by(text, membership)


def _owned_by(text: str, membership: Membership) -> Q:
    owners = Owner.objects.filter(organization=membership.organization_id)
    named = owners.filter(Q(name__icontains=text) | Q(email__icontains=text)).order_by()
    # A list asks several times, and each time the database would search all owners again.
    found = list(named.values_list("pk", flat=True)[: FEW + 1])
    return Q(owner__in=found if len(found) <= FEW else named.values("pk"))
