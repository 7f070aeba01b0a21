"""Target groups over REST: scopes with a name, as Meraki's scripts make them."""

from __future__ import annotations

from typing import Any

import pytest

from organizations import automatic_tags
from organizations.audit import Actor
from organizations.models import AuditEvent, Network, Organization, Tag, TargetGroup
from organizations.tags import delete_tags
from tests import factories
from tests.api.conftest import ApiClient, client_of


@pytest.fixture
def oakmont(organization: Organization) -> Network:
    return factories.NetworkFactory(organization=organization, name="Oakmont")


@pytest.fixture
def cart(organization: Organization) -> Tag:
    return factories.TagFactory(organization=organization, name="cart")


@pytest.fixture
def grade(organization: Organization) -> Tag:
    return factories.TagFactory(organization=organization, name="grade-3")


@pytest.fixture
def path(oakmont: Network) -> str:
    return f"/networks/{oakmont.pk}/sm/targetGroups"


def audited(prefix: str = "target_group.") -> list[tuple[str, object, object]]:
    events = AuditEvent.objects.filter(action__startswith=prefix).order_by("pk")
    return [(event.action, event.before, event.after) for event in events]


def test_a_group_is_added_listed_changed_and_deleted(
    owner_api: ApiClient, path: str, cart: Tag, grade: Tag
) -> None:
    added = owner_api.send("POST", path, {"name": "Carts", "scope": "withAny,cart,grade-3"})
    group = f"{path}/{added.json()['id']}"
    listed = owner_api.get(path)
    changed = owner_api.send("PUT", group, {"scope": "withAll,grade-3"})
    read = owner_api.get(group)
    deleted = owner_api.send("DELETE", group)

    first = {"name": "Carts", "scope": "withAny,cart,grade-3", "tags": ["cart", "grade-3"]}
    second = {"name": "Carts", "scope": "withAll,grade-3", "tags": ["grade-3"]}
    assert (added.status_code, added.json()) == (201, {"id": added.json()["id"], **first})
    assert listed.json() == [added.json()]
    assert (changed.status_code, changed.json()) == (200, {"id": added.json()["id"], **second})
    assert read.json() == changed.json()
    assert (deleted.status_code, owner_api.get(path).json()) == (204, [])
    any_of, all_of = (
        "Devices with any of these tags: cart, grade-3",
        "Devices with all of these tags: grade-3",
    )
    assert audited() == [
        ("target_group.added", None, {"name": "Carts", "scope": any_of}),
        ("target_group.changed", {"scope": any_of}, {"scope": all_of}),
        ("target_group.deleted", {"name": "Carts", "scope": all_of}, None),
    ]


def test_what_is_not_sent_stays(owner_api: ApiClient, path: str, cart: Tag) -> None:
    group = owner_api.send("POST", path, {"name": "Carts", "scope": ["withAny", "cart"]}).json()

    renamed = owner_api.send("PUT", f"{path}/{group['id']}", {"name": "Trolleys"})
    same = owner_api.send("PUT", f"{path}/{group['id']}", {})

    assert renamed.json() == group | {"name": "Trolleys"}
    assert same.json() == renamed.json()
    assert [action for action, _, _ in audited()] == ["target_group.added", "target_group.changed"]


def test_without_a_scope_a_group_names_nobody(owner_api: ApiClient, path: str) -> None:
    added = owner_api.send("POST", path, {"name": "Later"}).json()

    assert added == {"id": added["id"], "name": "Later", "scope": "none", "tags": []}


@pytest.mark.parametrize(
    ("body", "status", "code", "sentence"),
    [
        (
            {"name": "CARTS", "scope": "all"},
            409,
            "target_group_name_taken",
            "This network already has a target group “CARTS”, in whatever case. Choose another name.",
        ),
        (
            {"name": "New", "scope": "withAny,cart,trolley,van"},
            400,
            "tag_unknown",
            "This organization has no tag “trolley”, “van”. Choose one of Configure > Tags.",
        ),
        (
            {"name": "New", "scope": "withAny"},
            400,
            "scope_without_tags",
            "This scope names devices by their tags: choose at least one tag, or another scope.",
        ),
    ],
)
def test_what_cannot_be_added_is_refused(
    owner_api: ApiClient,
    path: str,
    cart: Tag,
    oakmont: Network,
    body: dict[str, Any],
    status: int,
    code: str,
    sentence: str,
) -> None:
    factories.TargetGroupFactory(network=oakmont, name="Carts")

    answer = owner_api.send("POST", path, body)

    assert (answer.status_code, answer.json()) == (status, {"errors": [sentence], "code": code})
    assert TargetGroup.objects.count() == 1


@pytest.mark.parametrize("scope", ["some,cart", "", [], [1], "withAny,\0"])
def test_what_is_no_scope_is_refused(owner_api: ApiClient, path: str, scope: object) -> None:
    answer = owner_api.send("POST", path, {"name": "New", "scope": scope})

    assert answer.status_code == 400
    assert answer.json()["errors"][0].startswith("“scope”")


def test_another_network_may_have_the_same_name(
    owner_api: ApiClient, organization: Organization, path: str
) -> None:
    elsewhere = factories.NetworkFactory(organization=organization)
    factories.TargetGroupFactory(network=elsewhere, name="Carts")

    answer = owner_api.send("POST", path, {"name": "Carts", "scope": "all"})

    assert answer.status_code == 201


