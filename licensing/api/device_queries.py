"""Which devices a list is about: Meraki's filters, and those of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Exists, OuterRef
from rest_framework.request import Request

from licensing.holders import DEVICE
from licensing.models import Assignment, LicensedApp
from licensing.tables.device_filters import DeviceFilter
from licensing.tables.devices import tags_seen_by
from organizations.api import parameters
from organizations.api.openapi import query
from organizations.api.parameters import BadParameter
from organizations.api.scoping import scope_asked_for, scope_parameter
from organizations.models import Device, Membership, Organization, Platform, Tag
from organizations.models.inventory import DeviceQuerySet
from organizations.scopes import TagUnknown, devices_in

BY_NAME = [
    query("ids[]", "Only these.", many=True),
    query("serials[]", "Only those with these serial numbers.", many=True),
    query("uuids[]", "Only those with these UDIDs.", many=True),
    query("wifiMacs[]", "No source tells these addresses: any value finds nothing.", many=True),
    query("systemTypes[]", f"Only of these: {', '.join(Platform.values)}.", many=True),
    scope_parameter(),
]


def named_in(
    request: Request, devices: DeviceQuerySet, organization: Organization
) -> DeviceQuerySet:
    """Meraki's filters; each narrows further."""
    if ids := parameters.texts(request, "ids"):
        devices = devices.filter(pk__in=[row_id(text) for text in ids])
    if serials := parameters.texts(request, "serials"):
        devices = devices.filter(serial_number__in=[text.strip().upper() for text in serials])
    if udids := parameters.texts(request, "uuids"):
        devices = devices.filter(udid__in=[text for text in udids if text])
    if systems := parameters.texts(request, "systemTypes"):
        devices = devices.filter(platform__in=[platform(text) for text in systems])
    if parameters.texts(request, "wifiMacs"):
        devices = devices.none()
    scope = scope_asked_for(request, organization)
    return devices_in(devices, scope, organization.pk) if scope else devices


def row_id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadParameter("ids[]", "must be ids as this list gives them: digits only")
    return int(text)


def platform(text: str) -> str:
    known = {value.lower(): value for value in Platform.values}
    if text.lower() not in known:
        raise BadParameter("systemTypes[]", f"must be among {', '.join(Platform.values)}")
    return known[text.lower()]


# --- The page's filters ---------------------------------------------------------------------------

AS_TYPED = {
    "search": "q",
    "networkId": "network",
    "platform": "platform",
    "enrollment": "enrollment",
    "osVersionBelow": "os_below",
    "lastConnectedBefore": "seen_before",
    "missingBefore": "missing_since",
}
YES_OR_NO = {
    "hasOwner": ("owned", "yes", "no"),
    "supervised": ("supervised", "yes", "no"),
    "missing": ("listed", "no", "yes"),
    "missingApps": ("apps", "missing", "complete"),
}
FILTERS = [
    query("search", "Part of the name or serial number, or of the owner's name or address."),
    query("networkId", "Only those in this network."),
    query("platform", "Only of this one.", enum=Platform.values),
    query("enrollment", "Only those enrolled so.", enum=Device.Enrollment.values),
    query("tag", "Only those with this tag: their own, their owner's or an automatic one."),
    query("ownerId", "Only those of this owner."),
    query("hasOwner", "true: only those with an owner; false: only those without.", type=bool),
    query("supervised", "true or false.", type=bool),
    query("missing", "true: only those that their source no longer lists.", type=bool),
    query("missingBefore", "Only those missing since before this day: 2026-03-31."),
    query("missingApps", "true: only those that lack an app that is wanted there.", type=bool),
    query("lastConnectedBefore", "Only those silent since before this day, or always."),
    query("osVersionBelow", "Only those with an older version: 17.4."),
    query("adamId", "Only those that hold a license of this app."),
]


def filtered(request: Request, devices: DeviceQuerySet, membership: Membership) -> DeviceQuerySet:
    tags = list(tags_seen_by(membership))
    asked = DeviceFilter(_asked(request, tags), devices, membership=membership, tags=tags)
    if not asked.form.is_valid():
        raise _wrong(asked.form.errors)
    found: DeviceQuerySet = asked.qs
    if owner_id := parameters.row_id(request, "ownerId"):
        found = found.filter(owner=owner_id)
    if adam_id := parameters.text(request, "adamId"):
        found = holding(found, adam_id, membership)
    return found


def _asked(request: Request, tags: list[Tag]) -> dict[str, str]:
    """As the form of the page would send it."""
    told = {ours: parameters.text(request, name) for name, ours in AS_TYPED.items()}
    for name, (ours, yes, no) in YES_OR_NO.items():
        value = parameters.boolean(request, name)
        told[ours] = "" if value is None else yes if value else no
    if name := parameters.text(request, "tag"):
        known = {tag.name.lower(): tag.pk for tag in tags}
        if name.lower() not in known:
            raise TagUnknown([name])
        told["tag"] = str(known[name.lower()])
    return told


def _wrong(errors: Mapping[str, Any]) -> BadParameter:
    ours, problems = next(iter(errors.items()))
    names = {filter: name for name, filter in AS_TYPED.items()}
    return BadParameter(names.get(ours, ours), f"makes no sense: {str(problems[0]).rstrip('.')}")


def holding(devices: DeviceQuerySet, adam_id: str, membership: Membership) -> DeviceQuerySet:
    """Of accounts that are open to this admin."""
    titles = LicensedApp.objects.visible_to(membership).filter(adam_id=adam_id)
    held = Assignment.objects.filter(
        organization=membership.organization_id,
        holder_kind=DEVICE,
        holder=OuterRef("serial_number"),
        licensed_app__in=list(titles.values_list("pk", flat=True)),
    )
    return devices.filter(Exists(held))
