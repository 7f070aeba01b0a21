"""manage.py add_vpp_account and sync_vpp: the road without a browser."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from organizations.models import Organization
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import AccountState, SyncRun, VppAccount


def test_an_account_is_added_and_synced_from_the_command_line(
    fake: FakeApple, organization: Organization, tmp_path: Path, capsys
) -> None:
    location = fake.create_location(name="North")
    fake.purchase(location.uid, "361285480", quantity=3)
    file = tmp_path / "sToken (1).vpptoken"
    file.write_text(location.issue_token())

    call_command(
        "add_vpp_account",
        organization=organization.pk,
        name="North",
        email="vpp@example.org",
        token_file=file,
    )
    account = VppAccount.objects.get(pk=int(capsys.readouterr().out))
    call_command("sync_vpp", account=account.pk, wait=True)

    assert capsys.readouterr().out == f'{account.pk} North: {{"titlesAdded": 1}}\n'


def test_without_waiting_the_run_is_left_to_a_worker(account: VppAccount, capsys) -> None:
    call_command("sync_vpp", all=True)

    run = SyncRun.objects.get()
    assert capsys.readouterr().out == f"{account.pk} {account}: sync {run.pk} is queued\n"


def test_a_failure_ends_the_command_with_an_error(account: VppAccount, fake, capsys) -> None:
    fake.set_fault("token_revoked")

    with pytest.raises(CommandError):
        call_command("sync_vpp", account=account.pk, wait=True)

    assert "Apple has revoked the token" in capsys.readouterr().err


def test_a_stopped_account_is_refused_with_its_reason(account: VppAccount, capsys) -> None:
    VppAccount.objects.update(state=AccountState.REVOKED, state_reason="Download a new one.")

    with pytest.raises(CommandError):
        call_command("sync_vpp", account=account.pk, wait=True)

    assert "Revoked by Apple: Download a new one." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("", "can't be blank"), ("not a token!", "not Base64 text")],
)
def test_a_bad_file_is_refused_in_words(
    organization: Organization, tmp_path: Path, content: str, sentence: str
) -> None:
    file = tmp_path / "x.vpptoken"
    file.write_text(content)

    with pytest.raises(CommandError, match=sentence):
        call_command(
            "add_vpp_account",
            organization=organization.pk,
            name="North",
            email="a@example.org",
            token_file=file,
        )


def test_a_file_that_is_not_there_is_said(organization: Organization, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command(
            "add_vpp_account",
            organization=organization.pk,
            name="North",
            email="a@example.org",
            token_file=tmp_path / "missing",
        )
