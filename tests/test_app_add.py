"""Manage > Apps > Add new: found in the store or among the licenses, and added to networks."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client, TestCase

from apps_catalog.models import App, ManagedApp, StoreSearch
from apps_catalog.tasks import search_store
from licensing.models import LicensedApp
from organizations.models import AuditEvent, Network
from tests import factories
from tests.conftest import signed_in
from tests.draining import synced
from tests.managed import MATH, School, school
from tests.reading import errors_of, text_of
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

LAYOUT, SPELLING, PHONICS = "1512209973", "1203518844", "1203518907"


@pytest.fixture
def oakmont(fake: FakeApple, account: VppAccount) -> School:
    return school(fake, account)


def search(client: Client, oakmont: School, term: str, platform: str = "iOS") -> HttpResponse:
    """The page on which whoever searches lands, after a worker has answered."""
    with TestCase.captureOnCommitCallbacks(execute=False):
        response = client.post(
            oakmont.below(f"add/?platform={platform}"), {"term": term, "country": "US"}
        )
    search_store(search_id=str(StoreSearch.objects.latest("asked_at").pk))
    return client.get(response["Location"])


def bought(oakmont: School, adam_id: str) -> LicensedApp:
    oakmont.fake.purchase(oakmont.account.uid, adam_id, quantity=5)
    return synced(oakmont.account)[adam_id]


def choice(oakmont: School, adam_id: str) -> str:
    found = StoreSearch.objects.latest("asked_at")
    query = f"platform={found.platform}&search={found.pk}&adam={adam_id}"
    return oakmont.below(f"add/networks/?{query}")


# --- Finding ----------------------------------------------------------------------------------------


def test_who_searches_waits_until_a_worker_has_answered(
    oakmont: School, owner_client: Client
) -> None:
    asked = owner_client.post(oakmont.below("add/"), {"term": "wordgrove", "country": "US"})
    found = StoreSearch.objects.get()
    waiting = owner_client.get(asked["Location"])
    poll = oakmont.below(f"add/search/{found.pk}/")
    still = owner_client.get(poll)
    search_store(search_id=str(found.pk))
    answered = owner_client.get(poll)

    assert "Asking Apple's store in US for wordgrove" in text_of(waiting)
    assert 'hx-trigger="every 1s"' in still.content.decode()
    assert "Wordgrove Spelling Wordgrove Ltd · $3.99 · co.wordgrove.spelling" in text_of(answered)
    assert "hx-trigger" not in answered.content.decode()


def test_a_failure_of_the_store_stands_on_the_page(oakmont: School, owner_client: Client) -> None:
    oakmont.fake.set_fault("metadata_throttled")

    page = search(owner_client, oakmont, "wordgrove")

    assert page.status_code == 200
    assert "Apple's store takes no more searches just now." in text_of(page)


def test_nothing_found_says_what_else_to_try(oakmont: School, owner_client: Client) -> None:
    page = text_of(search(owner_client, oakmont, "no such app"))

    assert "The store in US knows no such app for this platform." in page


def test_an_empty_search_is_not_asked(oakmont: School, owner_client: Client) -> None:
    response = owner_client.post(oakmont.below("add/"), {"term": " ", "country": "US"})

    assert errors_of(response) == ["Type a name, a bundle ID, an Adam ID or a link."]
    assert not StoreSearch.objects.exists()


@pytest.mark.parametrize(
    "address", ["add/?q=%00", f"add/networks/?title={'9' * 5000}", "add/networks/?title=%00"]
)
def test_an_address_that_nobody_wrote_is_no_error(
    oakmont: School, owner_client: Client, address: str
) -> None:
    response = owner_client.get(oakmont.below(address), follow=True)

    assert response.status_code == 200


def test_the_store_of_the_accounts_country_is_asked(oakmont: School, owner_client: Client) -> None:
    factories.VppAccountFactory(organization=oakmont.organization, country="DE")

    page = owner_client.get(oakmont.below("add/"))

    assert page.context["form"].fields["country"].choices == [("DE", "DE"), ("US", "US")]


def test_licenses_of_apps_that_are_not_deployed_are_offered(
    oakmont: School, owner_client: Client
) -> None:
    bought(oakmont, SPELLING)
    bought(oakmont, LAYOUT)
    bought(oakmont, "1807751082")  # a book

    ios = owner_client.get(oakmont.below("add/"))
    mac = owner_client.get(oakmont.below("add/?platform=macOS"))

    assert [each.title.adam_id for each in ios.context["titles"]] == [SPELLING]
    assert [each.title.adam_id for each in mac.context["titles"]] == [LAYOUT]
    assert "5 left in Example Schools North" in text_of(ios)


def test_a_title_stays_offered_while_a_network_lacks_it(
    oakmont: School, owner_client: Client
) -> None:
    factories.NetworkFactory(organization=oakmont.organization, name="Elm")

    page = owner_client.get(oakmont.below("add/"))

    assert [each.title.adam_id for each in page.context["titles"]] == [MATH]


# --- Adding -----------------------------------------------------------------------------------------


def test_a_result_is_added_to_several_networks(oakmont: School, owner_client: Client) -> None:
    bought(oakmont, SPELLING)
    elm = factories.NetworkFactory(organization=oakmont.organization, name="Elm")
    search(owner_client, oakmont, "spelling")

    response = owner_client.post(
        choice(oakmont, SPELLING), {"networks": [oakmont.network.pk, elm.pk]}, follow=True
    )

    assert "Wordgrove Spelling is added to 2 networks." in text_of(response)
    added = ManagedApp.objects.filter(adam_id=SPELLING).order_by("network__name")
    assert [
        (str(app), app.network.name, app.scope_operator, app.purchase_method) for app in added
    ] == [
        ("Wordgrove Spelling", "Elm", "none", "device"),
        ("Wordgrove Spelling", "Oakmont", "none", "device"),
    ]
    drawn = {pk for app in added for pk in app.accounts.values_list("account", flat=True)}
    assert drawn == {oakmont.account.pk}
    assert AuditEvent.objects.filter(action="managed_app.added").count() == 2


def test_a_title_of_the_licenses_is_added(oakmont: School, owner_client: Client) -> None:
    title = bought(oakmont, LAYOUT)
    url = oakmont.below(f"add/networks/?title={title.pk}")

    page = owner_client.get(url)
    response = owner_client.post(url, {"networks": [oakmont.network.pk]})

    app = ManagedApp.objects.get(adam_id=LAYOUT)
    assert "macOS App Store app" in text_of(page)
    assert response["Location"] == oakmont.below(f"{app.pk}/")
    assert (app.platform, app.app) == ("macOS", title.app)


def test_a_free_app_starts_with_a_device_license(oakmont: School, owner_client: Client) -> None:
    search(owner_client, oakmont, "1092235680")

    owner_client.post(choice(oakmont, "1092235680"), {"networks": [oakmont.network.pk]})

    app = ManagedApp.objects.get(adam_id="1092235680")
    assert (app.purchase_method, app.app.price, app.accounts.count()) == ("device", 0, 0)


def test_an_app_is_added_to_a_network_once(oakmont: School, owner_client: Client) -> None:
    search(owner_client, oakmont, MATH)

    page = owner_client.get(choice(oakmont, MATH))
    response = owner_client.post(choice(oakmont, MATH), {"networks": [oakmont.network.pk]})

    assert "Already there: Oakmont" in text_of(page)
    assert errors_of(response) == ["One of these is no longer there: choose again."]
    assert ManagedApp.objects.count() == 1


def test_a_network_has_to_be_chosen(oakmont: School, owner_client: Client) -> None:
    search(owner_client, oakmont, "spelling")

    response = owner_client.post(choice(oakmont, SPELLING), {})

    assert errors_of(response) == ["Choose at least one network whose devices are to get the app."]
    assert not App.objects.filter(adam_id=SPELLING).exists()


def test_what_is_not_among_the_results_cannot_be_chosen(
    oakmont: School, owner_client: Client
) -> None:
    search(owner_client, oakmont, "spelling")

    response = owner_client.get(choice(oakmont, LAYOUT))

    assert response["Location"] == oakmont.below("add/?platform=iOS")


def test_an_account_that_serves_other_networks_is_not_drawn_from(
    oakmont: School, owner_client: Client
) -> None:
    elm = factories.NetworkFactory(organization=oakmont.organization, name="Elm")
    oakmont.account.assignable_networks = "some"
    oakmont.account.save()
    oakmont.account.assignable_network_list.set([elm])
    title = bought(oakmont, SPELLING)

    owner_client.post(
        oakmont.below(f"add/networks/?title={title.pk}"),
        {"networks": [oakmont.network.pk, elm.pk]},
    )

    drawn = {
        app.network.name: app.accounts.count()
        for app in ManagedApp.objects.filter(adam_id=SPELLING).select_related("network")
    }
    assert drawn == {"Elm": 1, "Oakmont": 0}


# --- Who may ----------------------------------------------------------------------------------------


def test_an_admin_of_a_network_adds_to_theirs_only(oakmont: School) -> None:
    elm = factories.NetworkFactory(organization=oakmont.organization, name="Elm")
    access = factories.NetworkAccessFactory(
        membership__organization=oakmont.organization, network=elm
    )
    client = signed_in(access.membership.admin)
    search(client, oakmont, "spelling")

    page = text_of(client.get(choice(oakmont, SPELLING)))
    refused = client.post(choice(oakmont, SPELLING), {"networks": [oakmont.network.pk]})
    client.post(choice(oakmont, SPELLING), {"networks": [elm.pk]})

    assert ("Elm" in page, "Oakmont" in page) == (True, False)
    assert errors_of(refused) == ["One of these is no longer there: choose again."]
    added = ManagedApp.objects.filter(adam_id=SPELLING)
    assert list(added.values_list("network", flat=True)) == [elm.pk]


def test_licenses_that_are_not_open_to_them_are_not_offered(oakmont: School) -> None:
    elm = factories.NetworkFactory(organization=oakmont.organization, name="Elm")
    access = factories.NetworkAccessFactory(
        membership__organization=oakmont.organization, network=elm
    )
    client = signed_in(access.membership.admin)

    page = client.get(oakmont.below("add/"))
    chosen = client.get(oakmont.below(f"add/networks/?title={oakmont.title.pk}"))

    assert page.context["titles"] == []
    assert chosen["Location"] == oakmont.below("add/?platform=iOS")


@pytest.mark.parametrize("path", ["add/", "add/networks/"])
def test_a_reader_adds_nothing(oakmont: School, reader_client: Client, path: str) -> None:
    assert reader_client.get(oakmont.below(path)).status_code == 403
    assert reader_client.post(oakmont.below(path)).status_code == 403


def test_another_organizations_search_is_not_found(
    oakmont: School, owner_client: Client, outsider_client: Client
) -> None:
    search(owner_client, oakmont, "spelling")
    found = StoreSearch.objects.get()
    theirs = factories.Membership.objects.get(admin__email="outsider@example.net").organization_id

    stolen = outsider_client.get(f"/organizations/{theirs}/manage/apps/add/search/{found.pk}/")

    assert stolen.status_code == 404
    assert Network.objects.filter(organization=theirs).count() == 0
