"""Adding, editing, renewing, taking over and removing VPP accounts: each bad input by its effect."""

from datetime import timedelta

import pytest
from django.utils import timezone

from licensing import sync
from licensing.models import Assignment, LicensedApp
from organizations.audit import Actor
from organizations.models import AuditEvent, Organization
from organizations.refusals import Refusal
from tests.factories import AssignmentFactory, NetworkFactory, OrganizationFactory
from vpp_accounts import services
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import AccountState, SyncRun, VppAccount
from vpp_accounts.refusals import ClaimedByAnotherMdm
from vpp_accounts.runs import request_sync
from vpp_accounts.services import Rights, accounts


def add(by: Actor, organization: Organization, token: str, **options: object) -> VppAccount:
    options.setdefault("name", "North")
    return services.add_account(
        by=by,
        organization=organization,
        email="vpp@example.org",
        token_text=token,
        rights=Rights(),
        **options,
    )


@pytest.fixture
def location(fake: FakeApple):
    return fake.create_location(name="North", org_name="Example Schools", country="US")


def test_adding_reads_the_location_and_asks_for_a_sync(by, organization, location) -> None:
    account = add(by, organization, location.issue_token())

    account.refresh_from_db()
    assert (account.uid, account.location_name, account.country, account.state) == (
        location.uid,
        "North",
        "US",
        AccountState.SYNCING,
    )
    assert SyncRun.objects.get(account=account).trigger == SyncRun.Trigger.ADDED


def test_the_token_is_nowhere_in_clear(by, organization, location) -> None:
    token = location.issue_token()

    account = add(by, organization, token)

    stored = str(VppAccount.objects.filter(pk=account.pk).values())
    audited = str(list(AuditEvent.objects.values()))
    assert token not in stored + audited
    assert VppAccount.objects.get(pk=account.pk).stoken == token


def test_an_expired_token_is_refused_with_its_date(by, organization, fake) -> None:
    past = (timezone.now() - timedelta(days=3)).isoformat()
    location = fake.create_location(name="North", expires=past)
    token = fake.issue_token(location.uid, expires=past)

    with pytest.raises(Refusal, match=r"expired on \d+ \w+ \d{4}\. Download a new one"):
        add(by, organization, token)

    assert not VppAccount.objects.exists()


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("token_revoked", r"Apple has revoked this service token \(9625\)"),
        ("token_malformed", r"does not accept this service token \(9722\)"),
        ("legacy_token", r"legacy token of one purchaser \(9647\)"),
        ("token_expired", r"Apple says that this service token has expired \(9621\)"),
    ],
)
def test_apples_refusal_of_a_token_is_told_in_words(
    by, organization, fake, location, fault, sentence
) -> None:
    token = location.issue_token()
    fake.set_fault(fault)

    with pytest.raises(Refusal, match=sentence):
        add(by, organization, token)

    assert not VppAccount.objects.exists()


def test_the_same_location_twice_names_the_account(by, organization, location) -> None:
    add(by, organization, location.issue_token(), name="North")

    with pytest.raises(Refusal, match="already added here as “North”"):
        add(by, organization, location.issue_token(), name="Again")


def test_a_location_of_another_organization_is_not_named(by, organization, location) -> None:
    elsewhere = OrganizationFactory(name="Secret Company")
    add(by, elsewhere, location.issue_token(), name="Theirs")

    with pytest.raises(Refusal, match="in use by another organization") as refusal:
        add(by, organization, location.issue_token())

    assert "Theirs" not in str(refusal.value)
    assert "Secret" not in str(refusal.value)


def test_another_mdm_is_named_and_displaced_only_on_purpose(
    by, organization, fake, location
) -> None:
    fake.claim(location.uid, {"id": "other", "name": "Other MDM", "metadata": "mdm.example.net"})
    token = location.issue_token()

    with pytest.raises(ClaimedByAnotherMdm, match="“Other MDM”"):
        add(by, organization, token)
    account = add(by, organization, token, take_over=True)
    sync.run(sync_run_id=account.sync_runs.get().pk)

    account.refresh_from_db()
    assert (account.state, account.take_over_from) == (AccountState.IN_SYNC, "")
    assert fake.location(location.uid).mdm_info["id"] == str(account.uuid)


def test_apple_unreachable_saves_the_account_as_not_verified(
    by, organization, fake, location
) -> None:
    token = location.issue_token()
    fault = fake.set_fault("refused_connection")

    account = add(by, organization, token)
    fake.faults.remove(fault)
    sync.run(sync_run_id=account.sync_runs.get().pk)

    assert (account.state, account.uid) == (AccountState.NOT_VERIFIED, None)
    account.refresh_from_db()
    assert (account.state, account.uid) == (AccountState.IN_SYNC, location.uid)


