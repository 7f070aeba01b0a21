"""Whatever happens at Apple, also while it is read: syncs by delta end with what Apple has."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from licensing import sync
from licensing.models import Assignment, LicensedApp
from organizations.audit import Actor
from organizations.models import Organization
from tests import factories
from tests.meanwhile import MovingApple
from users.models import VppUser
from vpp_accounts import connections
from vpp_accounts.apple.client import AppleClient
from vpp_accounts.apple.fake.state import Location
from vpp_accounts.apple.fake.wire import Rejected, Request
from vpp_accounts.connections import client_for
from vpp_accounts.models import SyncRun, VppAccount
from vpp_accounts.runs import request_sync

APPS, BOOK = ("408709785", "409183694", "409201541"), "400000777"
TITLES = (*APPS, BOOK)
EVERY_LIST = ("/assets", "/users", "/assignments")

# Each example has a location of its own.
numbers = itertools.count()


class Told(NamedTuple):
    """One sync, and what happens first and before each request for one of the lists."""

    full: bool = False
    first: Sequence[Step] = ()
    lists: tuple[str, ...] = ()
    gaps: Sequence[Sequence[Step]] = ()


class World:
    """One location at Apple with its account here, read once while nothing happened."""

    def __init__(self, organization: Organization, page_size: int, *, ghosts: bool) -> None:
        self.apple = MovingApple(f"apple {next(numbers)}")
        self.apple.settings.page_size = page_size
        self.apple.settings.guesses.delta_lists_removed_rows = ghosts
        self.location = self.apple.create_location(name="North")
        people = [{"clientUserId": f"u{n}", "appleAccount": f"u{n}@icloud.test"} for n in range(3)]
        self.apple.add_users(self.location.uid, people)
        for title in APPS[:2]:
            self.apple.purchase(self.location.uid, title, quantity=8)
            self.apple.assign(self.location.uid, title, serial_numbers=["S0", "S1", "S2"])
        self.apple.purchase(self.location.uid, BOOK, quantity=5, product_type="Book")
        self.apple.assign(self.location.uid, BOOK, client_user_ids=["u0", "u1"])
        self.account: VppAccount = factories.VppAccountFactory(
            organization=organization, uid=self.location.uid, token=self.location.issue_token()
        )

    def sync(self, told: Told = Told()) -> None:  # noqa: B008  a tuple
        gaps = iter(told.gaps)

        def before(request: Request) -> None:
            if request.path.endswith(told.lists):
                for step in next(gaps, ()):
                    step.play(self)

        for step in told.first:
            step.play(self)

        self.apple.before = before
        run = request_sync(
            by=Actor.system("Test"),
            account=self.account,
            trigger=SyncRun.Trigger.COMMAND,
            full=told.full,
        )
        finished = sync.run(sync_run_id=run.pk)
        self.apple.before = lambda request: None
        self.account.refresh_from_db()
        assert finished is not None
        assert finished.outcome == SyncRun.Outcome.SUCCEEDED, finished.message


class Step(NamedTuple):
    """One change by somebody else; what Apple's rules forbid does not happen."""

    kind: str
    title: str
    number: int

    def play(self, world: World) -> None:
        with suppress(Rejected):
            STEPS[self.kind](self, world.apple, world.location)

    @property
    def serial(self) -> list[str]:
        return [f"S{self.number}"]

    @property
    def person(self) -> str:
        return f"u{self.number}"


def retire(step: Step, apple: MovingApple, location: Location) -> None:
    user = location.active_user(step.person)
    if user:
        apple.retire(location, [user])


def register(step: Step, apple: MovingApple, location: Location) -> None:
    apple.add_users(location.uid, [{"clientUserId": step.person, "email": "x@example.org"}])


def accept(step: Step, apple: MovingApple, location: Location) -> None:
    user = location.active_user(step.person)
    if user and user.status == "Registered":
        apple.accept_invitation(user.invite_code, f"{step.person}@icloud.test")


def buy(step: Step, apple: MovingApple, location: Location) -> None:
    kind = "Book" if step.title == BOOK else "App"
    apple.purchase(location.uid, step.title, quantity=step.number + 1, product_type=kind)


def owned(change: Callable[[Step, MovingApple, Location], object]) -> Callable[..., None]:
    """Of a title that the location owns."""

    def play(step: Step, apple: MovingApple, location: Location) -> None:
        if any(key.adam_id == step.title for key in location.assets):
            change(step, apple, location)

    return play


