"""In which organization a statement works: through transactions, streams, threads, tasks, errors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection, connections, transaction
from django.db.utils import DataError, ProgrammingError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory

from organizations import tenancy
from organizations.access import membership_or_404
from organizations.lists import keyset
from organizations.models import Admin, Network, Organization
from organizations.tenancy import TenancyMiddleware
from tests import factories
from tests.conftest import signed_in
from tests.database import serving
from vpp_accounts import lookups
from vpp_accounts.models import SyncRun, VppAccount
from vpp_accounts.tasks import check_claimed_account

NOWHERE: list[str] = []
COMMITTED = pytest.mark.django_db(transaction=True, databases=["default", "system", "owner"])


@pytest.fixture
def here(db: None) -> int:
    return _organization("Here")


@pytest.fixture
def there(db: None) -> int:
    return _organization("There")


def _organization(name: str) -> int:
    network = factories.NetworkFactory(organization__name=name, name=f"{name} campus")
    return int(network.organization_id)


def seen() -> list[str]:
    """Of all networks, as the application's role."""
    with serving():
        return sorted(Network.objects.values_list("name", flat=True))


# --- Scopes ---------------------------------------------------------------------------------------


def test_nowhere_nothing_is_seen(here: int) -> None:
    assert seen() == NOWHERE


def test_one_inside_another_sees_its_own_and_goes_back(here: int, there: int) -> None:
    with tenancy.inside(here):
        before = seen()
        with tenancy.inside(there):
            within = seen()
            with tenancy.inside(None):
                nowhere = seen()
        after = seen()

    assert (before, within, nowhere, after) == (
        ["Here campus"],
        ["There campus"],
        NOWHERE,
        ["Here campus"],
    )
    assert seen() == NOWHERE


def test_an_error_on_the_way_leaves_no_scope_behind(here: int, there: int) -> None:
    with suppress(PermissionDenied), tenancy.inside(here):
        with suppress(LookupError), tenancy.inside(there):
            raise LookupError
        back = seen()
        raise PermissionDenied

    assert (back, seen()) == (["Here campus"], NOWHERE)


def test_among_adds_reading_of_a_few_tables_and_no_writing(here: int, there: int) -> None:
    with tenancy.inside(here), tenancy.among([here, there]):
        read = seen()
        written = Network.objects.update(notes="Written")

    assert (read, written) == (["Here campus", "There campus"], 1)


# --- Transactions ---------------------------------------------------------------------------------


def test_after_a_savepoint_is_rolled_back_the_scope_is_told_again(here: int, there: int) -> None:
    with tenancy.inside(here):
        with suppress(LookupError), transaction.atomic(), tenancy.inside(there):
            within = seen()
            raise LookupError
        after = seen()

    assert (within, after, seen()) == (["There campus"], ["Here campus"], NOWHERE)


def test_a_scope_that_begins_in_a_savepoint_ends_with_it(here: int, there: int) -> None:
    """The server forgets with the savepoint what was told within: as if nobody had said so."""
    with tenancy.inside(here), suppress(LookupError), transaction.atomic():
        seen()
        raise LookupError
    nowhere = seen()

    with tenancy.inside(there), suppress(LookupError), transaction.atomic():
        with transaction.atomic():
            seen()
        raise LookupError

    assert (nowhere, seen()) == (NOWHERE, NOWHERE)


def test_after_a_statement_that_the_database_refused(here: int) -> None:
    with tenancy.inside(here):
        with suppress(DataError), transaction.atomic():
            Network.objects.filter(pk=1).extra(where=["1 / 0 = 1"]).exists()
        after = seen()

    assert (after, seen()) == (["Here campus"], NOWHERE)


def test_nothing_is_written_into_another_organization(here: int, there: int) -> None:
    theirs = Network(organization_id=there, name="Put there from here")
    refused = pytest.raises(ProgrammingError, match="row-level security")

    with tenancy.inside(here), refused, transaction.atomic():
        theirs.save()
    with tenancy.inside(here), refused, transaction.atomic():
        Network.objects.update(organization_id=there)

    with tenancy.inside(there):
        assert seen() == ["There campus"]


@COMMITTED
def test_a_whole_transaction_rolled_back_and_a_new_connection() -> None:
    here, there = _organization("Here"), _organization("There")

    with tenancy.inside(here):
        with suppress(LookupError), transaction.atomic(), tenancy.inside(there):
            within = seen()
            raise LookupError
        rolled_back = seen()
        connection.close()
        connected_again = seen()

    assert (within, rolled_back, connected_again) == (
        ["There campus"],
        ["Here campus"],
        ["Here campus"],
    )
    assert seen() == NOWHERE


