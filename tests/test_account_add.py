"""Organization > MDM: adding an account, and what each bad input gets."""

import pytest
from django.test import Client
from django.urls import reverse

from organizations.models import Organization
from tests import factories
from tests.mdm_forms import FILES, WHERE, add, at, handle_in, token_file, token_text
from tests.reading import errors_of, text_of
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import AccountState, SyncRun, VppAccount


@pytest.mark.parametrize("way", ["file", "pasted"])
def test_account_add_with_a_real_token_starts_the_first_sync(
    way: str, owner_client: Client, organization: Organization, fake: FakeApple
) -> None:
    location = fake.create_location(name="North", org_name="Example Schools", country="US")
    text = location.issue_token()
    sent = {"token": token_file(text + "\n")} if way == "file" else {"token_text": text}

    response = add(owner_client, organization, **sent)

    assert response.status_code == 302
    assert response.url == reverse("licensing:mdm", args=[organization.pk])
    account = VppAccount.objects.get()
    assert (account.name, account.email, account.uid, account.location_name, account.stoken) == (
        "Example Schools",
        "vpp@example.org",
        location.uid,
        "North",
        text,
    )
    assert [run.trigger for run in account.sync_runs.all()] == [SyncRun.Trigger.ADDED]


def test_account_add_keeps_the_chosen_admins_and_networks(
    owner_client: Client, organization: Organization, owner, fake: FakeApple
) -> None:
    north, south = factories.NetworkFactory.create_batch(2, organization=organization)
    text = fake.create_location(name="North").issue_token()

    add(
        owner_client,
        organization,
        token=token_file(text),
        allowed_admins="named",
        named_admins=[owner.pk],
        assignable_networks="some",
        assignable_network_list=[south.pk],
    )

    account = VppAccount.objects.get()
    assert list(account.named_admins.all()) == [owner]
    assert list(account.assignable_network_list.all()) == [south]
    assert north not in account.allowed_networks.all()


@pytest.mark.parametrize("kind", FILES)
def test_account_add_says_what_is_wrong_with_the_file(
    kind: str, owner_client: Client, organization: Organization, fake: FakeApple
) -> None:
    content, sentence = FILES[kind]

    response = add(
        owner_client, organization, **({} if content is None else {"token": token_file(content)})
    )

    assert errors_of(response) == [sentence]
    assert not VppAccount.objects.exists()


def test_account_add_refuses_a_file_and_a_text_at_once(
    owner_client: Client, organization: Organization
) -> None:
    response = add(
        owner_client, organization, token=token_file(token_text()), token_text=token_text()
    )

    assert errors_of(response) == [
        "Two tokens were given: choose the file or paste the text, not both."
    ]


def test_account_add_refuses_a_pasted_novel(
    owner_client: Client, organization: Organization
) -> None:
    response = add(owner_client, organization, token_text="A" * 70_000)

    assert errors_of(response) == [
        "The pasted text is 69 kB; a service token is far below 64 kB. Choose the .vpptoken file "
        "that Apple gave you."
    ]


REVOKED = (
    "Apple has revoked this service token (9625): a newer one was downloaded, or the password of its "
    "manager was changed. Download a new one at Apple and add it."
)
LEGACY = (
    "This is a legacy token of one purchaser (9647), which Apple's current service refuses. Move its "
    "licenses to a location in Apple Business or Apple School Manager and download that location's "
    "content token."
)
MALFORMED = (
    "Apple does not accept this service token (9722): it was changed or cut off. "
    "Download a new one at Apple and add it."
)


def test_account_add_says_that_apple_revoked_the_token(
    owner_client: Client, organization: Organization, fake: FakeApple
) -> None:
    location = fake.create_location(name="North")
    text = location.issue_token()
    fake.revoke_tokens(location.uid)

    response = add(owner_client, organization, token=token_file(text))

    assert errors_of(response) == [REVOKED]
    assert not VppAccount.objects.exists()


def test_account_add_says_that_apple_does_not_know_the_token(
    owner_client: Client, organization: Organization, fake: FakeApple
) -> None:
    response = add(owner_client, organization, token=token_file(token_text()))

    assert errors_of(response) == [MALFORMED]


def test_account_add_says_that_the_token_is_a_legacy_one(
    owner_client: Client, organization: Organization, fake: FakeApple
) -> None:
    location = fake.create_location(name="North")
    text = fake.issue_token(location.uid, legacy=True)

    response = add(owner_client, organization, token=token_file(text))

    assert errors_of(response) == [LEGACY]


