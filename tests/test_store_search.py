"""Searching Apple's store: asked by a page, answered by a worker, shared for an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import TestCase

from apps_catalog import store
from apps_catalog.models import App, StoreSearch
from apps_catalog.store.asking import NothingToSearch, TermTooLong, TooManySearches
from apps_catalog.store.choosing import NotAmongTheResults
from apps_catalog.store.reading import read_results
from apps_catalog.store.terms import Question, questions_of
from apps_catalog.tasks import ring_waiting_searches, search_store
from organizations.models import Organization
from tests import factories
from vpp_accounts.apple.fake import FakeApple

MATH, MAC, TV, US_ONLY = "1187400216", "1512209973", "1604482019", "1740095528"
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


def by_name(term: str) -> Question:
    return Question(
        "/search",
        {"term": term, "country": "US", "media": "software", "entity": "software", "limit": "50"},
    )


@pytest.mark.parametrize(
    ("term", "questions"),
    [
        ("tidepool math", [by_name("tidepool math")]),
        ("2048", [Question("/lookup", {"id": "2048", "country": "US"}), by_name("2048")]),
        ("id361", [Question("/lookup", {"id": "361", "country": "US"}), by_name("id361")]),
        (
            "notion.id",
            [Question("/lookup", {"bundleId": "notion.id", "country": "US"}), by_name("notion.id")],
        ),
        (
            "https://apps.apple.com/de/app/keynote/id361285480?l=en",
            [Question("/lookup", {"id": "361285480", "country": "US"})],
        ),
        (
            "https://itunes.apple.com/lookup?id=361285480",
            [Question("/lookup", {"id": "361285480", "country": "US"})],
        ),
    ],
)
def test_what_was_typed_becomes_questions(term: str, questions: list[Question]) -> None:
    assert questions_of(term, country="US", platform="iOS") == questions


def test_an_answer_is_read_as_far_as_it_can_be() -> None:
    good = {"kind": "software", "trackId": 7, "trackName": "Seven", "price": "free"}
    items = [good, {"kind": "ebook", "trackId": 8, "trackName": "Book"}, "rubbish", good]
    items += [{"kind": "software", "trackId": "x", "trackName": "No number"}]

    results = read_results(items, "tvOS", is_of_platform=True)

    assert [(r["adam_id"], r["name"], r["price"], r["platforms"]) for r in results] == [
        ("7", "Seven", None, ["iOS", "tvOS"])
    ]


def asked(organization: Organization, term: str, platform: str = "iOS") -> StoreSearch:
    """The search, after a worker has heard of it."""
    with TestCase.captureOnCommitCallbacks(execute=False):
        search = store.ask(organization=organization, term=term, country="us", platform=platform)
    search_store(search_id=str(search.pk))
    search.refresh_from_db()
    return search


def names(search: StoreSearch) -> list[str]:
    return [result["name"] for result in search.results]


@pytest.mark.parametrize(
    ("term", "platform", "found"),
    [
        ("wordgrove", "iOS", ["Wordgrove Spelling", "Wordgrove Phonics", "Reading Log"]),
        ("lumen", "macOS", ["Lumen Layout"]),
        ("lobby", "tvOS", ["Lobby Signage"]),
        (MATH, "iOS", ["Tidepool Math"]),
        ("com.tidepoollearning.math", "iOS", ["Tidepool Math"]),
        (f"https://apps.apple.com/us/app/x/id{MATH}", "iOS", ["Tidepool Math"]),
        ("no such app", "iOS", []),
    ],
)
def test_a_worker_answers(
    fake: FakeApple, organization: Organization, term: str, platform: str, found: list[str]
) -> None:
    search = asked(organization, term, platform)

    assert (names(search), search.problem, search.country) == (found, "", "US")


def test_the_bell_rings_after_the_commit(fake: FakeApple, organization: Organization) -> None:
    with TestCase.captureOnCommitCallbacks() as bells:
        store.ask(organization=organization, term="math", country="US", platform="iOS")

    assert len(bells) == 1


def test_the_same_question_is_shared_for_an_hour(
    fake: FakeApple, organization: Organization
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        first = asked(organization, "math")
        again = asked(organization, "  math ")
        elsewhere = asked(factories.OrganizationFactory(), "math")
        clock.shift(timedelta(minutes=61))
        later = asked(organization, "math")

    assert again == first
    assert len({first.pk, elsewhere.pk, later.pk}) == 3


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("metadata_throttled", "takes no more searches just now."),
        ("refused_connection", "could not be reached."),
        ("proxy_html", "answered with error 502."),
        ("metadata_empty", "sent something unreadable."),
    ],
)
def test_a_failing_store_is_told_in_words(
    fake: FakeApple, organization: Organization, fault: str, problem: str
) -> None:
    fake.set_fault(fault)

    search = asked(organization, "math")

    again = " Search again in a minute; what you typed stays here."
    assert (search.problem, search.results) == (f"Apple's store {problem}{again}", [])


def test_what_failed_may_soon_be_asked_again(fake: FakeApple, organization: Organization) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        fault = fake.set_fault("refused_connection")
        failed = asked(organization, "math")
        fake.faults.remove(fault)
        at_once = asked(organization, "math")
        clock.shift(timedelta(seconds=21))
        later = asked(organization, "math")

    assert (at_once, names(later)[:1]) == (failed, ["Tidepool Math"])


def test_an_answer_is_given_once(fake: FakeApple, organization: Organization) -> None:
    search = asked(organization, "math")
    fake.set_fault("refused_connection")

    search_store(search_id=str(search.pk))

    search.refresh_from_db()
    assert (search.problem, names(search)[0]) == ("", "Tidepool Math")


def test_a_search_whose_bell_was_not_heard_is_rung_for(
    fake: FakeApple, organization: Organization
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        store.ask(organization=organization, term="math", country="US", platform="iOS")
        too_early = store.waiting()
        clock.shift(timedelta(seconds=16))
        (late,) = store.waiting()
        ring_waiting_searches()

    assert (too_early, late) == ([], StoreSearch.objects.get().pk)


@pytest.mark.parametrize(("term", "refusal"), [("  ", NothingToSearch), ("x" * 201, TermTooLong)])
def test_a_term_that_cannot_be_asked_for(
    organization: Organization, term: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        store.ask(organization=organization, term=term, country="US", platform="iOS")


def test_an_organization_cannot_use_up_what_apple_allows(organization: Organization) -> None:
    for number in range(15):
        store.ask(organization=organization, term=f"app {number}", country="US", platform="iOS")

    with pytest.raises(TooManySearches):
        store.ask(organization=organization, term="one more", country="US", platform="iOS")


def test_a_chosen_result_describes_the_app(fake: FakeApple, organization: Organization) -> None:
    search = asked(organization, MATH)

    app = store.app_of(search, MATH)

    assert (app.name, app.bundle_id, str(app.price), app.platforms, app.country) == (
        "Tidepool Math",
        "com.tidepoollearning.math",
        "4.99",
        ["iOS"],
        "US",
    )
    assert store.app_of(search, MATH) == app == App.objects.get()


def test_only_results_can_be_chosen(fake: FakeApple, organization: Organization) -> None:
    search = asked(organization, MATH)

    with pytest.raises(NotAmongTheResults):
        store.app_of(search, MAC)


def test_an_app_that_was_added_by_its_number_gets_its_name(
    fake: FakeApple, organization: Organization
) -> None:
    nameless = factories.AppFactory(adam_id=MATH, name="", platforms=[])
    other = factories.AppFactory(adam_id=MAC, name="", platforms=[])
    network = factories.NetworkFactory(organization=organization)
    factories.ManagedAppFactory(network=network, app=nameless)

    asked(organization, MATH)
    asked(organization, MAC, "macOS")

    nameless.refresh_from_db()
    other.refresh_from_db()
    assert (nameless.name, other.name) == ("Tidepool Math", "")


def test_old_searches_are_forgotten(organization: Organization) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        store.ask(organization=organization, term="old", country="US", platform="iOS")
        clock.shift(timedelta(days=7, minutes=1))
        kept = store.ask(organization=organization, term="new", country="US", platform="iOS")

        assert store.forget_old() == 1
    assert list(StoreSearch.objects.all()) == [kept]
