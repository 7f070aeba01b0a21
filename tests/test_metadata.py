"""Names and icons from the store: decoration that never stands in the way."""

import pytest
from django.utils import timezone

from apps_catalog.metadata import icon_of, read_item
from apps_catalog.models import App
from licensing.metadata import fetch_for_account
from tests.factories import AppFactory, LicensedAppFactory
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.apple.fake.catalogue import CATALOGUE
from vpp_accounts.models import VppAccount

KNOWN = next(iter(CATALOGUE))


def unnamed(account: VppAccount, adam_id: str) -> App:
    app = AppFactory(adam_id=adam_id, name="", kind="", platforms=[])
    LicensedAppFactory(account=account, app=app)
    return app


def test_a_title_gets_its_name_and_icon(account: VppAccount) -> None:
    app = unnamed(account, KNOWN)

    described = fetch_for_account(account)

    app.refresh_from_db()
    assert (described, app.name, app.metadata_as_of is not None) == (
        1,
        CATALOGUE[KNOWN].name,
        True,
    )
    assert app.icon_url.startswith("https://vpp.apple.test/")


def test_a_title_the_store_does_not_know_stays_without_a_name(account: VppAccount) -> None:
    app = unnamed(account, "999999999")

    described = fetch_for_account(account)

    app.refresh_from_db()
    assert (described, app.name, app.metadata_as_of) == (0, "", None)


def test_it_is_not_asked_for_again_on_the_same_day(account: VppAccount, fake: FakeApple) -> None:
    unnamed(account, "999999999")
    fetch_for_account(account)
    fake.journal.clear()

    fetch_for_account(account)

    assert [entry.path for entry in fake.journal] == []


def test_many_titles_are_asked_for_in_batches(account: VppAccount, fake: FakeApple) -> None:
    for number in range(60):
        unnamed(account, str(910_000_000 + number))

    fetch_for_account(account)

    assert len([entry for entry in fake.journal if "lookup" in entry.path]) == 2


@pytest.mark.parametrize("fault", ["metadata_empty", "metadata_forbidden", "metadata_throttled"])
def test_a_failing_store_changes_nothing(account: VppAccount, fake: FakeApple, fault: str) -> None:
    named = AppFactory(adam_id=KNOWN, name="Known already", metadata_as_of=None)
    LicensedAppFactory(account=account, app=named)
    fake.set_fault(fault)

    fetch_for_account(account)

    named.refresh_from_db()
    assert named.name == "Known already"


def test_fresh_metadata_is_left_alone(account: VppAccount, fake: FakeApple) -> None:
    LicensedAppFactory(account=account, app__metadata_as_of=timezone.now())

    fetch_for_account(account)

    assert len(fake.journal) == 0


@pytest.mark.parametrize(
    ("artwork", "url"),
    [
        (
            [
                {"width": 512, "url": "https://x/512.png"},
                {"width": 100, "url": "https://x/100.png"},
            ],
            "https://x/100.png",
        ),
        ({"width": 1024, "url": "https://x/{w}x{h}bb.{f}"}, "https://x/128x128bb.png"),
        (None, ""),
        ([], ""),
        ([{"width": None}], ""),
    ],
)
def test_both_shapes_of_artwork_are_read(artwork: object, url: str) -> None:
    assert icon_of(artwork) == url


def test_a_name_is_all_that_a_title_needs() -> None:
    item = read_item("1", {"name": "Bare"})

    assert (item.name, item.platforms, item.price, item.icon_url) == ("Bare", (), None, "")