def test_tags_of_others_are_unknown(owner_api: ApiClient, path: str) -> None:
    factories.TagFactory(name="theirs")

    answer = owner_api.send("POST", path, {"name": "New", "scope": "withAny,theirs"})

    assert (answer.status_code, answer.json()["code"]) == (400, "tag_unknown")


def test_a_deleted_tag_is_taken_out(
    owner_api: ApiClient, by: Actor, oakmont: Network, path: str, cart: Tag, grade: Tag
) -> None:
    both = factories.TargetGroupFactory(
        network=oakmont, name="Both", operator="withoutAny", tag_ids=[cart.pk, grade.pk]
    )
    one = factories.TargetGroupFactory(
        network=oakmont, name="One", operator="withoutAny", tag_ids=[cart.pk]
    )
    factories.DeviceFactory(organization=oakmont.organization, network=oakmont)

    delete_tags(by=by, organization=oakmont.organization, tags=[cart])

    rows = owner_api.get(path, {"withDetails": "true"}).json()
    assert [(row["id"], row["scope"], len(row["deviceIds"])) for row in rows] == [
        (str(both.pk), "withoutAny,grade-3", 1),
        (str(one.pk), "withoutAny", 0),
    ]
    lacking = "Devices without any of these tags: "
    assert audited() == [
        (
            "target_group.changed",
            {"scope": f"{lacking}cart, grade-3"},
            {"scope": f"{lacking}grade-3"},
        ),
        (
            "target_group.changed",
            {"scope": f"{lacking}cart"},
            {"scope": f"{lacking}none chosen, so no devices"},
        ),
    ]


def test_details_name_the_devices_in_scope_and_their_owners(
    owner_api: ApiClient, oakmont: Network, path: str, cart: Tag, grade: Tag
) -> None:
    organization = oakmont.organization
    automatic_tags.ensure(organization)
    macs = Tag.objects.get(organization=organization, name="mac-devices")
    pupil = factories.OwnerFactory(organization=organization, tag_ids=[grade.pk])
    ours = {"organization": organization, "network": oakmont}
    trolley = factories.DeviceFactory(**ours, tag_ids=[cart.pk])
    theirs = factories.DeviceFactory(**ours, owner=pupil)
    mac = factories.DeviceFactory(**ours, platform="macOS")
    factories.DeviceFactory(organization=organization, tag_ids=[cart.pk])
    scopes = {
        "all": ([], [trolley, theirs, mac], [pupil]),
        "none": ([], [], []),
        "withAny": ([cart, grade], [trolley, theirs], [pupil]),
        "withAll": ([cart, grade], [], []),
        "withoutAny": ([macs, cart], [theirs], [pupil]),
        "withoutAll": ([macs, cart], [trolley, theirs, mac], [pupil]),
    }
    for operator, (tags, _, _) in scopes.items():
        factories.TargetGroupFactory(
            network=oakmont, name=operator, operator=operator, tag_ids=[tag.pk for tag in tags]
        )

    rows = owner_api.get(path, {"withDetails": "true"}).json()
    one = owner_api.get(f"{path}/{rows[0]['id']}", {"withDetails": "true"}).json()
    short = owner_api.get(path, {"withDetails": "false"}).json()

    assert {row["name"]: (row["deviceIds"], row["userIds"]) for row in rows} == {
        operator: ([str(each.pk) for each in devices], [str(each.pk) for each in owners])
        for operator, (_, devices, owners) in scopes.items()
    }
    assert one == rows[0]
    assert set(short[0]) == {"id", "name", "scope", "tags"}


def test_whoever_may_write_in_the_network_may_write_its_groups(oakmont: Network, path: str) -> None:
    writer, reader = (
        factories.NetworkAccessFactory(
            membership__organization=oakmont.organization,
            membership__access="none",
            network=oakmont,
            can_write=can_write,
        ).membership.admin
        for can_write in (True, False)
    )

    written = client_of(writer).send("POST", path, {"name": "Theirs", "scope": "all"})
    refused = client_of(reader).send("POST", path, {"name": "Ours", "scope": "all"})
    read = client_of(reader).get(path)

    assert (written.status_code, refused.status_code) == (201, 403)
    assert refused.json()["code"] == "read_only"
    assert [row["name"] for row in read.json()] == ["Theirs"]


def test_groups_of_another_network_and_of_strangers_are_not_found(
    owner_api: ApiClient, outsider_api: ApiClient, oakmont: Network, path: str
) -> None:
    elsewhere = factories.NetworkFactory(organization=oakmont.organization)
    group = factories.TargetGroupFactory(network=elsewhere)

    answers = [
        api.send(method, f"{path}/{group.pk}").status_code
        for api in (owner_api, outsider_api)
        for method in ("GET", "PUT", "DELETE")
    ]

    assert answers == [404] * 6
    assert TargetGroup.objects.filter(pk=group.pk).exists()


@pytest.mark.parametrize("count", [1, 3])
def test_listing_costs_the_same_for_one_and_three(
    owner_api: ApiClient,
    oakmont: Network,
    path: str,
    cart: Tag,
    django_assert_num_queries: Any,
    count: int,
) -> None:
    for number in range(count):
        factories.TargetGroupFactory(
            network=oakmont, name=f"{number}", operator="withAny", tag_ids=[cart.pk]
        )
        factories.DeviceFactory(
            organization=oakmont.organization, network=oakmont, tag_ids=[cart.pk]
        )
    owner_api.get("/organizations")

    with django_assert_num_queries(7):
        answer = owner_api.get(path, {"withDetails": "true"})

    assert [len(row["deviceIds"]) for row in answer.json()] == [count] * count
