"""Every page of the URLconf, asked by everybody. A new URL without a line in the table fails here."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from organizations.models import Admin, Network, Organization
from tests.conftest import signed_in
from tests.factories import (
    AssignmentFactory,
    BatchFactory,
    BatchItemFactory,
    BatchPlanFactory,
    ImportRowFactory,
    LicensedAppFactory,
    MembershipFactory,
    NetworkAccessFactory,
    NetworkFactory,
    OwnerFactory,
    PeopleImportFactory,
    VppUserFactory,
)
from vpp_accounts.models import VppAccount

# Pages that belong to no organization, and whoever answers them.
PUBLIC = (
    *("", "accounts/", "alarms-off/", "api/", "demo/", "health/", "i/", "notifications/", "^api"),
)

ONLY_POST = {
    "account_notifications_try_again",
    "account_sync",
    "batch_cancel",
    "batch_retry",
    "foreign_changes_seen",
    "import_cancel",
    "import_confirm",
    "invitation_test_mail",
    "token_preview",
    "user_invite",
    "user_register",
}
REDIRECTS = {"vpp"}
OWN = {"alarms", "foreign_changes_seen"}  # change nothing but the admin's own record
SECRET = "Value only their row has"


@dataclass(frozen=True)
class Route:
    name: str
    pattern: str

    @property
    def names_a_row(self) -> bool:
        return self.pattern.count("<") > 1


def routes() -> list[Route]:
    found = [
        Route(pattern.name or "", prefix + str(pattern.pattern))
        for prefix, pattern in _walk(get_resolver())
    ]
    return [route for route in found if route.pattern and not route.pattern.startswith(PUBLIC[1:])]


def _walk(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _walk(entry, prefix + str(entry.pattern))
        else:
            yield prefix, entry


ROUTES = routes()
IDS = [route.name for route in ROUTES]


@pytest.fixture
def rows(organization: Organization, account: VppAccount) -> dict[str, object]:
    """A row for every argument that a URL may name."""
    title = LicensedAppFactory(account=account, app__name=SECRET)
    held = AssignmentFactory(licensed_app=title)
    VppAccount.objects.filter(pk=account.pk).update(name=SECRET)
    network = NetworkFactory(organization=organization, name=SECRET)
    batch = BatchFactory(account=account, about=SECRET)
    BatchItemFactory(batch=batch, licensed_app=title, state="waiting")
    plan = BatchPlanFactory(account=account, title=title)
    user = VppUserFactory(account=account, name=SECRET, email=f"{SECRET}@example.org")
    people_import = PeopleImportFactory(organization=organization, file_name=SECRET)
    ImportRowFactory(people_import=people_import, name=SECRET)
    person = OwnerFactory(organization=organization, name=SECRET)
    return {
        "<int:organization_id>": organization.pk,
        "<int:account_id>": account.pk,
        "<int:batch_id>": batch.pk,
        "<int:network_id>": network.pk,
        "<int:owner_id>": person.pk,
        "<path:holder>": held.holder,
        "<slug:adam_id>": title.adam_id,
        "<slug:holder_kind>": held.holder_kind,
        "<int:user_id>": user.pk,
        "<slug:pricing_param>": title.pricing_param,
        "<uuid:import_id>": people_import.pk,
        "<uuid:plan_id>": plan.pk,
    }


def url_of(route: Route, rows: dict[str, object], **changes: object) -> str:
    url = "/" + route.pattern
    for argument, value in (rows | changes).items():
        url = url.replace(argument, str(value))
    assert "<" not in url, f"{route.pattern}: add a row for its arguments above."
    return url


def is_hidden(*answers: HttpResponse) -> bool:
    """Not found by any method; 405 is said to everybody before any row is looked at."""
    codes = {answer.status_code for answer in answers}
    return 404 in codes and codes <= {404, 405}


@pytest.mark.parametrize("route", ROUTES, ids=IDS)
def test_the_organizations_own_admin_finds_the_page(route, rows, owner_client: Client) -> None:
    """Without this, a mistyped URL would make the next tests pass for the wrong reason."""
    expected = 405 if route.name in ONLY_POST else 302 if route.name in REDIRECTS else 200

    assert owner_client.get(url_of(route, rows)).status_code == expected


@pytest.mark.parametrize("route", ROUTES, ids=IDS)
def test_an_outsider_does_not(route, rows, outsider_client: Client) -> None:
    url = url_of(route, rows)

    assert is_hidden(outsider_client.get(url), outsider_client.post(url))


@pytest.mark.parametrize("route", ROUTES, ids=IDS)
def test_rows_cannot_be_borrowed_through_ones_own_organization(
    route, rows, outsider: Admin, outsider_client: Client
) -> None:
    """The URL names the outsider's own organization, but someone else's row."""
    own = outsider.memberships.get().organization
    url = url_of(route, rows, **{"<int:organization_id>": own.pk})

    answers = [outsider_client.get(url), outsider_client.post(url)]

    if route.names_a_row:
        assert is_hidden(*answers)
    assert all(SECRET not in answer.content.decode() for answer in answers)


@pytest.mark.parametrize("route", ROUTES, ids=IDS)
def test_a_reader_looks_and_changes_nothing(route, rows, reader_client: Client) -> None:
    url = url_of(route, rows)

    looked, changed = reader_client.get(url), reader_client.post(url)

    assert looked.status_code in (200, 302, 403, 405)
    assert changed.status_code in ((302,) if route.name in OWN else (403, 405))


@pytest.mark.parametrize("route", ROUTES, ids=IDS)
def test_nobody_is_sent_to_sign_in(route, rows, client: Client) -> None:
    for answer in (client.get(url_of(route, rows)), client.post(url_of(route, rows))):
        assert answer.status_code in (302, 405)
        assert answer.get("Location", "/accounts/login/").startswith("/accounts/login/")


@pytest.mark.parametrize("route", ROUTES, ids=IDS)
def test_a_network_admin_sees_nothing_of_other_networks(
    route, rows, organization: Organization
) -> None:
    """Their own network is another one, and the account is for full admins."""
    membership = MembershipFactory(organization=organization, access="none")
    own = NetworkFactory(organization=organization, name="Their own")
    NetworkAccessFactory(membership=membership, network=own)
    client = signed_in(membership.admin)

    for answer in (client.get(url_of(route, rows)), client.post(url_of(route, rows))):
        assert answer.status_code in (200, 302, 403, 404, 405)
        assert SECRET not in answer.content.decode()


def test_an_inactive_admin_is_out(organization: Organization, owner: Admin) -> None:
    client = signed_in(owner)
    Admin.objects.filter(pk=owner.pk).update(is_active=False)

    assert client.get(f"/organizations/{organization.pk}/mdm/").status_code == 302
    assert Network.objects.count() == 0


def test_a_network_admin_without_an_account_is_told_whom_to_ask(
    account: VppAccount, organization: Organization
) -> None:
    membership = MembershipFactory(organization=organization, access="none")
    client = signed_in(membership.admin)

    overview = client.get(f"/organizations/{organization.pk}/").content.decode()
    vpp = client.get(f"/organizations/{organization.pk}/manage/vpp/licensed-applications/")

    assert "No VPP account is open to you" in overview
    assert "No account is open to you" in vpp.content.decode()
    assert account.name not in overview + vpp.content.decode()
