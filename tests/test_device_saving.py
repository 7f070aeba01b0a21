"""Saving what sources say of devices: a verdict for each record, and which source is believed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from organizations import automatic_tags, hooks
from organizations.audit import Actor
from organizations.devices.records import DeviceRecord
from organizations.devices.saving import Saved, save_devices, save_from_channel
from organizations.models import AuditEvent, Device, Network, Organization, Owner, Tag
from tests.factories import (
    DeviceFactory,
    NetworkFactory,
    OrganizationFactory,
    OwnerFactory,
    TagFactory,
)

BY = Actor.system("Tests")


@pytest.fixture
def network(organization: Organization) -> Network:
    return NetworkFactory(organization=organization, name="Oakmont")


def save(here: Network, *records: DeviceRecord, **options: Any) -> list[Saved]:
    given = {"by": BY, "source": "api", "network": here} | options
    return save_devices(organization=here.organization, records=records, **given)


def told(saved: list[Saved]) -> list[tuple[str, str]]:
    return [(each.verdict, each.message) for each in saved]


@contextmanager
def hearing(name: str) -> Iterator[list[dict[str, Any]]]:
    """What is announced by this hook."""
    heard: list[dict[str, Any]] = []

    def hear(sender: Any, signal: Any, **said: Any) -> None:
        heard.append(said)

    signal = getattr(hooks, name)
    signal.connect(hear)
    try:
        yield heard
    finally:
        signal.disconnect(hear)


def held(network: Network, **fields: Any) -> Device:
    made: Device = DeviceFactory(organization=network.organization, network=network, **fields)
    return made


def device(serial: str) -> Device:
    return Device.objects.get(serial_number=serial)


# --- Verdicts ---------------------------------------------------------------------------------------


def test_a_new_device_is_added_with_what_it_names(network: Network) -> None:
    cart = TagFactory(organization=network.organization, name="Cart", kind="owner")

    [saved] = save(
        network,
        DeviceRecord(
            serial_number="dmq1",
            name="Cart 1",
            model="iPad Air",
            os_version="18.2",
            supervised=True,
            owner_email="ann@example.org",
            tags=("cart", "grade-4"),
        ),
        source="csv",
    )

    added = device("DMQ1")
    owner, grade = Owner.objects.get(), Tag.objects.get(name="grade-4")
    assert saved == Saved("DMQ1", "created", "new owner ann@example.org", added.pk)
    assert (added.name, added.platform, added.os_version) == ("Cart 1", "iPadOS", "18.2")
    assert (added.supervised, added.network, added.owner) == (True, network, owner)
    assert (added.tag_ids, grade.kind) == ([cart.pk, grade.pk], "device")
    assert (owner.name, owner.source) == ("ann@example.org", "csv")
    said = ("serial_number", "name", "model", "platform", "os_version", "supervised", "owner")
    assert added.sources == dict.fromkeys((*said, "tags"), "csv")


def test_verdicts_come_in_the_order_of_the_records(network: Network) -> None:
    held(network, serial_number="HELD", name="Held", platform="iOS")
    TagFactory(organization=network.organization, name="ipads", kind="automatic")

    saved = save(
        network,
        DeviceRecord(serial_number="NEW", platform="macOS"),
        DeviceRecord(serial_number="held", name="Other"),
        DeviceRecord(serial_number="new", platform="macOS"),
        DeviceRecord(serial_number="no good!"),
        DeviceRecord(serial_number="BARE"),
        DeviceRecord(serial_number="T1", platform="iOS", tags=("iPads",)),
        DeviceRecord(serial_number="T2", platform="iOS", tags=("Mac-Devices",)),
        DeviceRecord(serial_number="N1", platform="iOS", network_id=0),
    )

    assert [(each.serial_number, each.verdict, each.message) for each in saved] == [
        ("NEW", "created", ""),
        ("HELD", "updated", "name"),
        ("NEW", "error", "Record 1 is about this device already. Leave one of them out."),
        (
            "no good!",
            "error",
            "“NOGOOD!” is no serial number: those have up to 32 letters and digits. Correct it.",
        ),
        (
            "BARE",
            "error",
            "A new device needs a platform: iOS, iPadOS, macOS, tvOS, watchOS or visionOS. Give"
            " one, or its model.",
        ),
        (
            "T1",
            "error",
            "“iPads” is an automatic tag, which devices get by themselves. Choose another word.",
        ),
        (
            "T2",
            "error",
            "“Mac-Devices” is an automatic tag, which devices get by themselves. Choose another"
            " word.",
        ),
        ("N1", "error", "There is no network 0 here. Give the id of one of yours."),
    ]
    assert [each.device_id for each in saved[2:]] == [None] * 6
    assert set(Device.objects.values_list("serial_number", flat=True)) == {"NEW", "HELD"}


def test_a_new_device_without_any_network_is_an_error(network: Network) -> None:
    saved = save(network, DeviceRecord(serial_number="NEW", platform="iOS"), network=None)

    sentence = "A new device needs a network. Give one, or choose one for all new devices."
    assert (told(saved), Device.objects.count()) == ([("error", sentence)], 0)


def test_a_device_of_another_organization_is_another_device(network: Network) -> None:
    stranger = DeviceFactory(serial_number="DMQ1", name="Theirs")
    OwnerFactory(organization=stranger.organization, email="ann@example.org")
    TagFactory(organization=stranger.organization, name="cart")

    record = DeviceRecord(
        serial_number="DMQ1", platform="iOS", owner_email="ann@example.org", tags=("cart",)
    )
    assert told(save(network, record)) == [("created", "new owner ann@example.org")]

    stranger.refresh_from_db()
    assert (stranger.name, stranger.owner, stranger.tag_ids) == ("Theirs", None, [])
    assert told(save(network, DeviceRecord(serial_number="X", network_id=stranger.network_id))) == [
        ("error", f"There is no network {stranger.network_id} here. Give the id of one of yours.")
    ]


def test_owners_are_found_by_their_address_in_whatever_case(network: Network) -> None:
    ann = OwnerFactory(organization=network.organization, email="Ann@Example.org")
    records = [
        DeviceRecord(serial_number=serial, platform="iOS", owner_email=email)
        for serial, email in [
            ("A", "ann@example.org"),
            ("B", "BO@example.org"),
            ("C", "bo@example.org"),
        ]
    ]

    assert told(save(network, *records)) == [
        ("created", ""),
        ("created", "new owner BO@example.org"),
        ("created", "new owner bo@example.org"),
    ]
    bo = Owner.objects.exclude(pk=ann.pk).get()
    assert [device(serial).owner for serial in "ABC"] == [ann, bo, bo]
    assert bo.source == "api"


def test_what_is_empty_is_taken_away_and_what_is_not_said_stays(network: Network) -> None:
    owner = OwnerFactory(organization=network.organization)
    tag = TagFactory(organization=network.organization)
    for serial in "AB":
        held(network, serial_number=serial, name="Cart", owner=owner, tag_ids=[tag.pk])

    saved = save(
        network,
        DeviceRecord(serial_number="A", name="", owner_email="", tags=()),
        DeviceRecord(serial_number="B"),
    )

    assert told(saved) == [("updated", "name, owner, tags"), ("unchanged", "")]
    assert [(each.name, each.owner, each.tag_ids) for each in map(device, "AB")] == [
        ("", None, []),
        ("Cart", owner, [tag.pk]),
    ]


def test_the_order_of_tags_says_nothing(network: Network) -> None:
    one, two = TagFactory.create_batch(2, organization=network.organization)
    held(network, serial_number="A", tag_ids=[one.pk, two.pk])

    same = DeviceRecord(serial_number="A", tags=(two.name.upper(), one.name))

    assert told(save(network, same)) == [("unchanged", "")]


def test_a_missing_device_that_comes_is_missing_no_longer(network: Network) -> None:
    held(network, serial_number="A", missing_since=timezone.now(), missing_from="csv")

    assert told(save(network, DeviceRecord(serial_number="A"))) == [
        ("updated", "no longer missing")
    ]
    assert (device("A").missing_since, device("A").missing_from) == (None, "")


# --- Who is believed --------------------------------------------------------------------------------


def test_a_lower_source_fills_what_is_empty_and_changes_no_more(network: Network) -> None:
    held(
        network,
        serial_number="A",
        name="By itself",
        model="",
        os_version="18.0",
        platform="iPadOS",
        sources={"name": "channel", "model": "channel", "os_version": "api"},
    )

    saved = save(
        network,
        DeviceRecord(serial_number="A", name="By file", model="iPad Air", os_version="17.0"),
        source="csv",
    )

    kept = "model; name kept as the device itself says; OS version kept as the REST API says"
    assert told(saved) == [("updated", kept)]
    found = device("A")
    assert (found.name, found.model, found.os_version) == ("By itself", "iPad Air", "18.0")
    assert found.sources == {"name": "channel", "model": "csv", "os_version": "api"}


def test_a_better_source_that_says_the_same_is_believed_from_then_on(network: Network) -> None:
    held(network, serial_number="A", name="Cart", sources={"name": "csv"})

    assert told(save(network, DeviceRecord(serial_number="A", name="Cart"))) == [("unchanged", "")]
    assert device("A").sources == {"name": "api"}
    assert told(save(network, DeviceRecord(serial_number="A", name="X"), source="csv")) == [
        ("unchanged", "name kept as the REST API says")
    ]


def test_what_the_device_says_itself_counts(network: Network) -> None:
    said = {"name": "api", "owner": "api"}
    held(network, serial_number="A", name="By API", sources=said)

    saved = save_from_channel(
        by=BY,
        organization=network.organization,
        record=DeviceRecord(serial_number="a", name="By itself", supervised=True, udid="U1"),
    )

    assert (saved.verdict, saved.message) == ("updated", "name, supervised, UDID")
    itself = dict.fromkeys(("name", "supervised", "udid"), "channel")
    assert device("A").sources == said | itself


def test_a_device_without_a_serial_number_is_known_by_its_udid(network: Network) -> None:
    def say(**said: Any) -> Saved:
        record = DeviceRecord(udid="U1", platform="iOS", enrollment="user", **said)
        return save_from_channel(
            by=BY, organization=network.organization, record=record, network=network
        )

    first, again = say(name="One"), say(name="Two")

    assert (first.verdict, again.verdict, again.message) == ("created", "updated", "name")
    found = Device.objects.get()
    assert first.device_id == again.device_id == found.pk
    assert (found.serial_number, found.name, found.enrollment) == (None, "Two", "user")


def test_a_device_that_enrolls_again_is_gone_no_longer(network: Network) -> None:
    now = timezone.now()
    held(network, serial_number="A", enrollment="none", unenrolled_at=now, wiped_at=now)

    saved = save_from_channel(
        by=BY,
        organization=network.organization,
        record=DeviceRecord(serial_number="A", enrollment="device"),
    )

    assert (saved.verdict, saved.message) == ("updated", "enrollment, enrolled again")
    assert (device("A").unenrolled_at, device("A").wiped_at) == (None, None)


# --- Networks ---------------------------------------------------------------------------------------


def test_a_known_device_stays_where_it_is_unless_its_record_names_a_network(
    network: Network,
) -> None:
    other = NetworkFactory(organization=network.organization, name="Elm")
    for serial in "AB":
        held(other, serial_number=serial)

    with hearing("devices_departing") as departing:
        saved = save(
            network,
            DeviceRecord(serial_number="A", name="X"),
            DeviceRecord(serial_number="B", network_id=network.pk),
        )

    assert told(saved) == [("updated", "name; stays in “Elm”"), ("updated", "network")]
    assert [device(serial).network for serial in "AB"] == [other, network]
    [left] = departing
    assert (list(left["devices"]), left["cause"], left["choice"]) == ([device("B")], "moved", "")


def test_who_has_some_networks_only_changes_nothing_elsewhere(network: Network) -> None:
    other = NetworkFactory(organization=network.organization, name="Secret")
    held(other, serial_number="A", name="Theirs")
    held(network, serial_number="B", name="Mine")

    saved = save(
        network,
        DeviceRecord(serial_number="A", name="X"),
        DeviceRecord(serial_number="B", network_id=other.pk),
        DeviceRecord(serial_number="B2", platform="iOS"),
        networks_writable=[network.pk],
    )

    assert told(saved) == [
        (
            "error",
            "This device is in another network, where you may change nothing. Ask an administrator"
            " of the organization.",
        ),
        ("error", "You may change nothing in that network. Choose one of yours."),
        ("created", ""),
    ]
    assert [device(serial).name for serial in ("A", "B")] == ["Theirs", "Mine"]
    assert device("B").network == network


# --- What follows -----------------------------------------------------------------------------------


def test_what_scopes_depend_on_is_announced(network: Network) -> None:
    for serial in ("NAME", "TAGS", "SAME"):
        held(network, serial_number=serial, name="Old")

    with hearing("devices_changed") as changed:
        save(
            network,
            DeviceRecord(serial_number="NAME", name="New"),
            DeviceRecord(serial_number="TAGS", tags=("cart",)),
            DeviceRecord(serial_number="SAME", name="Old"),
            DeviceRecord(serial_number="ADDED", platform="iOS"),
            DeviceRecord(serial_number="WRONG"),
        )

    [said] = changed
    ids = sorted(device(serial).pk for serial in ("TAGS", "ADDED"))
    assert (said["organization"], said["device_ids"]) == (network.organization, ids)


def test_nothing_is_announced_or_recorded_where_nothing_changes(network: Network) -> None:
    held(network, serial_number="A", name="Cart")

    with hearing("devices_changed") as changed:
        save(network, DeviceRecord(serial_number="A", name="Cart"), DeviceRecord(serial_number="!"))
        save(network)

    assert (changed, AuditEvent.objects.count()) == ([], 0)


def test_one_event_tells_of_several_devices(network: Network) -> None:
    held(network, serial_number="A")

    save(
        network,
        DeviceRecord(serial_number="A", name="X", owner_email="ann@example.org", tags=("cart",)),
        DeviceRecord(serial_number="B", platform="iOS"),
    )

    events = AuditEvent.objects.order_by("action").values_list("action", "target_name", "after")
    assert list(events) == [
        (
            "devices.saved",
            "Example Schools",
            {"source": "REST API", "created": 1, "updated": 1, "devices": ["A", "B"]},
        ),
        ("owner.added", "ann@example.org", None),
        ("tag.added", "cart", {"kind": "device"}),
    ]


def test_the_event_of_one_device_stands_with_the_device(network: Network) -> None:
    save(network, DeviceRecord(serial_number="A", platform="iOS"))
    save(network, DeviceRecord(serial_number="A", name="X", supervised=True))

    events = AuditEvent.objects.order_by("pk").values_list("target_kind", "target_id", "after")
    pk = device("A").pk
    assert list(events) == [
        ("device", pk, {"source": "REST API", "added": True}),
        ("device", pk, {"source": "REST API", "changed": "name, supervised"}),
    ]


def test_a_thousand_devices_cost_as_many_queries_as_two(network: Network) -> None:
    def cost(prefix: str, number: int) -> int:
        records = [
            DeviceRecord(
                serial_number=f"{prefix}{n}",
                platform="iOS",
                owner_email=f"{prefix}{n}@example.org",
                tags=(f"{prefix}-{n % 7}",),
            )
            for n in range(number)
        ]
        with CaptureQueriesContext(connection) as queries:
            assert {each.verdict for each in save(network, *records)} == {"created"}
        return len(queries)

    assert cost("few", 2) == cost("many", 1000)


@pytest.mark.django_db(transaction=True)
def test_who_says_the_same_at_the_same_time_adds_it_once(network: Network) -> None:
    records = [
        DeviceRecord(
            serial_number=f"A{n}", platform="iOS", owner_email="ann@example.org", tags=("cart",)
        )
        for n in range(20)
    ]

    def work(turn: int) -> list[str]:
        try:
            chosen = records if turn % 2 else records[::-1]
            return [each.verdict for each in save(network, *chosen)]
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        verdicts = sorted(pool.map(work, range(4)))

    assert verdicts == [["created"] * 20, *[["unchanged"] * 20] * 3]
    assert (Device.objects.count(), Owner.objects.count(), Tag.objects.count()) == (20, 1, 1)


# --- Whatever is said -------------------------------------------------------------------------------

WORDS = st.sampled_from(["", "a", "B\t\\x", "ä'\"%s", "Cart 1"])
RECORDS = st.lists(
    st.builds(
        DeviceRecord,
        serial_number=st.sampled_from(["A", "b", "C", "", "?"]),
        name=st.none() | WORDS,
        model=st.none() | st.sampled_from(["iPad Air", "MacBook", "Toaster"]),
        platform=st.none() | st.sampled_from(["iOS", "macos", "DOS"]),
        supervised=st.none() | st.booleans(),
        owner_email=st.none() | st.sampled_from(["", "ann@example.org", "ANN@example.org", "x"]),
        tags=st.none() | st.lists(st.sampled_from(["cart", "Cart", "x\\y", "z"])).map(tuple),
    ),
    max_size=6,
)
SOURCES = st.sampled_from(["page", "csv", "api", "channel"])


class Whatever(TestCase):
    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.tuples(SOURCES, RECORDS), min_size=1, max_size=3))
    def test_said_twice_it_changes_nothing_the_second_time(
        self, turns: list[tuple[str, list[DeviceRecord]]]
    ) -> None:
        network = NetworkFactory(organization=OrganizationFactory())
        automatic_tags.ensure(network.organization)

        for source, records in turns:
            first = save(network, *records, source=source)
            before = list(Device.objects.order_by("pk").values())
            again = save(network, *records, source=source)

            assert [each.verdict for each in again] == [
                "error" if each.verdict == "error" else "unchanged" for each in first
            ]
            assert list(Device.objects.order_by("pk").values()) == before
