"""manage.py import_devices: the road without a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from organizations.models import Device, DeviceImport, Network, Organization
from tests.factories import DeviceFactory, NetworkFactory

Run = Callable[..., str]


@pytest.fixture
def network(organization: Organization) -> Network:
    return NetworkFactory(organization=organization, name="Oakmont")


@pytest.fixture
def run(
    organization: Organization, network: Network, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Run:
    """What the command prints for a file with these rows."""

    def run(*rows: str, **options: Any) -> str:
        file = tmp_path / "devices.csv"
        file.write_text("\n".join(["serial,model,Room", *rows]))
        call_command("import_devices", str(file), organization=organization.pk, **options)
        return capsys.readouterr().out

    return run


def devices() -> list[tuple[str, str]]:
    return list(Device.objects.order_by("pk").values_list("serial_number", "network__name"))


def test_devices_are_imported_into_the_only_network(run: Run) -> None:
    printed = run("DMQ1,iPad Air,1", "DMQ2,iPad Air,2")

    assert printed.splitlines() == [
        "2 new, 0 updated, 0 unchanged, 0 with errors",
        "“Room” is no column that we read.",
        "Imported.",
    ]
    assert devices() == [("DMQ1", "Oakmont"), ("DMQ2", "Oakmont")]


def test_of_several_networks_one_is_named(run: Run, organization: Organization) -> None:
    elm = NetworkFactory(organization=organization, name="Elm")

    with pytest.raises(CommandError, match="No device was imported"):
        run("DMQ1,iPad Air,1")
    run("DMQ1,iPad Air,1", network=elm.pk)

    assert devices() == [("DMQ1", "Elm")]


def test_a_dry_run_writes_nothing(run: Run) -> None:
    printed = run("DMQ1,iPad Air,1", dry_run=True)

    assert printed.splitlines()[-1] == "Nothing was written."
    assert (devices(), DeviceImport.objects.get().state) == ([], "cancelled")


def test_errors_are_told_and_may_be_left_out(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="No device was imported"):
        run("DMQ1,iPad Air,1", "!,iPad Air,2")

    assert capsys.readouterr().err.splitlines() == [
        "Row 3: “!” is no serial number: those have up to 32 letters and digits. Correct it."
    ]
    run("DMQ1,iPad Air,1", "!,iPad Air,2", skip_errors=True)
    assert devices() == [("DMQ1", "Oakmont")]


def test_a_whole_list_flags_what_is_missing(
    run: Run, organization: Organization, network: Network
) -> None:
    came = {"sources": {"serial_number": "csv"}, "organization": organization, "network": network}
    for number in range(7):
        DeviceFactory(serial_number=f"GONE{number}", **came)

    with pytest.raises(CommandError, match="7 devices that came with an earlier file"):
        run("DMQ1,iPad Air,1", complete=True)
    printed = run("DMQ1,iPad Air,1", complete=True, confirm_missing=True)

    assert printed.startswith("1 new, 0 updated, 0 unchanged, 0 with errors, 7 missing\n")
    assert Device.objects.exclude(missing_since=None).count() == 7


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"organization": 0}, "There is no organization 0."),
        ({"network": 0}, "This organization has no network 0."),
        ({"file": "/nowhere.csv"}, "The file cannot be read: No such file or directory."),
    ],
)
def test_what_cannot_be_is_told(
    organization: Organization, tmp_path: Path, options: dict[str, Any], sentence: str
) -> None:
    file = tmp_path / "devices.csv"
    file.write_text("serial\nDMQ1")
    arguments = {"organization": organization.pk, "file": str(file)} | options

    with pytest.raises(CommandError) as refused:
        call_command("import_devices", arguments.pop("file"), **arguments)

    assert (str(refused.value), DeviceImport.objects.count()) == (sentence, 0)


def test_the_network_of_another_organization_is_unknown(run: Run) -> None:
    stranger = NetworkFactory()

    with pytest.raises(CommandError, match=f"has no network {stranger.pk}"):
        run("DMQ1,iPad Air,1", network=stranger.pk)
