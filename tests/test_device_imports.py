"""Devices out of files: what each row would do, and what is written once somebody confirms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from organizations import hooks
from organizations.audit import Actor
from organizations.devices import importing
from organizations.devices.columns import MOST_ROWS, DeviceFile
from organizations.imports import FileWrong, ManyMissing, NothingToImport, NotWaiting
from organizations.models import (
    AuditEvent,
    Device,
    DeviceImport,
    DeviceImportRow,
    Network,
    Organization,
    Owner,
    Tag,
)
from organizations.tasks import (
    forget_old_device_imports,
    ring_waiting_device_imports,
    work_on_device_import,
)
from tests.factories import DeviceFactory, NetworkFactory, OrganizationFactory, TagFactory
from tests.workbooks import workbook

HEADER = "serialNumber,name,model,platform,osVersion,supervised,ownerEmail,tags,network"
BY_FILE = {"serial_number": "csv"}

Check = Callable[..., DeviceImport]


@pytest.fixture
def network(organization: Organization) -> Network:
    return NetworkFactory(organization=organization, name="Oakmont")


@pytest.fixture
def check(by: Actor, network: Network) -> Check:
    """The import as it is after the check."""

    def check(*rows: str, header: str = HEADER, **options: Any) -> DeviceImport:
        begun = importing.start_import(
            by=by,
            organization=network.organization,
            file_name="devices.csv",
            content="\n".join([header, *rows]).encode(),
            **{"network": network} | options,
        )
        checked = importing.check(begun.pk)
        assert checked
        return checked

    return check


@pytest.fixture
def run(check: Check, by: Actor) -> Check:
    """The import as it is at its end."""

    def run(*rows: str, **options: Any) -> DeviceImport:
        file_import = check(*rows, **options)
        importing.confirm(by=by, file_import=file_import, confirm_missing=True)
        applied = importing.apply(file_import.pk)
        assert applied
        return applied

    return run


def held(network: Network, serial: str, **fields: Any) -> Device:
    made: Device = DeviceFactory(
        organization=network.organization, network=network, serial_number=serial, **fields
    )
    return made


def told(file_import: DeviceImport) -> list[tuple[int, str, str]]:
    rows = DeviceImportRow.objects.filter(device_import=file_import).order_by("number")
    return list(rows.values_list("number", "verdict", "message"))


def figures(file_import: DeviceImport) -> dict[str, int]:
    return {name: n for name, n in file_import.counts.items() if isinstance(n, int) and n}


def devices() -> dict[str, str]:
    return dict(Device.objects.order_by("pk").values_list("serial_number", "name"))


def missing() -> list[str]:
    flagged = Device.objects.filter(missing_from="csv").exclude(missing_since=None)
    return list(flagged.order_by("pk").values_list("serial_number", flat=True))


# --- Reading ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (HEADER, "dmq1,Cart 1,iPad Air,iPadOS,18.2,yes,ann@example.org,cart,Oakmont"),
        (
            "Serial No.;Device Name;Model;OS;OS Version;Supervised;Owner;Tags;Site",
            "DMQ1;Cart 1;iPad Air;ipados;18.2;TRUE;ann@example.org;cart;Oakmont",
        ),
        (
            "Serial Number\tName\tProduct type\tOS name\tIs supervised\tE-mail\tDevice tags\tNetwork",
            "DMQ1\tCart 1\tiPad Air\tiPadOS 18.2\t1\tann@example.org\tcart\tOakmont",
        ),
    ],
    ids=["ours", "semicolons", "tabs"],
)
def test_columns_by_their_many_names(header: str, row: str) -> None:
    [read] = DeviceFile(f"{header}\n{row}".encode())

    assert (read.said, read.problem) == (
        {
            "serial_number": "DMQ1",
            "name": "Cart 1",
            "model": "iPad Air",
            "platform": "iPadOS",
            "os_version": "18.2",
            "supervised": "true",
            "owner_email": "ann@example.org",
            "tags": "cart",
            "network": "Oakmont",
        },
        "",
    )


def test_an_asset_tag_is_no_tag() -> None:
    file = DeviceFile(b"serial,Asset tag\nDMQ1,4711")

    assert [row.said for row in file] == [{"serial_number": "DMQ1"}]
    assert file.notices == ["“Asset tag” is no column that we read."]


def test_a_workbook_is_read_as_well() -> None:
    content = workbook([["Serial", "Name"], ["DMQ1", "Cart 1"]])

    assert [row.said for row in DeviceFile(content)] == [
        {"serial_number": "DMQ1", "name": "Cart 1"}
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "This file is empty. Choose one with a header row and a row for each device."),
        (
            "serial\n",
            "This file has a header row and no device below it. Add a row for each device.",
        ),
        (
            "name\nCart 1",
            "A column “serialNumber” is needed, and the first row names “name”. Add a header row"
            f" like {HEADER}.",
        ),
        (
            "serial\n" + "DMQ1\n" * (MOST_ROWS + 1),
            "This file has more than 200,000 rows. Split it, each part with the header row.",
        ),
    ],
    ids=["empty", "header", "no serial", "too long"],
)
def test_what_is_no_file_with_devices(content: str, sentence: str) -> None:
    with pytest.raises(FileWrong) as refused:
        list(DeviceFile(content.encode()))

    assert str(refused.value) == sentence


# --- Verdicts ---------------------------------------------------------------------------------------


def test_each_row_has_a_verdict_and_nothing_is_written(check: Check, network: Network) -> None:
    cart = TagFactory(organization=network.organization, name="cart")
    held(network, "HELD", name="Old", tag_ids=[cart.pk])
    held(network, "SAME", name="Same")
    held(network, "ITSELF", name="Itself", sources={"name": "channel"})
    before = list(Device.objects.order_by("pk").values())

    checked = check(
        "NEW,Cart 1,iPad Air,,,,ann@example.org,cart grade-4,",
        "held,New,,,18.2,yes,,Cart,OAKMONT",
        "SAME,Same,,,,,,,",
        "ITSELF,By file,,,,,,,",
        "held,Again,,,,,,,",
        "T,,iPad,,,maybe,,,",
        "U,,iPad,,,,,,Nowhere",
        "V,,Toaster,,,,,,",
        "W,,iPad,,,,ann,,",
    )

    assert told(checked) == [
        (2, "new", "new owner ann@example.org"),
        (3, "update", "name, OS version, supervised"),
        (4, "unchanged", ""),
        (5, "unchanged", "name kept as the device itself says"),
        (6, "error", "Row 3 is about this device already. Leave one of them out."),
        (7, "error", "“maybe” in the column “supervised” is neither yes nor no."),
        (8, "error", "There is no network “Nowhere” here. Give the name of one of yours."),
        (
            9,
            "error",
            "A new device needs a platform: iOS, iPadOS, macOS, tvOS, watchOS or visionOS. Give"
            " one, or its model.",
        ),
        (10, "error", "“ann” is no e-mail address of an owner. Give one like ann@example.org."),
    ]
    assert (checked.state, figures(checked)) == (
        "checked",
        {"new": 1, "update": 1, "unchanged": 2, "error": 5},
    )
    assert list(Device.objects.order_by("pk").values()) == before
    assert (Owner.objects.count(), Tag.objects.count()) == (0, 1)
    assert (AuditEvent.objects.count(), DeviceImport.objects.get().file) == (0, None)


def test_what_was_read_is_written(run: Check, network: Network) -> None:
    elm = NetworkFactory(organization=network.organization, name="Elm")

    applied = run(
        "DMQ1,Cart 1,iPad Air,,18.2,yes,ann@example.org,cart,elm",
        "DMQ2,Cart 2,,macOS,,,ann@example.org,,",
        "DMQ3,Cart 3,,,,,,,",
    )

    one, two = Device.objects.order_by("serial_number")
    ann, cart = Owner.objects.get(), Tag.objects.get()
    assert (one.name, one.platform, one.os_version, one.supervised) == (
        "Cart 1",
        "iPadOS",
        "18.2",
        True,
    )
    assert (one.network, one.owner, one.tag_ids) == (elm, ann, [cart.pk])
    assert (two.network, two.owner, two.platform) == (network, ann, "macOS")
    assert (ann.email, ann.source) == ("ann@example.org", "csv")
    assert figures(applied) == {"new": 2, "error": 1, "owners": 1}
    events = AuditEvent.objects.order_by("pk").values_list("action", "after")
    assert list(events) == [
        ("tag.added", {"kind": "device"}),
        ("devices.imported", {"import": str(applied.pk), "new": 2, "error": 1, "owners": 1}),
    ]
    rows = DeviceImportRow.objects.order_by("number").values_list("device_id", flat=True)
    assert list(rows) == [one.pk, two.pk, None]


def test_the_same_file_again_changes_nothing(run: Check) -> None:
    rows = (
        "DMQ1,Cart 1,iPad Air,,18.2,yes,ann@example.org,cart grade-4,Oakmont",
        "DMQ2,,,macOS 14.1,,no,,,",
    )
    run(*rows)
    before = list(Device.objects.order_by("pk").values())

    again = run(*rows)

    assert figures(again) == {"unchanged": 2}
    assert list(Device.objects.order_by("pk").values()) == before


def test_rows_are_written_as_the_world_is_then(check: Check, by: Actor, network: Network) -> None:
    checked = check("A,New,,iOS,,,,,", "B,New,,iOS,,,,,", "C,New,,iOS,,,,,")
    held(network, "A", name="Meanwhile", sources={"name": "api"})

    importing.confirm(by=by, file_import=checked)
    importing.apply(checked.pk)

    assert told(checked)[0] == (2, "update", "platform; name kept as the REST API says")
    assert devices() == {"A": "Meanwhile", "B": "New", "C": "New"}


def test_what_was_an_error_is_left_out_also_where_it_would_be_none_any_more(
    check: Check, by: Actor, network: Network
) -> None:
    checked = check("A,,,iOS,,,,,Later", "B,,,iOS,,,,,")
    NetworkFactory(organization=network.organization, name="Later")

    importing.confirm(by=by, file_import=checked)
    importing.apply(checked.pk)

    assert list(devices()) == ["B"]


def test_moving_devices_and_changing_them_is_announced(run: Check, network: Network) -> None:
    elm = NetworkFactory(organization=network.organization, name="Elm")
    moved = held(network, "A")
    heard: list[Any] = []

    def hear(sender: Any, signal: Any, **said: Any) -> None:
        ids = said.get("device_ids") or [each.pk for each in said["devices"]]
        heard.append((said["cause"], ids))

    for signal in (hooks.devices_departing, hooks.devices_changed):
        signal.connect(hear)
    run("A,,,,,,,,Elm")
    for signal in (hooks.devices_departing, hooks.devices_changed):
        signal.disconnect(hear)

    moved.refresh_from_db()
    assert moved.network == elm
    assert heard == [("moved", [moved.pk]), ("devices imported", [moved.pk])]


# --- Whole lists ------------------------------------------------------------------------------------


def test_a_whole_list_flags_what_came_with_a_file_and_is_not_in_it(
    run: Check, network: Network
) -> None:
    for serial in ("KEPT", "GONE"):
        held(network, serial, sources=BY_FILE)
    held(network, "HAND", sources={"serial_number": "page"})
    DeviceFactory(serial_number="OTHER", sources=BY_FILE)

    applied = run("KEPT,,,,,,,,", is_complete=True)

    assert (missing(), figures(applied)) == (["GONE"], {"unchanged": 1, "missing": 1})
    assert figures(run("KEPT,,,,,,,,", "GONE,,,,,,,,", is_complete=True)) == {
        "update": 1,
        "unchanged": 1,
    }
    assert missing() == []


def test_a_part_of_a_list_flags_nothing(run: Check, network: Network) -> None:
    held(network, "GONE", sources=BY_FILE)

    run("KEPT,,,iOS,,,,,")

    assert missing() == []


def test_many_missing_need_a_second_look(check: Check, by: Actor, network: Network) -> None:
    for number in range(6):
        held(network, f"GONE{number}", sources=BY_FILE)
    checked = check("KEPT,,,iOS,,,,,", is_complete=True)

    with pytest.raises(ManyMissing) as refused:
        importing.confirm(by=by, file_import=checked)
    importing.confirm(by=by, file_import=checked, confirm_missing=True)
    importing.apply(checked.pk)

    assert str(refused.value) == (
        "6 devices that came with an earlier file are not in this one, which is said to be the"
        " whole list. Confirm that they are to be flagged as missing, or upload the file again"
        " without saying so."
    )
    assert len(missing()) == 6


def test_a_file_without_one_good_row_flags_nothing(
    check: Check, by: Actor, network: Network
) -> None:
    held(network, "GONE", sources=BY_FILE)
    checked = check("!,,,,,,,,", is_complete=True)

    with pytest.raises(NothingToImport):
        importing.confirm(by=by, file_import=checked)

    assert (missing(), figures(checked)) == ([], {"error": 1})


# --- Stages -----------------------------------------------------------------------------------------


def test_a_worker_checks_and_applies(
    check: Check, by: Actor, network: Network, django_capture_on_commit_callbacks: Any
) -> None:
    begun = importing.start_import(
        by=by,
        organization=network.organization,
        file_name="a.csv",
        content=b"serial,platform\nDMQ1,iOS\n",
        network=network,
    )
    work_on_device_import(import_id=str(begun.pk))
    begun.refresh_from_db()
    importing.confirm(by=by, file_import=begun)
    work_on_device_import(import_id=str(begun.pk))
    work_on_device_import(import_id=str(begun.pk))

    begun.refresh_from_db()
    assert (begun.state, list(devices())) == ("finished", ["DMQ1"])


def test_the_bell_rings_after_the_commit(
    check: Check,
    by: Actor,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(work_on_device_import, "delay", lambda import_id: rung.append(import_id))

    with django_capture_on_commit_callbacks(execute=True):
        checked = check("A,,,iOS,,,,,")
        assert rung == []

    assert rung == [str(checked.pk)]


def test_the_sweep_rings_for_those_that_wait(
    check: Check, by: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(work_on_device_import, "delay", lambda import_id: rung.append(import_id))
    check("A,,,iOS,,,,,")
    confirmed = check("A,,,iOS,,,,,")
    importing.confirm(by=by, file_import=confirmed)

    ring_waiting_device_imports()

    assert rung == [str(confirmed.pk)]


def test_a_cancelled_import_writes_nothing(check: Check, by: Actor) -> None:
    checked = check("A,,,iOS,,,,,")

    importing.cancel(by=by, file_import=checked)
    with pytest.raises(NotWaiting):
        importing.confirm(by=by, file_import=checked)
    importing.apply(checked.pk)

    assert devices() == {}


def test_an_unreadable_file_says_why(by: Actor, organization: Organization) -> None:
    begun = importing.start_import(
        by=by, organization=organization, file_name="a.csv", content=b"name\nx"
    )

    failed = importing.check(begun.pk)

    assert failed
    assert (failed.state, failed.problem[:40]) == (
        "failed",
        "A column “serialNumber” is needed, and t",
    )


def test_old_imports_are_forgotten_with_their_rows(check: Check) -> None:
    with time_machine.travel(timezone.now() - timedelta(days=8)):
        check("A,,,iOS,,,,,")
    kept = check("A,,,iOS,,,,,")

    forget_old_device_imports()

    assert list(DeviceImport.objects.all()) == [kept]
    assert DeviceImportRow.objects.get().device_import == kept


def test_another_organizations_network_is_no_network_here(check: Check) -> None:
    NetworkFactory(organization=OrganizationFactory(), name="Theirs")

    checked = check("A,,,iOS,,,,,Theirs")

    sentence = "There is no network “Theirs” here. Give the name of one of yours."
    assert told(checked) == [(2, "error", sentence)]
