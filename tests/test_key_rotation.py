"""Another encryption key: everything comes under it, and what a lost one costs is said."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt, encrypt
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps_catalog.models import ChannelEvent, ChannelSettings, CodeImport, RedemptionCode
from licensing.encryption import EVERY, rotation
from organizations import crypto
from organizations.models import Admin, IdentityProvider, Organization, Webhook
from tests.factories import ManagedAppFactory, VppAccountFactory, VppUserFactory, WebhookFactory
from tests.test_people_races import meets
from users.models import VppUser
from vpp_accounts.models import FormerClaim, VppAccount

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def keys(settings) -> Callable[..., None]:
    def use(*texts: str) -> None:
        settings.FIELD_ENCRYPTION_KEYS = list(texts)

    use(OLD)
    return use


def one_of_each(organization: Organization, admin: Admin) -> None:
    """A row in every encrypted column, and one that has nothing to encrypt beside each."""
    account = VppAccountFactory(organization=organization, token="a token", name="North")
    invited(account, code="a code")
    VppUserFactory(account=account)
    removed = VppAccountFactory(organization=organization, token="of a removed one")
    ciphertext, uuid = removed.token_ciphertext, str(removed.uuid)
    removed.delete()
    FormerClaim.objects.create(mdm_id=uuid, token_ciphertext=ciphertext)
    FormerClaim.objects.create(mdm_id="told")
    provider = IdentityProvider(organization=organization, kind="oidc", name="Entra")
    provider.client_secret = "a client secret"
    provider.save()
    IdentityProvider.objects.create(organization=organization, kind="saml", name="Okta")
    of_devices(organization)
    webhook = WebhookFactory(organization=organization, secret="a secret")
    webhook.previous_secret = "an earlier secret"
    webhook.save()
    second_factor(admin, "totp", {"secret": encrypt("A SECRET")})
    second_factor(admin, "recovery_codes", {"seed": encrypt("a seed"), "used_mask": 5})
    second_factor(admin, "webauthn", {"name": "Key", "credential": {"id": "public"}})


def of_devices(organization: Organization) -> None:
    """An MDM server with its keys, something that it told and something that is understood, codes."""
    server = ChannelSettings(organization=organization, kind="nanomdm")
    server.api_key, server.webhook_key = "an API key", "a webhook key"
    server.save()
    told = {"organization": organization, "channel": "nanomdm", "topic": "mdm.Connect"}
    event = ChannelEvent(**told, event_id="new", told_at=timezone.now())
    event.payload = "a push token"
    event.save()
    ChannelEvent.objects.create(**told, event_id="understood", told_at=timezone.now())
    app = ManagedAppFactory(network__organization=organization)
    code = RedemptionCode(organization=organization, managed_app=app, code_digest="a digest")
    code.code = "ABC123"
    code.save()
    waiting = CodeImport(organization=organization, managed_app=app, file_name="codes.xls")
    waiting.rows = "codes to confirm"
    waiting.save()


def second_factor(admin: Admin, kind: str, data: dict[str, object]) -> None:
    Authenticator.objects.create(user=admin, type=kind, data=data)


def invited(account: VppAccount, *, code: str) -> VppUser:
    user: VppUser = VppUserFactory(account=account, apple_status="Registered")
    user.invite_code = code
    user.save()
    return user


def opened() -> list[object]:
    """Everything, as the product reads it."""
    factors = {row.type: row.data for row in Authenticator.objects.all()}
    return [
        *(account.stoken for account in VppAccount.objects.all()),
        *(claim.stoken for claim in FormerClaim.objects.exclude(token_ciphertext="")),
        *(user.invite_code for user in VppUser.objects.order_by("pk")),
        *(provider.client_secret for provider in IdentityProvider.objects.order_by("pk")),
        *((server.api_key, server.webhook_key) for server in ChannelSettings.objects.all()),
        *((each.secret, each.previous_secret) for each in Webhook.objects.all()),
        *(event.payload for event in ChannelEvent.objects.exclude(payload_ciphertext="")),
        *(code.code for code in RedemptionCode.objects.all()),
        *(waiting.rows for waiting in CodeImport.objects.all()),
        decrypt(factors["totp"]["secret"]),
        (decrypt(factors["recovery_codes"]["seed"]), factors["recovery_codes"]["used_mask"]),
        factors["webauthn"],
    ]


OPENED = [
    *("a token", "of a removed one", "a code", "", "a client secret", ""),
    *(
        ("an API key", "a webhook key"),
        ("a secret", "an earlier secret"),
        "a push token",
        "ABC123",
        "codes to confirm",
    ),
    *("A SECRET", ("a seed", 5), {"name": "Key", "credential": {"id": "public"}}),
]
DONE = """\
Tokens of VPP accounts: 1 stored{0}.
Tokens of removed accounts: 1 stored{0}.
Invitation codes: 1 stored{0}.
Client secrets of single sign-on: 1 stored{0}.
API keys of MDM servers: 1 stored{0}.
Webhook keys of MDM servers: 1 stored{0}.
Secrets of webhooks: 1 stored{0}.
Earlier secrets of webhooks: 1 stored{0}.
What MDM servers told, until it is understood: 1 stored{0}.
Redemption codes: 1 stored{0}.
Redemption codes being imported: 1 stored{0}.
Second factors: 2 stored{1}.
"""


def test_no_encrypted_column_is_forgotten() -> None:
    """Whoever adds one adds it to licensing/encryption/columns.py."""
    named = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if field.name.endswith("_ciphertext")
    }

    assert {(each.model, each.column) for each in EVERY} == named | {(Authenticator, "data")}


def test_everything_is_left_under_the_first_key(organization, owner, keys, capsys) -> None:
    one_of_each(organization, owner)
    keys(NEW, OLD)

    call_command("rotate_encryption_keys")
    call_command("rotate_encryption_keys")

    keys(NEW)
    assert opened() == OPENED
    assert capsys.readouterr().out == (
        DONE.format(", 1 re-encrypted", ", 2 re-encrypted") + DONE.format("", "")
    )


def test_an_interrupted_rotation_is_finished_by_the_next(db, keys, capsys, monkeypatch) -> None:
    account = VppAccountFactory()
    codes = [f"code {number}" for number in range(5)]
    for code in codes:
        invited(account, code=code)
    keys(NEW, OLD)
    monkeypatch.setattr(rotation, "AT_A_TIME", 2)

    with monkeypatch.context() as patch:
        dies_at(patch, call=5)  # the account's token and three codes are done, two of those kept
        with pytest.raises(KeyboardInterrupt):
            call_command("rotate_encryption_keys")
    by_then = current()
    call_command("rotate_encryption_keys")

    keys(NEW)
    assert [user.invite_code for user in VppUser.objects.order_by("pk")] == codes
    assert (by_then, current()) == (3, 6)
    assert "Invitation codes: 5 stored, 3 re-encrypted.\n" in capsys.readouterr().out


def dies_at(patch: pytest.MonkeyPatch, *, call: int) -> None:
    rotate, calls = crypto.rotate, iter(range(1, 100))

    def killed(text: str) -> str:
        if next(calls) == call:
            raise KeyboardInterrupt
        return rotate(text)

    patch.setattr(crypto, "rotate", killed)


def current() -> int:
    """How many texts the first key has made."""
    texts = [*VppAccount.objects.values_list("token_ciphertext", flat=True)]
    texts += VppUser.objects.values_list("invite_code_ciphertext", flat=True)
    return sum(crypto.is_current(text) for text in texts)


@pytest.mark.django_db(transaction=True, databases=["default", "system", "owner"])
def test_a_token_that_is_renewed_meanwhile_stays_the_new_one(keys) -> None:
    account = VppAccountFactory(token="old")
    tokens = EVERY[0]
    keys(NEW, OLD)
    account.stoken = "renewed"

    meets(account.save, lambda: None, lambda: rotation.rotate(tokens))

    account.refresh_from_db()
    assert account.stoken == "renewed"


def test_reading_back_changes_nothing_and_tells_what_is_to_do(
    organization, owner, keys, capsys
) -> None:
    one_of_each(organization, owner)
    keys(NEW, OLD)

    with pytest.raises(CommandError, match="Invitation codes: 1 are under an older key"):
        call_command("rotate_encryption_keys", "--check")

    keys(OLD)
    assert opened() == OPENED
    assert capsys.readouterr().out == (
        DONE.format(", 1 under an older key", ", 2 under an older key")
    )


def test_what_no_key_opens_is_named_with_the_way_out(organization, owner, keys, capsys) -> None:
    one_of_each(organization, owner)
    keys(NEW)
    account, provider = VppAccount.objects.get(), IdentityProvider.objects.get(name="Entra")
    server, code = ChannelSettings.objects.get(), RedemptionCode.objects.get()
    webhook = Webhook.objects.get()
    factors = [f"{row.pk} of admin {owner.pk}" for row in Authenticator.objects.order_by("pk")]

    with pytest.raises(CommandError) as error:
        call_command("rotate_encryption_keys")

    begin = "no key of FIELD_ENCRYPTION_KEYS opens these. Put the lost key back, or"
    assert str(error.value).splitlines() == [
        f"Tokens of VPP accounts: {begin} renew it: {account.pk} North.",
        f"Client secrets of single sign-on: {begin} enter it again: {provider.pk} Entra.",
        f"API keys of MDM servers: {begin} enter it again: {server.pk} {server}.",
        f"Webhook keys of MDM servers: {begin} make a new one: {server.pk} {server}.",
        f"Secrets of webhooks: {begin} rotate it: {webhook.pk} {webhook}.",
        f"Redemption codes: {begin} import them again: {code.pk} {code}.",
        f"Second factors: {begin} set it up again: {factors[0]}, {factors[1]}.",
    ]
    assert "Tokens of removed accounts: 1 stored, 1 that no key opens.\n" in capsys.readouterr().out


def test_a_code_that_no_key_opens_is_told_by_apple_again(db, keys) -> None:
    account = VppAccountFactory()
    lost = invited(account, code="a code")
    keys(NEW)
    account.stoken = "renewed"
    account.save()
    before = VppUser.objects.get().invite_code

    call_command("rotate_encryption_keys")

    lost.refresh_from_db()
    assert (before, lost.invite_code, lost.invite_code_digest) == ("", "", "")


def test_a_text_of_another_row_is_found(db, keys) -> None:
    mine, other = VppAccountFactory.create_batch(2)
    VppAccount.objects.filter(pk=mine.pk).update(token_ciphertext=other.token_ciphertext)

    with pytest.raises(CommandError, match=f"{mine.pk} {mine.name}"):
        call_command("rotate_encryption_keys", "--check")