@COMMITTED
def test_two_threads_are_each_in_their_own_place() -> None:
    """And a new one begins nowhere, whatever the thread that started it was doing."""
    here, there = _organization("Here"), _organization("There")
    both_inside = threading.Barrier(2, timeout=10)
    told: dict[str, list[list[str]]] = {"here": [], "there": []}

    def work(name: str, organization_id: int) -> None:
        try:
            told[name].append(seen())
            with tenancy.inside(organization_id):
                told[name].append(seen())
                both_inside.wait()
                told[name].append(seen())
        finally:
            connections.close_all()

    with tenancy.inside(here):
        threads = [
            threading.Thread(target=work, args=pair) for pair in (("here", here), ("there", there))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert told == {
        "here": [NOWHERE, ["Here campus"], ["Here campus"]],
        "there": [NOWHERE, ["There campus"], ["There campus"]],
    }


# --- Requests -------------------------------------------------------------------------------------


def admin_of(organization_id: int) -> Client:
    organization = Organization.objects.get(pk=organization_id)
    return signed_in(factories.MembershipFactory(organization=organization).admin)


def account_in(organization_id: int) -> VppAccount:
    organization = Organization.objects.get(pk=organization_id)
    account: VppAccount = factories.VppAccountFactory(organization=organization, state="claimed")
    return account


def bare_request(admin: Admin | None = None) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = admin
    return request


def test_the_connection_of_a_request_serves_the_next_of_another_organization(
    here: int, there: int
) -> None:
    ours, theirs = admin_of(here), admin_of(there)

    answers = [
        client.get(f"/organizations/{organization_id}/networks/").content.decode()
        for _ in range(2)
        for client, organization_id in ((ours, here), (theirs, there))
    ]

    found = [[name for name in ("Here campus", "There campus") if name in each] for each in answers]
    assert found == [["Here campus"], ["There campus"]] * 2
    assert seen() == NOWHERE


def test_a_request_begins_nowhere_and_leaves_things_as_they_were(here: int, there: int) -> None:
    told: list[list[str]] = []

    def view(request: HttpRequest) -> HttpResponse:
        told.append(seen())
        tenancy.enter(there)
        told.append(seen())
        return HttpResponse()

    with tenancy.inside(here):
        TenancyMiddleware(view)(bare_request())
        told.append(seen())

    assert told == [NOWHERE, ["There campus"], ["Here campus"]]


def test_a_request_that_ends_in_an_error_leaves_nothing_behind(here: int) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        tenancy.enter(here)
        raise LookupError(seen())

    with pytest.raises(LookupError, match="Here campus"):
        TenancyMiddleware(view)(bare_request())

    assert seen() == NOWHERE


def test_a_door_that_stays_shut_leaves_again(here: int, outsider: Admin) -> None:
    with suppress(Exception):
        membership_or_404(outsider, here)

    assert seen() == NOWHERE


@pytest.mark.parametrize("number", [2**63, 10**30])
def test_a_number_that_no_organization_can_have_is_not_there(
    owner_client: Client, number: int
) -> None:
    answer = owner_client.get(f"/organizations/{number}/networks/")

    assert answer.status_code == 404


def test_what_is_streamed_is_made_where_the_request_was(here: int, there: int) -> None:
    """Chunk by chunk, while the same thread serves others in between; also to its end."""
    streams = []
    for organization_id in (here, there):

        def view(request: HttpRequest, where: int = organization_id) -> StreamingHttpResponse:
            tenancy.enter(where)
            return StreamingHttpResponse(",".join(seen()) + ";" for _ in range(3))

        streams.append(iter(TenancyMiddleware(view)(bare_request())))

    told = list(chain.from_iterable(zip(*streams, strict=True)))

    assert told == [b"Here campus;", b"There campus;"] * 3
    assert seen() == NOWHERE


def test_a_stream_that_fails_or_is_given_up_leaves_nothing_behind(here: int) -> None:
    def lines() -> Iterator[str]:
        yield "first"
        raise LookupError

    def view(request: HttpRequest) -> StreamingHttpResponse:
        tenancy.enter(here)
        return StreamingHttpResponse(lines())

    broken, given_up = (iter(TenancyMiddleware(view)(bare_request())) for _ in range(2))
    first = next(given_up)
    del given_up
    with pytest.raises(LookupError):
        b"".join(broken)

    assert (first, seen()) == (b"first", NOWHERE)


def test_a_long_csv_of_one_organization_while_another_one_is_served(
    here: int, there: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several chunks, each asked from the database when the last one was sent."""
    monkeypatch.setitem(keyset.iter_chunks.__kwdefaults__, "size", 2)
    clients = []
    for organization_id, name in ((here, "Here"), (there, "There")):
        account = account_in(organization_id)
        for number in range(5):
            factories.LicensedAppFactory(account=account, app__name=f"{name} title {number}")
        clients.append(admin_of(organization_id))
    paths = [
        f"/organizations/{each}/manage/vpp/licensed-applications/?format=csv"
        for each in (here, there)
    ]

    ours, theirs = (iter(client.get(path)) for client, path in zip(clients, paths, strict=True))
    mixed = list(zip(ours, theirs, strict=True))

    texts = [b"".join(parts).decode() for parts in zip(*mixed, strict=True)]
    assert len(mixed) > 3
    assert [(text.count("Here title"), text.count("There title")) for text in texts] == [
        (5, 0),
        (0, 5),
    ]


# --- Tasks ----------------------------------------------------------------------------------------


def test_a_task_works_where_its_row_is_and_the_next_one_where_its_own_is(
    here: int, there: int, fake: object
) -> None:
    ours, theirs = account_in(here), account_in(there)

    told = []
    for account in (ours, theirs, ours):
        check_claimed_account(account_id=account.pk)
        told.append((seen(), lookups.account.organization(account.pk)))

    assert told == [(NOWHERE, here), (NOWHERE, there), (NOWHERE, here)]


def test_a_task_about_a_row_that_is_gone_does_nothing_anywhere(here: int, fake: object) -> None:
    check_claimed_account(account_id=4711)

    with tenancy.inside(here):
        assert (Organization.objects.count(), SyncRun.objects.count()) == (1, 0)
