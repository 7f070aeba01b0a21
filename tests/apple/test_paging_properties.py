"""Whatever is written between two pages: a walk ends with the truth of one moment, or is unsure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable
from typing import NamedTuple

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.apple.scripted import BASE_URL, Answered, Apple, Asked, EagerPacer
from vpp_accounts.apple import (
    Accepted,
    AppleClient,
    ManageAssets,
    ManageUsers,
    RequestUser,
    RevokeAssets,
    Traversal,
    WriteResult,
)
from vpp_accounts.apple.fake import FakeApple, FakeAppleAdapter

TITLES = ("1187400216", "1203518844", "400000001", "400000002", "400000003", "400000004")
# The same examples on every machine, and few enough for every run.
bounded = settings(max_examples=150, derandomize=True, deadline=None, database=None)

Row = Hashable


class World:
    """One location at the fake, who reads it, and everybody who writes meanwhile."""

    def __init__(self, page_size: int, held: int) -> None:
        self.apple = FakeApple()
        self.apple.change_settings(
            {"pageSize": page_size, "eventDelaySeconds": 0, "maxRequestPerSecond": 1_000_000}
        )
        self.location = self.apple.create_location(name="Lindenhof")
        for title in TITLES:
            self.apple.purchase(self.location.uid, title, 30)
        self.stoken = self.apple.issue_token(self.location.uid)
        self.writer = self.client()
        serials = tuple(f"S{number}" for number in range(held))
        people = tuple(RequestUser(f"u{number}") for number in range(held))
        self.write(self.writer.create_users(ManageUsers(people)))
        titles = tuple((title, "STDQ") for title in TITLES[:2])
        self.write(self.writer.associate_assets(ManageAssets(titles, serial_numbers=serials)))

    def client(self, before: Callable[[], object] = lambda: None) -> AppleClient:
        session = requests.Session()
        session.mount("https://", Interrupted(self.apple, before))
        return AppleClient(
            base_url=BASE_URL, stoken=self.stoken, session=session, pacer=EagerPacer()
        )

    def write(self, result: WriteResult) -> None:
        assert isinstance(result, Accepted)
        self.apple.run_due()

    def truth(self, name: str) -> frozenset[Row]:
        """The list as it is now, by the fake's own books."""
        if name == "users":
            return frozenset(
                (user.client_user_id, user.status) for user in self.location.users if user.is_active
            )
        if name == "assets":
            return frozenset(
                (asset.adam_id, asset.total, len(asset.devices) + len(asset.users))
                for asset in self.location.assets.values()
            )
        return frozenset(
            (asset.adam_id, user, serial)
            for asset in self.location.assets.values()
            for user, serial in itertools.chain(
                ((None, serial) for serial in asset.devices),
                ((user, None) for user in asset.users),
            )
        )


class Interrupted(FakeAppleAdapter):
    """Lets something happen before a request arrives."""

    def __init__(self, apple: FakeApple, before: Callable[[], object]) -> None:
        super().__init__(apple)
        self._before = before

    def send(self, *args: object, **options: object) -> requests.Response:
        self._before()
        return super().send(*args, **options)


class Step(NamedTuple):
    """One write by somebody else."""

    kind: str
    title: str
    holder: int

    def play(self, world: World) -> None:
        STEPS[self.kind](self, world)

    @property
    def asset(self) -> ManageAssets:
        return ManageAssets(((self.title, "STDQ"),), serial_numbers=(f"S{self.holder}",))

    @property
    def person(self) -> ManageUsers:
        return ManageUsers((RequestUser(f"u{self.holder}"),))


STEPS: dict[str, Callable[[Step, World], object]] = {
    "associate": lambda step, world: world.write(world.writer.associate_assets(step.asset)),
    "disassociate": lambda step, world: world.write(world.writer.disassociate_assets(step.asset)),
    "revoke": lambda step, world: world.write(
        world.writer.revoke_assets(RevokeAssets(serial_numbers=(f"S{step.holder}",)))
    ),
    "create": lambda step, world: world.write(world.writer.create_users(step.person)),
    "retire": lambda step, world: world.write(world.writer.retire_users(step.person)),
    "buy": lambda step, world: world.apple.purchase(
        world.location.uid, str(400_000_100 + step.holder), 2
    ),
    "fill": lambda step, world: world.apple.fill(
        world.location.uid, step.title, step.holder + 1, "serial"
    ),
    # These happen right after the next page has been read.
    "first row goes": lambda step, world: world.apple.set_fault("item_slips"),
    "first row comes": lambda step, world: world.apple.set_fault(
        "item_slips", args={"how": "twice"}
    ),
    "rows vanish": lambda step, world: world.apple.set_fault("pages_shrink", args={"rows": 3}),
    "rows appear": lambda step, world: world.apple.set_fault("pages_grow", args={"rows": 3}),
}
ANY_LIST = ("first row goes", "first row comes", "rows vanish", "rows appear")
# The writes that each list knows; all of them may happen during any walk.
OF_LIST = {
    "assignments": ("associate", "disassociate", "revoke", "fill"),
    "users": ("create", "retire"),
    "assets": ("buy", "associate"),
}


