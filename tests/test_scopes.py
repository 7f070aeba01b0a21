"""Scopes: the rule, the same for the database and for many at once, and automatic tags."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps_catalog.models import ManagedPlatform
from apps_catalog.requirements import DEVICES_OF
from licensing.automation.evaluating import Grounds, Rule
from organizations import automatic_tags
from organizations.automatic_tags import AUTOMATIC, Traits
from organizations.models import Device, Network, Organization, Owner, Platform, Tag
from organizations.scopes import Operator, Scope, devices_in
from tests.factories import (
    DeviceFactory,
    NetworkFactory,
    OrganizationFactory,
    OwnerFactory,
    TagFactory,
)

WORDS = ("cart", "grade-3", "library", "staff")
ONE, TWO, THREE = 1, 2, 3


# --- The rule ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operator", "of_none", "of_one", "of_two", "of_both"),
    [
        (Operator.ALL, True, True, True, True),
        (Operator.NONE, False, False, False, False),
        (Operator.WITH_ANY, False, True, True, True),
        (Operator.WITH_ALL, False, False, False, True),
        (Operator.WITHOUT_ANY, True, False, False, False),
        (Operator.WITHOUT_ALL, True, True, True, False),
    ],
)
def test_what_each_operator_means(
    operator: Operator, of_none: bool, of_one: bool, of_two: bool, of_both: bool
) -> None:
    scope = Scope(operator, (ONE, TWO))

    found = [scope.matches(tags) for tags in (set(), {ONE, THREE}, {TWO}, {ONE, TWO})]

    assert found == [of_none, of_one, of_two, of_both]


def test_without_tags_an_operator_that_takes_some_names_nobody() -> None:
    named = {operator: Scope(operator).matches({ONE}) for operator in Operator}

    assert [operator for operator, is_named in named.items() if is_named] == [Operator.ALL]


@pytest.mark.parametrize(
    ("operator", "sentence"),
    [
        (Operator.ALL, "All devices"),
        (Operator.NONE, "No devices"),
        (Operator.WITH_ANY, "Devices with any of these tags: cart, a deleted tag"),
        (Operator.WITH_ALL, "Devices with all of these tags: cart, a deleted tag"),
        (Operator.WITHOUT_ANY, "Devices without any of these tags: cart, a deleted tag"),
        (
            Operator.WITHOUT_ALL,
            "Devices that lack at least one of these tags: cart, a deleted tag",
        ),
    ],
)
def test_each_operator_is_said_in_words(operator: Operator, sentence: str) -> None:
    assert Scope(operator, (ONE, TWO)).sentence({ONE: "cart"}) == sentence


def test_a_scope_without_tags_says_that_it_names_nobody() -> None:
    told = Scope(Operator.WITHOUT_ANY).sentence({})

    assert told == "Devices without any of these tags: none chosen, so no devices"


# --- The rule, and the same for the database and the engine --------------------------------------------------------


@dataclass(frozen=True)
class Person:
    tags: frozenset[str]


@dataclass(frozen=True)
class Machine:
    platform: str
    supervised: bool
    enrollment: str
    tags: frozenset[str]
    owner: Person | None


tags = st.frozensets(st.sampled_from(WORDS))
machines = st.builds(
    Machine,
    platform=st.sampled_from(Platform.values),
    supervised=st.booleans(),
    enrollment=st.sampled_from(Device.Enrollment.values),
    tags=tags,
    owner=st.none() | st.builds(Person, tags),
)
scopes = st.tuples(
    st.sampled_from(Operator),
    st.lists(st.sampled_from((*WORDS, *AUTOMATIC)), max_size=3, unique=True),
    st.sampled_from(ManagedPlatform.values),
)
Wanted = tuple[Operator, list[str], str]
SETTINGS = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def words_of(organization: Organization) -> dict[str, int]:
    """A tag of each word, and of each automatic tag."""
    automatic_tags.ensure(organization)
    for word in WORDS:
        TagFactory(organization=organization, name=word)
    return dict(Tag.objects.filter(organization=organization).values_list("name", "pk"))


def stored(machine: Machine, network: Network, ids: dict[str, int]) -> Device:
    organization = network.organization
    owner: Owner | None = None
    if machine.owner:
        own = [ids[word] for word in machine.owner.tags]
        owner = OwnerFactory(organization=organization, tag_ids=own)
    device: Device = DeviceFactory(
        organization=organization,
        network=network,
        platform=machine.platform,
        supervised=machine.supervised,
        enrollment=machine.enrollment,
        tag_ids=[ids[word] for word in machine.tags],
        owner=owner,
    )
    return device


def tags_of(machine: Machine, ids: dict[str, int]) -> set[int]:
    traits = Traits(
        machine.platform, machine.supervised, machine.enrollment, machine.owner is not None
    )
    words = {*machine.tags, *(machine.owner.tags if machine.owner else ())}
    automatic = {name for name, tag in AUTOMATIC.items() if tag.fits(traits)}
    return {ids[word] for word in words | automatic}


@given(inventory=st.lists(machines, max_size=6), wanted=st.lists(scopes, min_size=1, max_size=6))
@SETTINGS
def test_the_rule_the_database_and_the_engine_agree(
    db: None, inventory: list[Machine], wanted: list[Wanted]
) -> None:
    organization = OrganizationFactory()
    here, elsewhere = NetworkFactory.create_batch(2, organization=organization)
    ids = words_of(organization)
    devices = {stored(machine, here, ids).pk: machine for machine in inventory}
    for machine in inventory:
        stored(machine, elsewhere, ids)
    rules = [
        Rule(number, here.pk, platform, Scope(operator, tuple(ids[name] for name in names)))
        for number, (operator, names, platform) in enumerate(wanted)
    ]

    evaluated = Grounds(organization.pk, rules)

    for rule in rules:
        near = here.devices.filter(platform__in=DEVICES_OF[rule.platform])
        asked = devices_in(near, rule.scope, organization.pk)
        by_the_rule = {
            pk
            for pk, machine in devices.items()
            if machine.platform in DEVICES_OF[rule.platform]
            and rule.scope.matches(tags_of(machine, ids))
        }
        assert set(asked.values_list("pk", flat=True)) == by_the_rule
        assert list(evaluated.members(rule)) == sorted(by_the_rule)


# --- Automatic tags ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", AUTOMATIC)
def test_an_automatic_tag_means_the_same_to_the_database(
    name: str, organization: Organization
) -> None:
    tag = AUTOMATIC[name]
    network = NetworkFactory(organization=organization)
    every = [
        Machine(platform, supervised, enrollment, frozenset(), owner)
        for platform in Platform.values
        for supervised in (True, False)
        for enrollment in Device.Enrollment.values
        for owner in (None, Person(frozenset()))
    ]
    devices = {stored(machine, network, {}).pk: machine for machine in every}

    found = set(Device.objects.filter(tag.condition).values_list("pk", flat=True))

    fitting = {pk for pk, m in devices.items() if tag.fits(traits_of(m))}
    assert found == fitting
    assert 0 < len(found) < len(every)


def traits_of(machine: Machine) -> Traits:
    has_owner = machine.owner is not None
    return Traits(machine.platform, machine.supervised, machine.enrollment, has_owner)


def test_every_automatic_tag_says_whom_it_fits() -> None:
    told = {name: tag.words for name, tag in AUTOMATIC.items()}

    assert told == {
        "ios-devices": "iOS or iPadOS",
        "iphones": "iOS",
        "ipads": "iPadOS",
        "mac-devices": "macOS",
        "tvos-devices": "tvOS",
        "watchos-devices": "watchOS",
        "visionos-devices": "visionOS",
        "supervised-devices": "supervised",
        "unsupervised-devices": "not supervised",
        "user-enrollments": "User Enrollment",
        "devices-without-owner": "without an owner",
    }


def test_an_organization_has_its_automatic_tags_once(organization: Organization) -> None:
    TagFactory(organization=organization, name="iPads", kind=Tag.Kind.OWNER)

    automatic_tags.ensure(organization)
    automatic_tags.ensure(organization)

    known = set(automatic_tags.ids_of(organization).values())
    assert known == {tag for name, tag in AUTOMATIC.items() if name != "ipads"}  # taken: theirs
    assert Tag.objects.count() == len(AUTOMATIC)
