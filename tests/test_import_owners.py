"""manage.py import_owners: the road without a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from organizations.models import Organization, Owner
from tests.factories import OwnerFactory, VppAccountFactory
from users.models import PeopleImport, VppUser
from vpp_accounts.models import VppAccount

Run = Callable[..., str]


@pytest.fixture
def run(organization: Organization, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """What the command prints for a file with these rows."""

    def run(*rows: str, **options: Any) -> str:
        file = tmp_path / "owners.csv"
        file.write_text("\n".join(["name,email,Room", *rows]))
        call_command("import_owners", str(file), organization=organization.pk, **options)
        return capsys.readouterr().out

    return run


def emails() -> list[str]:
    return list(Owner.objects.order_by("email").values_list("email", flat=True))


def test_owners_are_imported(run: Run) -> None:
    printed = run("Ada,ada@example.org,1", "Bo,bo@example.org,2")

    assert printed.splitlines() == [
        "2 new, 0 updated, 0 unchanged, 0 with errors",
        "“Room” is no column that we read.",
        "Imported.",
    ]
    assert emails() == ["ada@example.org", "bo@example.org"]


def test_with_an_account_they_become_its_users(run: Run, account: VppAccount) -> None:
    run("Ada,ada@example.org,1", account=account.pk, invite=True)

    assert VppUser.objects.get().account == account
    assert PeopleImport.objects.get().invites


def test_a_dry_run_writes_nothing(run: Run) -> None:
    printed = run("Ada,ada@example.org,1", dry_run=True)

    assert printed.splitlines()[-1] == "Nothing was written."
    assert (emails(), PeopleImport.objects.get().state) == ([], "cancelled")


def test_errors_are_told_and_nobody_is_imported(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError, match="Nobody was imported"):
        run("Ada,ada@example.org,1", *("x,bad,1" for _ in range(22)))

    told = capsys.readouterr().err.splitlines()
    assert told[0] == "Row 3: “bad” is no e-mail address. Give one like ann@example.org."
    assert (len(told), told[-1]) == (21, "… and 2 more rows with errors.")
    assert (emails(), PeopleImport.objects.get().state) == ([], "cancelled")


def test_rows_with_errors_may_be_left_out(run: Run) -> None:
    run("Ada,ada@example.org,1", "x,bad,1", skip_errors=True)

    assert emails() == ["ada@example.org"]


def test_a_whole_list_flags_who_is_missing(run: Run, organization: Organization) -> None:
    for number in range(8):
        OwnerFactory(organization=organization, email=f"p{number}@example.org", source="csv")

    with pytest.raises(CommandError, match="7 people who came with an earlier file"):
        run("P,p0@example.org,1", complete=True)
    printed = run("P,p0@example.org,1", complete=True, confirm_missing=True)

    assert printed.startswith("0 new, 1 updated, 0 unchanged, 0 with errors, 7 missing\n")
    assert Owner.objects.exclude(missing_since=None).count() == 7


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"organization": 0}, "There is no organization 0."),
        ({"account": 0}, "This organization has no VPP account 0."),
        ({"invite": True}, "Invitations come from a VPP account. Name one with --account."),
        ({"file": "/nowhere.csv"}, "The file cannot be read: No such file or directory."),
    ],
)
def test_what_cannot_be_is_told(
    organization: Organization, tmp_path: Path, options: dict[str, Any], sentence: str
) -> None:
    file = tmp_path / "owners.csv"
    file.write_text("email\nada@example.org")
    arguments = {"organization": organization.pk, "file": str(file)} | options

    with pytest.raises(CommandError) as refused:
        call_command("import_owners", arguments.pop("file"), **arguments)

    assert (str(refused.value), PeopleImport.objects.count()) == (sentence, 0)


def test_the_account_of_another_organization_is_unknown(run: Run) -> None:
    stranger = VppAccountFactory()

    with pytest.raises(CommandError, match=f"has no VPP account {stranger.pk}"):
        run("Ada,ada@example.org,1", account=stranger.pk)


def test_a_file_that_cannot_be_read_is_told(run: Run) -> None:
    with pytest.raises(CommandError, match="Row 2 cannot be divided into cells"):
        run('"Ada,ada@example.org,1')

    assert PeopleImport.objects.get().state == "failed"