class Story(NamedTuple):
    """A list, its pages, and what happens before each request of the walk."""

    name: str
    page_size: int
    held: int
    plan: list[list[Step]]


def steps_of(name: str) -> st.SearchStrategy[Step]:
    kinds = st.one_of(st.sampled_from([*OF_LIST[name], *ANY_LIST]), st.sampled_from(sorted(STEPS)))
    return st.builds(Step, kinds, st.sampled_from(TITLES), st.integers(0, 9))


def stories_of(name: str) -> st.SearchStrategy[Story]:
    gaps = st.lists(st.lists(steps_of(name), max_size=2), max_size=8)
    return st.builds(Story, st.just(name), st.integers(1, 4), st.integers(3, 9), gaps)


LISTS = ("assignments", "users", "assets")
stories = st.sampled_from(LISTS).flatmap(stories_of)


def key(name: str, row: object) -> Row:
    if name == "users":
        return row.client_user_id, row.status
    if name == "assets":
        return row.adam_id, row.total_count, row.assigned_count
    return row.adam_id, row.client_user_id, row.serial_number


class Walked(NamedTuple):
    """The rows, whether the walk is sure, and every truth there was from its start to its end."""

    rows: list[Row]
    is_stable: bool
    truths: list[frozenset[Row]]

    @property
    def is_true(self) -> bool:
        """Whether the rows are the list of one moment, each once."""
        return len(set(self.rows)) == len(self.rows) and frozenset(self.rows) in self.truths

    @property
    def lost(self) -> frozenset[Row]:
        """What was there all the time and was not seen."""
        return frozenset.intersection(*self.truths) - set(self.rows)


def walked(story: Story, *, slowly: bool = False) -> Walked:
    world = World(story.page_size, story.held)
    plan = iter(story.plan)
    truths: list[frozenset[Row]] = []

    def between_pages() -> None:
        with world.apple.lock:
            truths.append(world.truth(story.name))
            for step in next(plan, ()):
                step.play(world)
                truths.append(world.truth(story.name))

    client = world.client(between_pages)
    walk: Traversal[object] = {
        "assignments": client.assignments,
        "users": lambda: client.users(active_only=True),
        "assets": client.assets,
    }[story.name]()
    ticks = itertools.count()
    walk._clock = (lambda: float(next(ticks))) if slowly else (lambda: 0.0)
    rows = [key(story.name, row) for row in walk.rows()]
    return Walked(rows, walk.is_stable, [*truths, world.truth(story.name)])


def keeps_the_promise(walk: Walked) -> bool:
    return not walk.is_stable or (walk.is_true and not walk.lost)


@bounded
@given(stories)
def test_a_walk_ends_with_the_truth_of_one_moment_or_is_unsure(story: Story) -> None:
    assert keeps_the_promise(walked(story))


@settings(bounded, max_examples=60)
@given(stories)
def test_so_does_a_walk_with_five_pages_in_flight(story: Story) -> None:
    assert keeps_the_promise(walked(story, slowly=True))


@settings(bounded, max_examples=60)
@given(stories)
def test_a_walk_that_nothing_disturbs_is_sure_and_true(story: Story) -> None:
    writes = [step for gap in story.plan for step in gap if step.kind not in ANY_LIST]

    walk = walked(story._replace(plan=[writes]))

    assert (walk.is_stable, walk.is_true, walk.lost) == (True, True, frozenset())


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    ("kind", "is_true", "loses"),
    [
        ("first row goes", False, True),
        ("first row comes", False, False),
        ("rows vanish", True, False),
        ("rows appear", True, False),
    ],
)
def test_the_steps_do_spoil_walks(name: str, kind: str, is_true: bool, loses: bool) -> None:
    """Guard: were the steps harmless, the properties above would say nothing."""
    walk = walked(Story(name, 2, 6, [[Step(kind, TITLES[0], 0)]]))

    assert (walk.is_stable, walk.is_true, bool(walk.lost)) == (False, is_true, loses)


# Cursors: the same promise


cursor_lists = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 20)), min_size=1, max_size=8
)  # (changes of the version before the page, rows on the page)


@bounded
@given(cursor_lists)
def test_a_walk_by_cursor_is_sure_of_one_version_only(pages: list[tuple[int, int]]) -> None:
    versions = list(itertools.accumulate(changes for changes, _ in pages))

    def answer(asked: Asked) -> Answered:
        index = int(asked.query.get("cursor", 0))
        body: dict[str, object] = {
            "subscriptions": [{"adamId": index * 100 + row} for row in range(pages[index][1])],
            "versionId": f"v{versions[index]}",
        }
        if index + 1 < len(pages):
            body["nextCursor"] = str(index + 1)
        return Answered(body)

    walk = Apple(answer).client.subscriptions()

    rows = [row.adam_id for row in walk.rows()]

    assert rows == [page * 100 + row for page, (_, n) in enumerate(pages) for row in range(n)]
    assert walk.is_stable == (len(set(versions)) == 1)
