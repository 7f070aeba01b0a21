"""Organization > MDM: the table of Apple VPP accounts and their states."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from licensing.models.apps import UNLIMITED
from organizations.models import Membership, Organization
from tests import factories
from tests.mdm_table import cells_of, page_of
from tests.reading import text_of, words
from vpp_accounts.models import AccountState, VppAccount
from vpp_accounts.states import WORDS


@pytest.fixture
def synced(account: VppAccount) -> VppAccount:
    account.state = AccountState.IN_SYNC
    account.last_synced_at = timezone.now()
    account.save()
    return account


def test_mdm_leads_through_three_steps_when_there_is_no_account(
    owner_client: Client, organization: Organization
) -> None:
    shown = text_of(owner_client.get(page_of(organization)))

    assert "Three steps to the first licenses" in shown
    assert "Content Tokens" in shown
    assert "organizational unit" in shown


def test_mdm_shows_what_is_known_of_an_account(owner_client: Client, synced: VppAccount) -> None:
    factories.LicensedAppFactory(account=synced, total_count=1500, available_count=1200)
    factories.LicensedAppFactory(account=synced, total_count=10, available_count=3)
    factories.LicensedAppFactory(account=synced, total_count=UNLIMITED, available_count=UNLIMITED)
    factories.LicensedAppFactory(account=synced, gone_at=timezone.now())

    cells = cells_of(owner_client, synced)

    as_of = cells["Titles, available licenses"].split("unlimited ")[1]
    assert re.fullmatch(r"as of \d\d:\d\d Unknown holders : Example Schools North", as_of)
    assert cells["Titles, available licenses"] == f"3 titles 1,203 available, 1 unlimited {as_of}"
    assert cells["Name and email"] == "Example Schools North vpp@example.org"
    assert cells["Location, organization at Apple"] == "North (US) Example Schools"
    assert cells["Allowed admins, assignable networks"] == "All All"
    assert cells["State"].startswith("In sync since today")


def test_mdm_says_who_and_which_networks_were_chosen(
    owner_client: Client, synced: VppAccount, owner, reader
) -> None:
    north = factories.NetworkFactory(organization=synced.organization, name="North")
    south = factories.NetworkFactory(organization=synced.organization, name="South")
    synced.allowed_admins, synced.assignable_networks = "networks", "some"
    synced.save()
    synced.allowed_networks.set([north])
    synced.assignable_network_list.set([north, south])

    chosen = cells_of(owner_client, synced)

    both = "Allowed admins, assignable networks"
    assert chosen[both] == "Admins of North 2 networks : North, South"

    synced.allowed_admins, synced.assignable_networks = "named", "none"
    synced.save()
    synced.named_admins.set([owner])

    named = cells_of(owner_client, synced)

    assert named[both].startswith(f"{owner.name} — : No network")


@pytest.mark.parametrize(
    ("left", "shown"),
    [
        (timedelta(days=200, hours=1), "200 days left"),
        (timedelta(days=12, hours=1), "12 days left"),
        (timedelta(days=1, hours=1), "1 day left"),
        (timedelta(hours=5), "Less than a day left"),
        (timedelta(hours=-5), "Expired"),
    ],
)
def test_mdm_counts_the_days_of_the_token(
    left: timedelta, shown: str, owner_client: Client, synced: VppAccount
) -> None:
    synced.token_expires_at = timezone.now() + left
    synced.save()

    assert cells_of(owner_client, synced)["Token expires"].endswith(shown)


def test_every_state_has_its_words() -> None:
    assert set(WORDS) == set(AccountState)


@pytest.mark.parametrize("state", [state for state in AccountState if WORDS[state].needs_a_person])
def test_mdm_says_what_to_do_about_a_state(
    state: AccountState, owner_client: Client, synced: VppAccount
) -> None:
    synced.state, synced.state_reason = state, "Because of something."
    synced.save()
    words = WORDS[state]

    page = owner_client.get(page_of(synced.organization))

    assert cells_of(owner_client, synced)["State"].startswith(f"{state.label} since")
    assert f"Because of something. {words.what_to_do}" in text_of(page)
    fix = reverse(words.action_url, args=[synced.organization_id, synced.pk])
    assert f'href="{fix}"' in page.content.decode()


def test_mdm_hides_the_licenses_from_admins_who_are_not_allowed(
    owner_client: Client, synced: VppAccount, reader
) -> None:
    factories.LicensedAppFactory(account=synced)
    synced.allowed_admins = "named"
    synced.save()
    synced.named_admins.set([reader])

    cells = cells_of(owner_client, synced)
    renew = reverse("licensing:account_renew", args=[synced.organization_id, synced.pk])

    assert cells["Titles, available licenses"].startswith("—")
    assert owner_client.get(renew).status_code == 200


def test_mdm_shows_a_read_only_admin_every_control_disabled_with_the_reason(
    reader_client: Client, synced: VppAccount
) -> None:
    page = reader_client.get(page_of(synced.organization)).content.decode()

    buttons = re.findall(
        r'<button[^>]*aria-disabled="true"[^>]*title="You[^"]*full admin of the organization can do it\."[^>]*>(.*?)</button>',
        page,
        re.DOTALL,
    )
    labels = [words(button) for button in buttons]
    assert labels == ["Add new", "Sync now", "", ""]  # the last two are icons: Edit, Remove
    assert "<form" not in page.split('id="accounts"')[1]


def test_mdm_shows_a_network_admin_only_the_accounts_opened_to_them(synced: VppAccount) -> None:
    access = factories.NetworkAccessFactory(
        membership__organization=synced.organization, network__organization=synced.organization
    )
    client = Client()
    client.force_login(access.membership.admin)

    before = text_of(client.get(page_of(synced.organization)))
    synced.allowed_admins = "networks"
    synced.save()
    synced.allowed_networks.set([access.network])
    after = text_of(client.get(page_of(synced.organization)))

    assert (synced.name in before, synced.name in after) == (False, True)


def test_mdm_is_not_there_for_an_outsider(outsider_client: Client, synced: VppAccount) -> None:
    assert outsider_client.get(page_of(synced.organization)).status_code == 404


@pytest.mark.parametrize("accounts", [1, 5])
def test_mdm_costs_the_same_for_any_number_of_accounts(
    accounts: int,
    owner_client: Client,
    organization: Organization,
    django_assert_max_num_queries,
) -> None:
    for account in factories.VppAccountFactory.create_batch(accounts, organization=organization):
        factories.LicensedAppFactory(account=account)
        factories.SyncRunFactory(account=account)
        account.named_admins.set([Membership.objects.get().admin])

    with django_assert_max_num_queries(13) as queries:
        owner_client.get(page_of(organization))

    assert len(queries) == QUERIES


QUERIES = 13