STEPS: dict[str, Callable[[Step, MovingApple, Location], object]] = {
    "grant a device": owned(
        lambda step, apple, location: apple.assign(
            location.uid, step.title, serial_numbers=step.serial
        )
    ),
    "grant a person": owned(
        lambda step, apple, location: apple.assign(
            location.uid, step.title, client_user_ids=[step.person]
        )
    ),
    "revoke a device": owned(
        lambda step, apple, location: apple.unassign(
            location.uid, step.title, serial_numbers=step.serial
        )
    ),
    # What follows moves to a page that may have been read already.
    "revoke the first device": owned(
        lambda step, apple, location: apple.unassign(
            location.uid, step.title, serial_numbers=list(location.asset(step.title).devices)[:1]
        )
    ),
    "revoke a person": owned(
        lambda step, apple, location: apple.unassign(
            location.uid, step.title, client_user_ids=[step.person]
        )
    ),
    "refund": owned(
        lambda step, apple, location: apple.purchase(location.uid, step.title, quantity=-1)
    ),
    "buy": buy,
    "register": register,
    "accept": accept,
    "retire": retire,
}

# Most of it is devices that come and go, of one title: there the pages of a list move.
OFTEN = ("grant a device", "revoke a device", "revoke the first device")
kinds = st.one_of(st.sampled_from(OFTEN), st.sampled_from(sorted(STEPS)))
titles = st.one_of(st.just(APPS[0]), st.sampled_from(TITLES))
steps = st.builds(Step, kinds, titles, st.integers(0, 5))
syncs = st.builds(
    Told,
    full=st.sampled_from([False, False, True]),
    first=st.lists(steps, max_size=6),
    lists=st.sampled_from([("/assignments",), EVERY_LIST]),
    gaps=st.lists(st.lists(steps, max_size=1), max_size=6),
)


class Story(NamedTuple):
    page_size: int
    ghosts: bool
    syncs: list[Told]


stories = st.builds(
    Story, st.integers(1, 2), st.booleans(), st.lists(syncs, min_size=1, max_size=4)
)


def slip(*, full: bool, before_page: int, going: int) -> Story:
    """One goes from a page that was read, another slips onto it: the number is right, who is not."""
    new = [Step("grant a device", APPS[0], number) for number in (3, 4, 5)]
    gaps = [[] for _ in range(before_page)] + [[Step("revoke a device", APPS[0], going)]]
    return Story(1, False, [Told(full, new, ("/assignments",), gaps)])


def ours(account: VppAccount) -> dict[str, object]:
    titles = LicensedApp.objects.filter(account=account).present()
    rows = Assignment.objects.filter(account=account)
    people = VppUser.objects.filter(account=account)
    return {
        "titles": set(
            titles.values_list("adam_id", "total_count", "assigned_count", "available_count")
        ),
        "assignments": set(
            rows.values_list("licensed_app__adam_id", "holder_kind", "holder").order_by()
        ),
        "people": set(people.values_list("client_user_id", "apple_status")),
    }


def apples(client: AppleClient) -> dict[str, object]:
    people = list(client.users().rows())
    active = {user.client_user_id for user in people if user.status != "Retired"}
    return {
        "titles": {
            (each.adam_id, each.total_count, each.assigned_count, each.available_count)
            for each in client.assets().rows()
        },
        "assignments": {
            (each.adam_id, "device", each.serial_number)
            if each.serial_number
            else (each.adam_id, "user", each.client_user_id)
            for each in client.assignments().rows()
        },
        "people": {
            (user.client_user_id, user.status)
            for user in people
            if user.status != "Retired" or user.client_user_id not in active
        },
    }


@settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(stories)
@example(slip(full=False, before_page=1, going=3))
@example(slip(full=True, before_page=3, going=0))
def test_syncs_by_delta_end_with_what_apple_has(organization: Organization, story: Story) -> None:
    world = World(organization, story.page_size, ghosts=story.ghosts)
    with connections.use_fake(world.apple):
        world.sync()
        for told in story.syncs:
            world.sync(told)

        world.sync()

        assert ours(world.account) == apples(client_for(world.account))


@pytest.mark.parametrize("kind", sorted(STEPS))
def test_the_steps_do_change_something(organization: Organization, kind: str) -> None:
    """Guard: were they all refused, the property above would say nothing."""
    world = World(organization, 3, ghosts=False)
    with connections.use_fake(world.apple):
        client = client_for(world.account)
        if kind == "accept":
            world.apple.retire(world.location, [world.location.active_user("u0")])
            Step("register", APPS[0], 0).play(world)
        if kind == "revoke a person":
            Step("grant a person", APPS[0], 0).play(world)
        before = apples(client)
        number = {"register": 5, "grant a device": 5}.get(kind, 0)

        Step(kind, APPS[0], number).play(world)

        assert apples(client) != before
