"""Tags over REST: listed, added, renamed, deleted, and what ends with one."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps_catalog.models import ManagedApp
from organizations import automatic_tags
from organizations.models import AuditEvent, Device, Network, Organization, Owner, Tag
from tests import factories
from tests.api.conftest import ApiClient


@pytest.fixture
def path(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/sm/tags"


@pytest.fixture
def oakmont(organization: Organization) -> Network:
    return factories.NetworkFactory(organization=organization, name="Oakmont")


@pytest.fixture
def cart(organization: Organization) -> Tag:
    return factories.TagFactory(organization=organization, name="cart")


@pytest.fixture
def keynote(oakmont: Network, cart: Tag) -> ManagedApp:
    """For whoever has the tag: one device itself, one from its owner."""
    ours = {"organization": oakmont.organization}
    ann = factories.OwnerFactory(**ours, tag_ids=[cart.pk])
    factories.DeviceFactory(network=oakmont, **ours, tag_ids=[cart.pk])
    factories.DeviceFactory(network=oakmont, **ours, owner=ann)
    return factories.ManagedAppFactory(
        network=oakmont,
        app__name="Keynote",
        scope_operator="withAny",
        scope_tag_ids=[cart.pk],
        grace_days=3,
    )


def tag_json(tag: Tag, **fields: Any) -> dict[str, Any]:
    return {
        "id": str(tag.pk),
        "name": tag.name,
        "kind": "device",
        "devices": 0,
        "devicesInAll": 0,
        "owners": 0,
        "usedBy": [],
    } | fields


def app_json(app: ManagedApp) -> dict[str, Any]:
    return {
        "appId": str(app.pk),
        "networkId": str(app.network_id),
        "adamId": app.adam_id,
        "name": "Keynote",
    }


def names(answer: Any) -> list[str]:
    return [row["name"] for row in answer.json()]


def test_tags_are_listed_with_who_has_them_and_what_uses_them(
    owner_api: ApiClient, path: str, organization: Organization, cart: Tag, keynote: ManagedApp
) -> None:
    staff = factories.TagFactory(organization=organization, name="staff", kind="owner")

    listed = owner_api.get(path)
    one = owner_api.get(f"{path}/{cart.pk}")

    expected = tag_json(cart, devices=1, devicesInAll=2, owners=1, usedBy=[app_json(keynote)])
    assert listed.json() == [expected, tag_json(staff, kind="owner")]
    assert (one.status_code, one.json()) == (200, expected)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("search=CAR", ["cart"]),
        ("kind=owner", ["staff"]),
        ("kind=automatic", []),
        ("used=true", ["cart"]),
        ("used=false", ["staff"]),
    ],
)
def test_tags_are_found(
    owner_api: ApiClient,
    path: str,
    organization: Organization,
    keynote: ManagedApp,
    query: str,
    expected: list[str],
) -> None:
    factories.TagFactory(organization=organization, name="staff", kind="owner")

    assert names(owner_api.get(f"{path}?{query}")) == expected


def test_a_page_of_tags_costs_the_same_however_many_there_are(
    owner_api: ApiClient, path: str, organization: Organization, oakmont: Network, keynote: Any
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert owner_api.get(path).status_code == 200
        return len(asked)

    cost()  # the key's first use is noted
    for_one = cost()
    for tag in factories.TagFactory.create_batch(2, organization=organization):
        factories.DeviceFactory(organization=organization, network=oakmont, tag_ids=[tag.pk])
        factories.ManagedAppFactory(
            network=oakmont, scope_operator="withAny", scope_tag_ids=[tag.pk]
        )

    assert cost() == for_one


def test_a_tag_is_added_and_renamed(
    owner_api: ApiClient, path: str, organization: Organization
) -> None:
    added = owner_api.send("POST", path, {"name": " grade-4 ", "kind": "owner"})
    tag = Tag.objects.get()
    as_added = tag_json(tag, name="grade-4", kind="owner")
    renamed = owner_api.send("PUT", f"{path}/{tag.pk}", {"name": "grade-5"})

    assert (added.status_code, added.json()) == (201, as_added)
    assert (renamed.status_code, renamed.json()) == (200, as_added | {"name": "grade-5"})
    assert list(AuditEvent.objects.order_by("id").values_list("action", "before", "after")) == [
        ("tag.added", None, {"kind": "owner"}),
        ("tag.renamed", {"name": "grade-4"}, {"name": "grade-5"}),
    ]


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("two words", 400, "tag_wrong"),
        ("CART", 409, "tag_name_taken"),
        ("ipads", 409, "tag_name_taken"),
    ],
)
def test_a_name_that_cannot_be_is_refused(
    owner_api: ApiClient,
    path: str,
    organization: Organization,
    cart: Tag,
    name: str,
    status: int,
    code: str,
) -> None:
    other = factories.TagFactory(organization=organization, name="other")

    added = owner_api.send("POST", path, {"name": name})
    renamed = owner_api.send("PUT", f"{path}/{other.pk}", {"name": name})

    told = [(each.status_code, each.json()["code"]) for each in (added, renamed)]
    assert told == [(status, code)] * 2
    assert list(Tag.objects.order_by("pk")) == [cart, other]


def test_an_automatic_tag_stays_as_it_is(
    owner_api: ApiClient, path: str, organization: Organization
) -> None:
    automatic_tags.ensure(organization)
    tag = Tag.objects.get(name="ipads")

    answers = [
        owner_api.send("PUT", f"{path}/{tag.pk}", {"name": "tablets"}),
        owner_api.send("DELETE", f"{path}/{tag.pk}"),
        owner_api.send("DELETE", f"{path}/{tag.pk}?dryRun=true"),
        owner_api.send("POST", path, {"name": "tablets", "kind": "automatic"}),
    ]

    fixed = (409, "tag_is_fixed")
    told = [(each.status_code, each.json()["code"]) for each in answers]
    assert told[:3] == [fixed] * 3
    assert told[3][0] == 400
    assert Tag.objects.filter(name="ipads").exists()


def test_deleting_a_tag_is_foreseen_app_by_app_and_then_done(
    owner_api: ApiClient, path: str, cart: Tag, keynote: ManagedApp
) -> None:
    foreseen = owner_api.send("DELETE", f"{path}/{cart.pk}?dryRun=true")
    still_there = Tag.objects.filter(pk=cart.pk).exists()
    deleted = owner_api.send("DELETE", f"{path}/{cart.pk}")

    lost = app_json(keynote) | {
        "devicesLeaving": 0,
        "devicesJoining": 0,
        "namesNoDevice": True,
        "licensesFreed": 0,
        "licensesKept": 0,
        "graceDays": 3,
        "needsDecision": False,
        "message": "Keynote in Oakmont: no device leaves its scope, which then names no device.",
    }
    assert (foreseen.status_code, foreseen.json()) == (
        200,
        {"devices": 1, "owners": 1, "apps": [lost], "moreApps": 0},
    )
    assert still_there
    assert (deleted.status_code, Tag.objects.filter(pk=cart.pk).exists()) == (204, False)
    keynote.refresh_from_db()
    assert keynote.scope_tag_ids == []
    assert [row.tag_ids for row in (*Device.objects.all(), *Owner.objects.all())] == [[], [], []]


def test_licenses_that_a_deleted_tag_frees_are_counted(
    owner_api: ApiClient, path: str, organization: Organization, oakmont: Network, cart: Tag
) -> None:
    account = factories.VppAccountFactory(organization=organization, assignable_networks="all")
    title = factories.LicensedAppFactory(account=account, total_count=9)
    device = factories.DeviceFactory(network=oakmont, organization=organization, tag_ids=[cart.pk])
    app = factories.ManagedAppFactory(
        network=oakmont,
        app=title.app,
        adam_id=title.adam_id,
        scope_operator="withAny",
        scope_tag_ids=[cart.pk],
        revokes_automatically=True,
    )
    factories.ManagedAppAccountFactory(managed_app=app, account=account)
    factories.InstallationFactory(managed_app=app, device=device, state="licensed")
    factories.AssignmentFactory(
        licensed_app=title, holder=device.serial_number, origin="rule", rule_id=app.pk
    )

    [lost] = owner_api.send("DELETE", f"{path}/{cart.pk}?dryRun=true").json()["apps"]

    assert (lost["devicesLeaving"], lost["licensesFreed"], lost["licensesKept"]) == (1, 1, 0)
    assert "1 license is freed after 7 days" in lost["message"]


def test_whoever_sees_anything_sees_tags_and_full_admins_change_them(
    reader_api: ApiClient,
    network_admin_api: ApiClient,
    outsider_api: ApiClient,
    path: str,
    cart: Tag,
    keynote: ManagedApp,
) -> None:
    """Counted as far as they see devices, owners and apps."""
    one = f"{path}/{cart.pk}"
    writes = [("POST", path), ("PUT", one), ("DELETE", one), ("DELETE", f"{one}?dryRun=true")]
    clients = (reader_api, network_admin_api, outsider_api)

    read = [[api.get(each).status_code for each in (path, one)] for api in clients]
    wrote = [{api.send(*each).status_code for each in writes} for api in clients]

    assert read == [[200, 200], [200, 200], [404, 404]]
    assert wrote == [{403}, {403}, {404}]
    assert network_admin_api.get(one).json() == tag_json(cart)
    assert Tag.objects.get() == cart