def test_account_add_names_the_account_that_has_the_location_already(
    owner_client: Client, account: VppAccount, fake: FakeApple
) -> None:
    another = fake.issue_token(account.uid)

    response = add(owner_client, account.organization, token=token_file(another))

    assert errors_of(response) == [
        "This location is already added here as “Example Schools North”. To replace its token, use "
        "the pencil of that account and Update Token."
    ]


def test_account_add_does_not_name_another_organization(
    outsider_client: Client, outsider, account: VppAccount, fake: FakeApple
) -> None:
    elsewhere = outsider.memberships.get().organization

    response = add(outsider_client, elsewhere, token=token_file(fake.issue_token(account.uid)))

    assert errors_of(response) == [
        "This location is already in use by another organization of this installation. Apple allows "
        "one manager per location: remove it there first, or create a location of your own."
    ]
    assert account.name not in response.content.decode()


def test_account_add_without_an_answer_of_apple_is_saved_as_not_verified(
    owner_client: Client, organization: Organization, fake: FakeApple
) -> None:
    text = fake.create_location(name="North").issue_token()
    fake.set_fault("refused_connection")

    add(owner_client, organization, token=token_file(text))
    page = owner_client.get(reverse("licensing:mdm", args=[organization.pk]))

    assert VppAccount.objects.get().state == AccountState.NOT_VERIFIED
    assert (
        "Example Schools is saved, but not verified yet: Apple could not be reached. It is asked "
        "again automatically, and its licenses appear as soon as it answers."
    ) in text_of(page)


def test_account_add_offers_to_take_over_from_another_mdm(
    owner_client: Client, organization: Organization, fake: FakeApple
) -> None:
    location = fake.create_location(name="North")
    text = location.issue_token()
    fake.claim(location.uid, {"id": "other", "name": "Other MDM", "metadata": "mdm.example.com"})

    offer = add(owner_client, organization, token=token_file(text))

    assert not VppAccount.objects.exists()
    assert "Another MDM manages this location: “Other MDM”" in text_of(offer)
    assert "mdm.example.com" in text_of(offer)

    add(owner_client, organization, token_handle=handle_in(offer), take_over="on")

    assert VppAccount.objects.get().take_over_from == "other"


def test_a_good_token_need_not_be_chosen_again_when_another_field_is_wrong(
    owner_client: Client, organization: Organization, fake: FakeApple
) -> None:
    text = fake.create_location(name="North", org_name="Example Schools").issue_token()

    again = add(owner_client, organization, token=token_file(text), email="not an address", name="")

    assert errors_of(again) == [
        "Name can't be blank: it is what invited users will see.",
        "This is not an e-mail address: enter one like vpp@example.org.",
    ]
    assert "Token file already read: Example Schools, expires" in text_of(again)

    add(owner_client, organization, token_handle=handle_in(again))

    assert VppAccount.objects.get().stoken == text


def test_a_kept_token_is_for_the_admin_who_sent_it(
    owner_client: Client, organization: Organization, fake: FakeApple
) -> None:
    text = fake.create_location(name="North").issue_token()
    handle = handle_in(add(owner_client, organization, token_text=text, name=""))
    colleague = factories.MembershipFactory(organization=organization).admin
    other_client = Client()
    other_client.force_login(colleague)

    response = add(other_client, organization, token_handle=handle)

    assert errors_of(response) == [
        "The token file read before is kept for 15 minutes only: choose it again."
    ]


@pytest.mark.parametrize("htmx", [False, True])
def test_no_answer_contains_a_token(
    htmx: bool, owner_client: Client, account: VppAccount, fake: FakeApple
) -> None:
    text = account.stoken
    headers = {"HX-Request": "true"} if htmx else {}
    organization = account.organization
    names = ["account_edit", "account_renew", "account_remove", "account_runs", "account_row"]

    answers = [owner_client.get(at(name, account), headers=headers) for name in names]
    answers.append(add(owner_client, organization, token_text=text, name=""))
    answers.append(add(owner_client, organization, token_text=text))
    answers.append(owner_client.get(reverse("licensing:mdm", args=[organization.pk])))

    assert [answer.status_code for answer in answers] == [200] * len(answers)
    assert not [answer for answer in answers if text in answer.content.decode()]


def test_token_preview_says_what_the_file_says_and_stores_nothing(
    owner_client: Client, organization: Organization, fake: FakeApple
) -> None:
    url = reverse("licensing:token_preview", args=[organization.pk])

    good = owner_client.post(url, {"token": token_file(token_text())})
    bad = owner_client.post(url, {"token": token_file(b"hello?")})

    assert text_of(good) == (
        "This token is of Example Schools and valid until 1 May 2031. Nothing is saved yet."
    )
    assert errors_of(bad) == [f"This is not a service token: it is not Base64 text. {WHERE}"]
    assert not VppAccount.objects.exists()
