"""Encryption at rest."""

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from licensing.management.commands import rotate_encryption_keys
from tests.factories import VppAccountFactory, VppUserFactory
from users.models import VppUser
from vpp_accounts import crypto
from vpp_accounts.models import VppAccount

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_a_text_comes_back_for_its_own_row_only() -> None:
    sealed = crypto.encrypt("secret", bound_to="row 1")

    assert crypto.decrypt(sealed, bound_to="row 1") == "secret"
    with pytest.raises(crypto.CannotDecrypt):
        crypto.decrypt(sealed, bound_to="row 2")


def test_rotation_leaves_every_token_under_the_first_key(db, settings, capsys) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    accounts = [VppAccountFactory(token=f"token {number}") for number in range(3)]
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]

    call_command("rotate_encryption_keys")
    call_command("rotate_encryption_keys")

    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert [a.stoken for a in VppAccount.objects.order_by("pk")] == [
        f"token {number}" for number in range(len(accounts))
    ]
    assert capsys.readouterr().out == (
        "3 re-encrypted, 3 read back.\n0 re-encrypted, 3 read back.\n"
    )


def test_rotation_leaves_every_code_of_an_invitation_under_the_first_key(
    db, settings, capsys, monkeypatch
) -> None:
    monkeypatch.setattr(rotate_encryption_keys, "AT_A_TIME", 2)
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    account = VppAccountFactory()
    for number in range(5):
        invited(account, code=f"code {number}")
    VppUserFactory(account=account)
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]

    call_command("rotate_encryption_keys")
    call_command("rotate_encryption_keys")

    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    assert [user.invite_code for user in VppUser.objects.order_by("pk")] == [
        *(f"code {number}" for number in range(5)),
        "",
    ]
    assert capsys.readouterr().out == (
        "6 re-encrypted, 6 read back.\n0 re-encrypted, 6 read back.\n"
    )


def test_a_code_that_no_key_opens_is_told_by_apple_again(db, settings, capsys) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    account = VppAccountFactory()
    lost = invited(account, code="a code")
    settings.FIELD_ENCRYPTION_KEYS = [NEW]
    account.stoken = "renewed"
    account.save()
    before = VppUser.objects.get().invite_code

    call_command("rotate_encryption_keys")

    lost.refresh_from_db()
    assert (before, lost.invite_code, lost.invite_code_digest) == ("", "", "")
    assert capsys.readouterr().out == "0 re-encrypted, 1 read back.\n"


def invited(account: VppAccount, *, code: str) -> VppUser:
    user = VppUserFactory(account=account, apple_status="Registered")
    user.invite_code = code
    user.save()
    return user


def test_a_lost_key_is_said_with_the_accounts_that_need_it(db, settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    lost = VppAccountFactory(name="North")
    settings.FIELD_ENCRYPTION_KEYS = [NEW]

    with pytest.raises(CommandError, match=f"{lost.pk} North"):
        call_command("rotate_encryption_keys")
