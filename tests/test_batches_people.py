"""Licenses for people: those whom Apple knows, those who come to be known, and those who cannot."""

import pytest

from licensing.models import Batch, BatchItem, BatchKind, BatchState, LicensedApp
from organizations.models import Organization
from tests.draining import at_apple, begin, drain, states, synced
from tests.factories import OwnerFactory, VppUserFactory
from tests.notifying import subscribe, told
from tests.test_sync import KEYNOTE, holders
from users.models import VppUser
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

BOOK = "1801147365"


@pytest.fixture
def titles(fake: FakeApple, account: VppAccount) -> dict[str, LicensedApp]:
    fake.purchase(account.uid, KEYNOTE, quantity=5)
    fake.purchase(account.uid, BOOK, quantity=5, product_type="Book")
    return synced(account)


def newcomer(account: VppAccount, **owner: str) -> VppUser:
    """Somebody who was added here and whom Apple does not know yet."""
    person = OwnerFactory(organization=account.organization, **owner)
    return VppUserFactory(account=account, owner=person, email=person.email, apple_status="")


def test_people_are_registered_before_they_get_a_license(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    ada = newcomer(account)

    batch = begin("grant", [titles[KEYNOTE]], users=[ada])
    drain(account, fake)

    ada.refresh_from_db()
    assert ada.apple_status == "Registered"
    assert states(batch) == {ada.client_user_id: "succeeded"}
    assert holders(account) == at_apple(fake, account) == {(KEYNOTE, ada.client_user_id)}
    registering = Batch.objects.get(kind=BatchKind.REGISTER)
    assert (registering.state, registering.succeeded) == (BatchState.FINISHED, 1)


def test_a_managed_apple_account_is_associated_at_once(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    ada = newcomer(account, managed_apple_account="ada@school.example")

    begin("grant", [titles[KEYNOTE]], users=[ada])
    drain(account, fake)

    ada.refresh_from_db()
    assert ada.apple_status == "Associated"
    assert ada.id_hash


def test_whom_apple_refuses_to_register_gets_nothing_and_the_reason(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    fake.change_settings({"managedDomains": ["school.example"]})
    ada = newcomer(account, managed_apple_account="ada@elsewhere.example")
    ben = newcomer(account)

    batch = begin("grant", [titles[KEYNOTE]], users=[ada, ben])
    drain(account, fake)

    ada.refresh_from_db()
    assert "another organization" in ada.failure
    assert states(batch) == {ada.client_user_id: "failed", ben.client_user_id: "succeeded"}
    item = BatchItem.objects.get(kind=BatchKind.REGISTER, holder=ada.client_user_id)
    assert (item.state, item.error_number) == ("failed", 9635)


def test_a_lost_registration_is_found_at_apple(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    fake.set_fault("answer_lost", uid=account.uid, path="users/create", times=1)
    ada = newcomer(account)

    batch = begin("grant", [titles[KEYNOTE]], users=[ada])
    drain(account, fake)

    assert len(fake.location(account.uid).records(ada.client_user_id)) == 1
    assert states(batch) == {ada.client_user_id: "succeeded"}


def test_a_registration_is_settled_by_notification(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    subscribe(fake, account)
    ada = newcomer(account)
    begin("grant", [titles[KEYNOTE]], users=[ada])

    drain(account, fake)
    told(fake, account)
    drain(account, fake)

    ada.refresh_from_db()
    assert ada.apple_status == "Registered"
    assert at_apple(fake, account) == {(KEYNOTE, ada.client_user_id)}


def test_a_book_stays_with_the_person(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    ada = newcomer(account)
    begin("grant", [titles[BOOK]], users=[ada])
    drain(account, fake)
    title = LicensedApp.objects.get(pk=titles[BOOK].pk)

    batch = begin("revoke", [title], users=[ada])

    assert (batch.state, batch.skipped) == (BatchState.FINISHED, 1)
    assert BatchItem.objects.get(batch=batch).message.startswith("This license is permanent")


def test_retired_people_and_those_of_nobody_are_skipped(
    organization: Organization,
    fake: FakeApple,
    account: VppAccount,
    titles: dict[str, LicensedApp],
) -> None:
    gone = VppUserFactory(account=account, apple_status="Retired")
    strange = VppUserFactory()

    batch = begin("grant", [titles[KEYNOTE]], users=[gone, strange])

    messages = BatchItem.objects.filter(batch=batch).order_by("message")
    assert [item.message for item in messages] == [
        "This account has no such person.",
        "This person has been retired; add them again first.",
    ]


def test_somebody_whom_apple_has_lost_fails_with_the_way_out(
    fake: FakeApple, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    lost = VppUserFactory(account=account, apple_status="Associated")

    batch = begin("grant", [titles[KEYNOTE]], users=[lost])
    drain(account, fake)

    item = BatchItem.objects.get(batch=batch)
    assert (item.state, item.error_number) == ("failed", 9609)
    assert "Register them again" in item.message
