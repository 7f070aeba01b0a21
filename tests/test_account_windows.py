"""Organization > MDM: editing, renewing, taking over and removing an account, and who may."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from organizations.models import AuditEvent, Network, Organization
from tests import factories
from tests.mdm_forms import DETAILS, FILES, add, at, token_file
from tests.reading import errors_of, text_of
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import AccountState, VppAccount


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        (
            {"allowed_admins": "named"},
            "Choose at least one admin, or choose another of the options.",
        ),
        (
            {"allowed_admins": "networks"},
            "Choose at least one network, or choose another of the options.",
        ),
        (
            {"assignable_networks": "some"},
            "Choose at least one network, or choose another of the options.",
        ),
    ],
)
def test_account_edit_asks_for_the_names_that_a_choice_needs(
    choice: dict, sentence: str, owner_client: Client, account: VppAccount
) -> None:
    response = owner_client.post(at("account_edit", account), DETAILS | choice)

    assert errors_of(response) == [sentence]


def test_account_edit_does_not_take_a_network_of_another_organization(
    owner_client: Client, account: VppAccount
) -> None:
    foreign: Network = factories.NetworkFactory()

    response = owner_client.post(
        at("account_edit", account),
        DETAILS | {"assignable_networks": "some", "assignable_network_list": [foreign.pk]},
    )

    assert errors_of(response) == ["One of these is no longer in this organization: choose again."]


def test_account_edit_changes_what_it_shows(owner_client: Client, account: VppAccount) -> None:
    response = owner_client.post(
        at("account_edit", account),
        DETAILS | {"name": "North campus", "assignable_networks": "none"},
    )

    assert response.status_code == 302
    account.refresh_from_db()
    assert (account.name, account.email, account.assignable_networks) == (
        "North campus",
        "vpp@example.org",
        "none",
    )


def test_account_renew_replaces_the_token_and_nothing_else(
    owner_client: Client, account: VppAccount, fake: FakeApple
) -> None:
    text = fake.issue_token(account.uid, expires="2031-05-01T10:11:12+0000")

    owner_client.post(at("account_renew", account), {"token": token_file(text)})
    page = owner_client.get(reverse("licensing:mdm", args=[account.organization_id]))

    renewed = VppAccount.objects.get()
    assert (renewed.pk, renewed.uuid, renewed.uid, renewed.stoken) == (
        account.pk,
        account.uuid,
        account.uid,
        text,
    )
    assert "Example Schools North: Renewed, valid until 1 May 2031." in text_of(page)


def test_account_renew_refuses_the_token_of_another_location(
    owner_client: Client, account: VppAccount, fake: FakeApple
) -> None:
    south = fake.create_location(name="South")
    before = account.stoken

    response = owner_client.post(
        at("account_renew", account), {"token": token_file(south.issue_token())}
    )

    assert errors_of(response) == [
        "This token belongs to the location “South”, but this account is “North”. Download the token "
        "of “North”, or add “South” with Add new."
    ]
    assert VppAccount.objects.get().stoken == before


def test_account_renew_without_an_answer_of_apple_keeps_the_old_token(
    owner_client: Client, account: VppAccount, fake: FakeApple
) -> None:
    text, before = fake.issue_token(account.uid), account.stoken
    fake.set_fault("refused_connection")

    response = owner_client.post(at("account_renew", account), {"token": token_file(text)})

    assert errors_of(response) == [
        "Apple did not answer, so this token could not be compared with the account's location. The "
        "old token stays; send the new one again in a few minutes."
    ]
    assert VppAccount.objects.get().stoken == before


@pytest.mark.parametrize("kind", FILES)
def test_account_renew_says_what_is_wrong_with_the_file(
    kind: str, owner_client: Client, account: VppAccount, fake: FakeApple
) -> None:
    content, sentence = FILES[kind]

    response = owner_client.post(
        at("account_renew", account), {} if content is None else {"token": token_file(content)}
    )

    assert errors_of(response) == [sentence]


def test_account_take_over_resumes_a_claimed_account(
    owner_client: Client, account: VppAccount, fake: FakeApple
) -> None:
    fake.claim(account.uid, {"id": "other", "name": "Other MDM", "metadata": ""})
    VppAccount.objects.update(
        state=AccountState.CLAIMED, state_reason="“Other MDM” manages this location now."
    )

    offer = owner_client.get(at("account_take_over", account))
    owner_client.post(at("account_take_over", account), {"mdm_id": "other"})

    assert "“Other MDM” manages this location now." in text_of(offer)
    assert '<input type="hidden" name="mdm_id" value="other">' in offer.content.decode()
    taken = VppAccount.objects.get()
    assert (taken.state, taken.take_over_from) == (AccountState.SYNCING, "other")


def test_account_take_over_of_our_own_account_changes_nothing(
    owner_client: Client, account: VppAccount
) -> None:
    before = account.state

    response = owner_client.post(at("account_take_over", account))

    assert "there is nothing to take over" in text_of(response)
    assert VppAccount.objects.get().state == before


def test_account_remove_wants_the_name_typed(owner_client: Client, account: VppAccount) -> None:
    refused = owner_client.post(at("account_remove", account), {"typed_name": "North"})

    assert errors_of(refused) == [
        "Type the name of the account, “Example Schools North”, to remove it."
    ]

    removed = owner_client.post(at("account_remove", account), {"typed_name": account.name})

    assert removed.status_code == 302
    assert not VppAccount.objects.exists()
    assert AuditEvent.objects.filter(action="vpp_account.removed").count() == 1


def test_account_remove_says_what_stops_and_what_stays(
    owner_client: Client, account: VppAccount
) -> None:
    response = owner_client.get(at("account_remove", account))

    assert "What stops Syncing, granting and revoking for this location." in text_of(response)
    assert "What stays The licenses and their assignments at Apple" in text_of(response)


WINDOWS = ["account_edit", "account_renew", "account_take_over", "account_remove"]


@pytest.mark.parametrize("name", WINDOWS)
def test_a_read_only_admin_may_open_no_window(
    name: str, reader_client: Client, account: VppAccount
) -> None:
    answers = [reader_client.get(at(name, account)), reader_client.post(at(name, account))]

    assert [answer.status_code for answer in answers] == [403, 403]


@pytest.mark.parametrize("name", [*WINDOWS, "account_runs", "account_row"])
def test_an_outsider_finds_no_window(
    name: str, outsider_client: Client, outsider, account: VppAccount
) -> None:
    own = outsider.memberships.get().organization_id
    borrowed = reverse(f"licensing:{name}", args=[own, account.pk])

    answers = [outsider_client.get(at(name, account)), outsider_client.get(borrowed)]

    assert [answer.status_code for answer in answers] == [404, 404]


def test_account_add_is_for_full_admins_of_the_organization(
    reader_client: Client, outsider_client: Client, organization: Organization
) -> None:
    urls = [
        reverse(f"licensing:{name}", args=[organization.pk])
        for name in ("account_add", "token_preview")
    ]

    readers = [reader_client.post(url).status_code for url in urls]
    outsiders = [outsider_client.post(url).status_code for url in urls]

    assert (readers, outsiders) == ([403, 403], [404, 404])


def test_the_enter_key_never_takes_over(
    owner_client: Client, organization: Organization, fake: FakeApple
) -> None:
    location = fake.create_location(name="North")
    fake.claim(location.uid, {"id": "other", "name": "Other MDM", "metadata": ""})

    offer = add(owner_client, organization, token=token_file(location.issue_token()))

    form = offer.content.decode().split('enctype="multipart/form-data"')[1]
    buttons = re.findall(r'<button type="submit"[^>]*>([^<]*)</button>', form)
    assert buttons == ["Update", "Take over from “Other MDM”"]


def test_account_add_in_the_dialog_answers_with_the_table_in_its_place(
    owner_client: Client, organization: Organization, fake: FakeApple
) -> None:
    text = fake.create_location(name="North").issue_token()
    address = reverse("licensing:mdm", args=[organization.pk])
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{address}?x=1#accounts"}

    response = owner_client.post(
        reverse("licensing:account_add", args=[organization.pk]),
        DETAILS | {"token": token_file(text)},
        headers=headers,
    )

    account = VppAccount.objects.get()
    shown = response.content.decode()
    assert (response["HX-Retarget"], response["HX-Reswap"], response["HX-Trigger"]) == (
        "#accounts",
        "outerHTML",
        "close-window, work-started",
    )
    assert f'id="account-{account.pk}"' in shown
    assert 'hx-trigger="every 1s"' in shown
    assert 'id="messages"' in shown


def test_account_renew_in_the_dialog_of_another_page_leads_to_the_table(
    owner_client: Client, account: VppAccount, fake: FakeApple
) -> None:
    text = fake.issue_token(account.uid)
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/organizations/1/"}

    response = owner_client.post(
        at("account_renew", account), {"token": token_file(text)}, headers=headers
    )

    assert response.status_code == 204
    assert response["HX-Redirect"] == reverse("licensing:mdm", args=[account.organization_id])


def test_a_window_is_a_page_of_its_own_without_javascript(
    owner_client: Client, organization: Organization
) -> None:
    url = reverse("licensing:account_add", args=[organization.pk])

    page, dialog = owner_client.get(url), owner_client.get(url, headers={"HX-Request": "true"})

    assert page.content.decode().count("<html") == 1
    assert dialog.content.decode().count("<html") == 0
    assert 'id="window-title">Add VPP account</h2>' in dialog.content.decode()


def test_account_runs_tells_the_last_syncs(owner_client: Client, account: VppAccount) -> None:
    now = timezone.now()
    finished = {"started_at": now - timedelta(seconds=2), "finished_at": now, "phase": "done"}
    factories.SyncRunFactory(
        account=account, outcome="succeeded", counts={"titlesAdded": 3, "titlesGone": 0}, **finished
    )
    factories.SyncRunFactory(account=account, outcome="succeeded", counts={}, **finished)
    factories.SyncRunFactory(
        account=account,
        outcome="failed",
        message="Apple cannot be reached.",
        error_number=9603,
        **finished,
    )

    shown = text_of(owner_client.get(at("account_runs", account)))

    assert "3 titles added" in shown
    assert "Nothing changed" in shown
    assert "Failed Apple cannot be reached. Apple's number 9603" in shown
    assert "took 2.0 s" in shown