def test_renewing_keeps_the_account_and_replaces_the_token(by, account, fake) -> None:
    account.state = AccountState.EXPIRED
    account.save()
    token = fake.location(account.uid).issue_token()

    services.renew_token(by=by, account=account, token_text=token)

    renewed = VppAccount.objects.get(pk=account.pk)
    assert (renewed.stoken, renewed.state) == (token, AccountState.SYNCING)


def test_a_token_of_another_location_does_not_renew(by, account, fake) -> None:
    other = fake.create_location(name="South")

    with pytest.raises(Refusal, match="location “South”, but this account is “North”"):
        services.renew_token(by=by, account=account, token_text=other.issue_token())

    assert VppAccount.objects.get(pk=account.pk).stoken == account.stoken


def test_editing_records_what_changed(by, account, organization) -> None:
    school = NetworkFactory(organization=organization, name="Oak School")

    services.edit_account(
        by=by,
        account=account,
        name="New name",
        email=account.email,
        rights=Rights(assignable_networks="some", assignable_network_list=[school]),
    )

    event = AuditEvent.objects.get(action="vpp_account.edited")
    assert (event.before["name"], event.after["name"], event.after["assignableNetworkList"]) == (
        "Example Schools North",
        "New name",
        ["Oak School"],
    )


def test_removing_takes_the_typed_name_and_everything_of_the_account(by, account) -> None:
    AssignmentFactory(licensed_app__account=account)

    with pytest.raises(Refusal, match="Type the name"):
        services.remove_account(by=by, account=account, typed_name="something else")
    services.remove_account(by=by, account=account, typed_name=account.name)

    assert not VppAccount.objects.exists()
    assert not LicensedApp.objects.exists()
    assert not Assignment.objects.exists()
    assert AuditEvent.objects.filter(action="vpp_account.removed").count() == 1


def test_a_claimed_account_is_taken_back_by_a_persons_decision(by, account, fake) -> None:
    """As the worker does it: in sync, then claimed by another, then taken over."""
    sync.run(sync_run_id=services_sync(by, account).pk)
    fake.claim(account.uid, {"id": "other", "name": "Other MDM", "metadata": "x"})
    sync.run(sync_run_id=services_sync(by, account).pk)
    account.refresh_from_db()
    claimed = account.state

    services.take_over(by=by, account=account, shown_id="other")
    sync.run(sync_run_id=account.sync_runs.get(finished_at=None).pk)

    account.refresh_from_db()
    assert (claimed, account.state) == (AccountState.CLAIMED, AccountState.IN_SYNC)
    assert fake.location(account.uid).mdm_info["id"] == str(account.uuid)


def test_a_location_that_was_removed_here_can_be_added_again(by, organization, location) -> None:
    first = add(by, organization, location.issue_token())
    sync.run(sync_run_id=first.sync_runs.get().pk)
    first.refresh_from_db()
    services.remove_account(by=by, account=first, typed_name=first.name)

    again = add(by, organization, location.issue_token())
    sync.run(sync_run_id=again.sync_runs.get().pk)

    again.refresh_from_db()
    assert again.state == AccountState.IN_SYNC


def test_losing_the_right_to_write_is_noticed(by, account, fake) -> None:
    sync.run(sync_run_id=services_sync(by, account).pk)
    fake.set_fault("read_only")

    run = request_sync(by=by, account=account, trigger=SyncRun.Trigger.MANUAL, full=True)
    sync.run(sync_run_id=run.pk)

    account.refresh_from_db()
    assert account.state == AccountState.READ_ONLY


def test_sync_now_waits_as_long_as_apple_asked(by, account, fake) -> None:
    fake.set_fault("overload")
    sync.run(sync_run_id=services_sync(by, account).pk)
    account.refresh_from_db()

    with pytest.raises(Refusal, match="Apple asked to be left alone until"):
        services_sync(by, account)


def services_sync(by: Actor, account: VppAccount) -> SyncRun:
    account.refresh_from_db()
    return request_sync(by=by, account=account, trigger=SyncRun.Trigger.MANUAL)


def test_a_location_added_by_somebody_while_apple_is_asked_is_refused_in_words(
    by, organization, fake, location, monkeypatch
) -> None:
    """The other organization's insert comes between our look and our write."""
    elsewhere = OrganizationFactory()
    token, other = location.issue_token(), location.issue_token()
    consent = accounts.consent_to_take_over

    def meanwhile(*args: object) -> str:
        monkeypatch.setattr(accounts, "consent_to_take_over", consent)
        add(by, elsewhere, other, name="Theirs")
        return ""

    monkeypatch.setattr(accounts, "consent_to_take_over", meanwhile)

    with pytest.raises(Refusal, match="in use by another organization"):
        add(by, organization, token)

    assert VppAccount.objects.get().name == "Theirs"
