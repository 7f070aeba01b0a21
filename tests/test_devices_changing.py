"""What is done to devices: tags, owner, network, leaving; in a few statements, told once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps_catalog.models import ChannelCommand, Enrollment
from organizations import hooks
from organizations.audit import Actor
from organizations.devices import changing
from organizations.devices.refusals import (
    DaysWrong,
    DepartureUnclear,
    NetworkElsewhere,
    NoDevices,
    OwnerElsewhere,
)
from organizations.models import AuditEvent, Device, Network, Organization, Tag
from organizations.tags import TagIsAutomatic
from tests.factories import (
    DeviceFactory,
    EnrollmentFactory,
    NetworkFactory,
    OrganizationFactory,
    OwnerFactory,
    TagFactory,
)


@pytest.fixture
def oakmont(organization: Organization) -> Network:
    return NetworkFactory(organization=organization, name="Oakmont")


@pytest.fixture
def lakeside(organization: Organization) -> Network:
    return NetworkFactory(organization=organization, name="Lakeside")


@contextmanager
def heard(signal: Any, *names: str) -> Iterator[list[tuple[Any, ...]]]:
    """What is announced meanwhile: these arguments of it."""
    told: list[tuple[Any, ...]] = []

    def listen(sender: Any, **said: Any) -> None:
        devices = said.get("devices")
        known = {"serials": [d.serial_number for d in devices.order_by("pk")]} if devices else {}
        told.append(tuple((said | known)[name] for name in names))

    signal.connect(listen)
    try:
        yield told
    finally:
        signal.disconnect(listen)


def ours(organization: Organization) -> Any:
    return Device.objects.filter(organization=organization)


def events() -> list[tuple[Any, ...]]:
    rows = AuditEvent.objects.exclude(action="tag.added").order_by("id")
    return list(rows.values_list("action", "target_kind", "target_name", "before", "after"))


def tags_of(device: Device) -> list[str]:
    device.refresh_from_db()
    names = Tag.objects.in_bulk(device.tag_ids)
    return [names[pk].name for pk in device.tag_ids]


# --- Tags -------------------------------------------------------------------------------------------


def test_tags_are_added_and_taken_off_in_the_order_in_which_they_were_given(
    organization: Organization, oakmont: Network, by: Actor
) -> None:
    cart, old = (TagFactory(organization=organization, name=name) for name in ("cart", "old"))
    first = DeviceFactory(network=oakmont, organization=organization, tag_ids=[old.pk, cart.pk])
    second = DeviceFactory(network=oakmont, organization=organization)
    done = DeviceFactory(network=oakmont, organization=organization, tag_ids=[cart.pk])

    with heard(hooks.devices_changed, "device_ids", "cause") as changed:
        ids = changing.change_tags(
            by=by,
            organization=organization,
            devices=ours(organization),
            add=["Cart"],
            remove=["old"],
        )

    assert ids == [first.pk, second.pk]
    assert [tags_of(device) for device in (first, second, done)] == [["cart"]] * 3
    assert [device.sources for device in (first, second, done)] == [
        {"tags": "page"},
        {"tags": "page"},
        {},
    ]
    assert changed == [([first.pk, second.pk], "tags")]
    after = {"added": ["cart"], "removed": ["old"], "devices": 2}
    names = sorted([first.name, second.name])
    assert events() == [
        ("device.tagged", "organization", "Example Schools", None, after | {"names": names})
    ]


def test_tags_can_be_replaced_by_others_which_are_made(
    organization: Organization, oakmont: Network, by: Actor
) -> None:
    old = TagFactory(organization=organization, name="old")
    device = DeviceFactory(
        network=oakmont, organization=organization, name="iPad", tag_ids=[old.pk]
    )

    changing.change_tags(
        by=by, organization=organization, devices=ours(organization), replace=["b", "a", "b"]
    )

    assert tags_of(device) == ["b", "a"]
    assert Tag.objects.get(name="b").kind == Tag.Kind.DEVICE
    assert events() == [("device.tagged", "device", "iPad", None, {"tags": ["b", "a"]})]


def test_automatic_tags_are_nobodys_to_give(
    organization: Organization, oakmont: Network, by: Actor
) -> None:
    TagFactory(organization=organization, name="ipads", kind=Tag.Kind.AUTOMATIC)
    DeviceFactory(network=oakmont, organization=organization)

    with pytest.raises(TagIsAutomatic):
        changing.change_tags(
            by=by, organization=organization, devices=ours(organization), add=["ipads"]
        )

    assert events() == []


def test_what_changes_nothing_is_not_told(
    organization: Organization, oakmont: Network, by: Actor
) -> None:
    DeviceFactory(network=oakmont, organization=organization)

    with heard(hooks.devices_changed, "device_ids") as changed:
        ids = changing.change_tags(
            by=by, organization=organization, devices=ours(organization), remove=["nobody-has-it"]
        )

    assert (ids, changed, events()) == ([], [], [])


# --- Owner and network ------------------------------------------------------------------------------


def test_an_owner_is_given_and_taken_away(
    organization: Organization, oakmont: Network, by: Actor
) -> None:
    ada = OwnerFactory(organization=organization, name="Ada")
    device = DeviceFactory(network=oakmont, organization=organization, name="iPad")
    devices = ours(organization)

    with heard(hooks.devices_changed, "device_ids", "cause") as changed:
        given = changing.assign_owner(by=by, organization=organization, devices=devices, owner=ada)
        again = changing.assign_owner(by=by, organization=organization, devices=devices, owner=ada)
        taken = changing.assign_owner(by=by, organization=organization, devices=devices, owner=None)

    assert (given, again, taken) == ([device.pk], [], [device.pk])
    assert changed == [([device.pk], "owner")] * 2
    assert events() == [
        ("device.owner_assigned", "device", "iPad", None, {"owner": "Ada"}),
        ("device.owner_assigned", "device", "iPad", None, {"owner": ""}),
    ]


def test_devices_go_to_nobody_and_nowhere_of_another_organization(
    organization: Organization, oakmont: Network, by: Actor
) -> None:
    DeviceFactory(network=oakmont, organization=organization)
    elsewhere = OrganizationFactory()
    stranger, theirs = (
        OwnerFactory(organization=elsewhere),
        NetworkFactory(organization=elsewhere),
    )
    devices = ours(organization)

    with pytest.raises(OwnerElsewhere):
        changing.assign_owner(by=by, organization=organization, devices=devices, owner=stranger)
    with pytest.raises(NetworkElsewhere):
        changing.move(by=by, organization=organization, devices=devices, network=theirs)


def test_moving_says_who_leaves_and_what_becomes_of_their_licenses(
    organization: Organization, oakmont: Network, lakeside: Network, by: Actor
) -> None:
    moved = DeviceFactory(
        network=oakmont, organization=organization, serial_number="A1", name="One"
    )
    DeviceFactory(network=lakeside, organization=organization, serial_number="A2")

    with heard(hooks.devices_departing, "serials", "cause", "choice", "days") as departing:
        ids = changing.move(
            by=by,
            organization=organization,
            devices=ours(organization),
            network=lakeside,
            choice="later",
            days=14,
        )

    assert ids == [moved.pk]
    assert departing == [(["A1"], "moved", "later", 14)]
    assert set(ours(organization).values_list("network__name", flat=True)) == {"Lakeside"}
    assert Device.objects.get(serial_number="A1").sources == {"network": "page"}
    assert events() == [("device.moved", "device", "One", None, {"network": "Lakeside"})]


@pytest.mark.parametrize(
    ("choice", "days", "refusal"),
    [("never", None, DepartureUnclear), ("later", 0, DaysWrong), ("later", 366, DaysWrong)],
)
def test_what_becomes_of_licenses_has_to_be_clear(
    organization: Organization,
    oakmont: Network,
    by: Actor,
    choice: str,
    days: int | None,
    refusal: type[Exception],
) -> None:
    DeviceFactory(network=oakmont, organization=organization)

    with pytest.raises(refusal):
        changing.delete(
            by=by,
            organization=organization,
            devices=ours(organization),
            choice=choice,
            days=days,
        )

    assert ours(organization).count() == 1


# --- Leaving ----------------------------------------------------------------------------------------


def test_a_device_is_marked_unenrolled_once(
    organization: Organization, oakmont: Network, by: Actor
) -> None:
    device = DeviceFactory(
        network=oakmont, organization=organization, serial_number="A1", name="One"
    )
    at = timezone.now()

    with heard(hooks.devices_departing, "serials", "cause", "choice", "days") as departing:
        first, second = (
            changing.mark_unenrolled(
                by=Actor.system("NanoMDM"), organization=organization, devices=devices, at=at
            )
            for devices in (ours(organization), ours(organization))
        )

    device.refresh_from_db()
    assert (first, second) == ([device.pk], [])
    assert departing == [(["A1"], "unenrolled", "", None)]
    assert (device.enrollment, device.unenrolled_at) == ("none", at)
    assert device.sources == {"enrollment": "channel"}
    assert events() == [("device.unenrolled", "device", "One", None, {})]


def test_the_same_wipe_told_twice_is_one(
    organization: Organization, oakmont: Network, by: Actor
) -> None:
    device = DeviceFactory(network=oakmont, organization=organization, serial_number="A1")
    at = timezone.now()

    with heard(hooks.devices_departing, "serials", "cause", "choice", "days") as departing:
        for _ in range(2):
            changing.mark_wiped(by=by, organization=organization, devices=ours(organization), at=at)

    device.refresh_from_db()
    assert departing == [(["A1"], "wiped", "", None)]
    assert device.wiped_at == at


def test_a_deleted_device_takes_what_is_its_own_along_and_is_told_by_serial_number(
    organization: Organization, oakmont: Network, by: Actor
) -> None:
    gone = DeviceFactory(network=oakmont, organization=organization, serial_number="A1", name="One")
    EnrollmentFactory(device=gone)
    ChannelCommand.objects.create(
        organization=organization, device=gone, channel_id="x", request_type="DeviceInformation"
    )
    stays = DeviceFactory(network=oakmont, organization=organization, serial_number="A2")

    with (
        heard(hooks.devices_departing, "serials", "cause", "choice") as departing,
        heard(hooks.devices_changed, "device_ids", "cause") as changed,
    ):
        ids = changing.delete(
            by=by,
            organization=organization,
            devices=ours(organization).filter(serial_number="A1"),
            choice="keep",
        )

    assert ids == [gone.pk]
    assert list(ours(organization)) == [stays]
    assert (Enrollment.objects.count(), ChannelCommand.objects.count()) == (0, 0)
    assert departing == [(["A1"], "deleted", "keep")]
    assert changed == [([gone.pk], "deleted")]
    assert events() == [
        ("device.deleted", "device", "One", {"serialNumber": "A1", "name": "One"}, None)
    ]


def test_many_are_deleted_with_as_many_statements_as_few(
    organization: Organization, oakmont: Network, by: Actor
) -> None:
    def statements(number: int) -> int:
        DeviceFactory.create_batch(number, network=oakmont, organization=organization)
        with CaptureQueriesContext(connection) as asked:
            changing.delete(by=by, organization=organization, devices=ours(organization))
        return len(asked)

    few, many = statements(2), statements(300)

    assert (many, ours(organization).count()) == (few, 0)


def test_devices_of_others_are_not_there(
    organization: Organization, outsider: object, oakmont: Network, by: Actor
) -> None:
    DeviceFactory()

    with pytest.raises(NoDevices):
        changing.delete(by=by, organization=organization, devices=Device.objects.all())

    assert Device.objects.count() == 1
