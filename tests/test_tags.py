"""Configure > Tags: the list, a tag added, renamed and deleted, and what ends with it."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertRedirects

from apps_catalog import hooks as catalog_hooks
from apps_catalog.models import ManagedApp
from licensing.tables.tags import TagList
from organizations import automatic_tags, hooks
from organizations.access import membership_or_404
from organizations.audit import Actor
from organizations.models import Admin, AuditEvent, Network, Organization, Tag
from organizations.tags import (
    TagGone,
    TagIsFixed,
    TagNameTaken,
    add_tag,
    delete_tags,
    device_tags,
    rename_tag,
)
from tests.conftest import signed_in
from tests.factories import (
    AppFactory,
    AssignmentFactory,
    DeviceFactory,
    InstallationFactory,
    LicensedAppFactory,
    ManagedAppAccountFactory,
    ManagedAppFactory,
    MembershipFactory,
    NetworkAccessFactory,
    NetworkFactory,
    OwnerFactory,
    TagFactory,
    VppAccountFactory,
)
from tests.reading import errors_of, text_of


@pytest.fixture
def oakmont(organization: Organization) -> Network:
    return NetworkFactory(organization=organization, name="Oakmont")


@pytest.fixture
def cart(organization: Organization) -> Tag:
    return TagFactory(organization=organization, name="cart")


@pytest.fixture
def list_url(organization: Organization) -> str:
    return reverse("licensing:tag_list", args=[organization.pk])


@pytest.fixture
def add_url(organization: Organization) -> str:
    return reverse("licensing:tag_add", args=[organization.pk])


def edit_url(tag: Tag) -> str:
    return reverse("licensing:tag_edit", args=[tag.organization_id, tag.pk])


def delete_url(tag: Tag) -> str:
    return reverse("licensing:tag_delete", args=[tag.organization_id, tag.pk])


def keynote(network: Network, *tags: Tag, **more: Any) -> ManagedApp:
    facts: dict[str, Any] = {"scope_operator": "withAny", **more}
    if "app" not in more:
        facts["app__name"] = "Keynote"
    return ManagedAppFactory(network=network, scope_tag_ids=[tag.pk for tag in tags], **facts)


def events() -> list[tuple[Any, ...]]:
    rows = AuditEvent.objects.order_by("id")
    return list(rows.values_list("action", "target_name", "before", "after"))


def lines_of(client: Client, url: str) -> list[dict[str, str]]:
    text = client.get(f"{url}?format=csv").getvalue().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def network_admin(network: Network) -> Admin:
    membership = MembershipFactory(organization=network.organization, access="none")
    NetworkAccessFactory(membership=membership, network=network, can_write=True)
    return membership.admin


# --- The list ---------------------------------------------------------------------------------------


def test_the_list_counts_own_and_inherited_devices_once(
    organization: Organization, oakmont: Network, cart: Tag, owner_client: Client, list_url: str
) -> None:
    staff = TagFactory(organization=organization, name="staff", kind="owner")
    ann = OwnerFactory(organization=organization, tag_ids=[staff.pk, cart.pk])
    DeviceFactory(network=oakmont, organization=organization, tag_ids=[cart.pk], owner=ann)
    DeviceFactory(network=oakmont, organization=organization, owner=ann)
    DeviceFactory(network=oakmont, organization=organization, tag_ids=[cart.pk])
    keynote(oakmont, cart, staff)

    rows = lines_of(owner_client, list_url)

    names = ("name", "kind", "devices", "owners", "devicesInAll", "usedBy")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("cart", "Device tag", "2", "1", "3", "Keynote in Oakmont"),
        ("staff", "Owner tag", "0", "1", "2", "Keynote in Oakmont"),
    ]


def test_automatic_tags_are_listed_with_whom_they_fit(
    organization: Organization, oakmont: Network, owner_client: Client, list_url: str
) -> None:
    automatic_tags.ensure(organization)
    DeviceFactory(network=oakmont, organization=organization, platform="iPadOS")
    DeviceFactory(network=oakmont, organization=organization, platform="macOS")

    page = text_of(owner_client.get(f"{list_url}?q=ipads"))
    (row,) = lines_of(owner_client, f"{list_url}")[1:2]

    assert "ipads iPadOS Automatic tag 1" in page
    assert (row["name"], row["devicesInAll"]) == ("ios-devices", "1")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=STA", ["staff"]),
        ("kind=owner", ["staff"]),
        ("used=yes", ["cart"]),
        ("used=no", ["spare", "staff"]),
        ("sort=-name", ["staff", "spare", "cart"]),
    ],
)
def test_the_list_is_filtered_and_sorted(
    organization: Organization,
    oakmont: Network,
    cart: Tag,
    owner: Admin,
    query: str,
    names: list[str],
) -> None:
    TagFactory(organization=organization, name="staff", kind="owner")
    TagFactory(organization=organization, name="spare")
    keynote(oakmont, cart)

    listing = TagList(QueryDict(query), membership_or_404(owner, organization.pk))

    assert [row.tag.name for row in listing.rows] == names


def test_many_tags_cost_as_many_statements_as_one(
    organization: Organization, oakmont: Network, owner_client: Client, list_url: str
) -> None:
    automatic_tags.ensure(organization)

    def add(number: int) -> None:
        tag = TagFactory(organization=organization)
        ann = OwnerFactory(organization=organization, tag_ids=[tag.pk])
        DeviceFactory(organization=organization, network=oakmont, tag_ids=[tag.pk], owner=ann)
        keynote(oakmont, tag)

    add(1)
    owner_client.get(list_url)
    with CaptureQueriesContext(connection) as one:
        owner_client.get(list_url)
    add(2)
    add(3)
    with CaptureQueriesContext(connection) as three:
        owner_client.get(list_url)

    assert len(three) == len(one)


def test_network_admins_see_their_own_part_and_change_nothing(
    organization: Organization, oakmont: Network, cart: Tag, list_url: str, add_url: str
) -> None:
    annexe = NetworkFactory(organization=organization, name="Annexe")
    DeviceFactory(organization=organization, network=oakmont, tag_ids=[cart.pk])
    DeviceFactory(organization=organization, network=annexe, tag_ids=[cart.pk])
    keynote(annexe, cart)
    client = signed_in(network_admin(oakmont))

    (row,) = lines_of(client, list_url)
    page = text_of(client.get(edit_url(cart)))
    answers = [
        client.get(add_url).status_code,
        client.post(edit_url(cart), {"name": "trolley"}).status_code,
        client.post(delete_url(cart)).status_code,
    ]

    assert (row["devices"], row["devicesInAll"], row["usedBy"]) == ("1", "1", "")
    assert "No app has it in its scope." in page
    assert (answers, [str(tag) for tag in Tag.objects.all()]) == ([403, 403, 403], ["cart"])


def test_readers_see_it_and_outsiders_do_not(
    cart: Tag, reader_client: Client, outsider_client: Client, list_url: str
) -> None:
    pages = [list_url, edit_url(cart)]

    seen = [reader_client.get(url).status_code for url in pages]
    hidden = [outsider_client.get(url).status_code for url in (*pages, delete_url(cart))]

    assert (seen, hidden) == ([200, 200], [404, 404, 404])
    assert reader_client.post(edit_url(cart), {"name": "trolley"}).status_code == 403
    assert 'aria-disabled="true"' in reader_client.get(list_url).content.decode()


# --- Adding and renaming ----------------------------------------------------------------------------


def test_a_tag_is_added(owner_client: Client, add_url: str, list_url: str) -> None:
    answer = owner_client.post(add_url, {"name": " cart ", "kind": "device"})

    assertRedirects(answer, list_url, fetch_redirect_response=False)
    assert [(str(tag), tag.kind) for tag in Tag.objects.all()] == [("cart", "device")]
    assert events() == [("tag.added", "cart", None, {"kind": "device"})]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", "A tag needs a name: one word without spaces."),
        ("CART", "This organization already has a tag “CART”, in whatever case."),
        ("two words", "“two words” has a space in it. A tag is one word: use - or _ instead."),
        ("x" * 101, "is longer than 100 characters. Shorten it."),
        ("iPads", "This organization already has a tag “iPads”, in whatever case."),
    ],
)
def test_a_wrong_name_is_said_beside_it(
    cart: Tag, owner_client: Client, add_url: str, name: str, error: str
) -> None:
    added = owner_client.post(add_url, {"name": name, "kind": "device"})
    trolley = TagFactory(organization=cart.organization, name="trolley")
    renamed = owner_client.post(edit_url(trolley), {"name": name})

    assert [error in " ".join(errors_of(answer)) for answer in (added, renamed)] == [True, True]
    assert sorted(str(tag) for tag in Tag.objects.all()) == ["cart", "trolley"]


def test_automatic_ones_cannot_be_chosen_as_a_kind(owner_client: Client, add_url: str) -> None:
    answer = owner_client.post(add_url, {"name": "cart", "kind": "automatic"})

    assert (answer.status_code, list(Tag.objects.all())) == (200, [])


def test_another_name_changes_nothing_else(
    oakmont: Network, cart: Tag, owner_client: Client, list_url: str
) -> None:
    device = DeviceFactory(organization=cart.organization, network=oakmont, tag_ids=[cart.pk])
    app = keynote(oakmont, cart)

    answer = owner_client.post(edit_url(cart), {"name": "CART"})

    assertRedirects(answer, list_url, fetch_redirect_response=False)
    for row in (cart, device, app):
        row.refresh_from_db()
    assert (cart.name, device.tag_ids, app.scope_tag_ids) == ("CART", [cart.pk], [cart.pk])
    assert events() == [("tag.renamed", "CART", {"name": "cart"}, {"name": "CART"})]


def test_the_same_name_again_is_no_change(cart: Tag, by: Actor) -> None:
    assert rename_tag(by=by, tag=cart, name="cart") == cart
    assert events() == []


def test_automatic_tags_stay_as_they_are(
    organization: Organization, by: Actor, owner_client: Client
) -> None:
    automatic_tags.ensure(organization)
    ipads = Tag.objects.get(name="ipads")

    page = text_of(owner_client.get(edit_url(ipads)))
    renamed = owner_client.post(edit_url(ipads), {"name": "tablets"})
    asked = text_of(owner_client.get(delete_url(ipads)))
    owner_client.post(delete_url(ipads))

    assert "Devices get and lose it by themselves; nobody can change or delete it." in page
    assert "“ipads” is an automatic tag, which nobody can change or delete." in text_of(renamed)
    assert "ipads cannot be deleted." in asked
    assert Tag.objects.filter(name="ipads", kind="automatic").exists()
    with pytest.raises(TagIsFixed):
        add_tag(by=by, organization=organization, name="tablets", kind=Tag.Kind.AUTOMATIC)


def test_what_is_gone_meanwhile_is_said(cart: Tag, by: Actor) -> None:
    delete_tags(by=by, organization=cart.organization, tags=[cart])

    with pytest.raises(TagGone):
        rename_tag(by=by, tag=cart, name="trolley")
    with pytest.raises(TagGone):
        delete_tags(by=by, organization=cart.organization, tags=[cart])


def test_devices_get_tags_of_their_own_kind(organization: Organization, by: Actor) -> None:
    staff = TagFactory(organization=organization, name="staff", kind="owner")

    tags = device_tags(by=by, organization=organization, names=["cart", "STAFF"])

    assert tags[1] == staff
    assert [(tag.name, tag.kind) for tag in tags] == [("cart", "device"), ("staff", "owner")]


def test_two_tags_of_one_name_are_refused_whoever_is_first(
    cart: Tag, organization: Organization, by: Actor
) -> None:
    trolley = TagFactory(organization=organization, name="trolley")

    with pytest.raises(TagNameTaken):
        rename_tag(by=by, tag=trolley, name="Cart")

    assert events() == []


# --- Deleting ---------------------------------------------------------------------------------------


def test_a_deleted_tag_is_nowhere_any_more(
    organization: Organization, oakmont: Network, cart: Tag, owner_client: Client, list_url: str
) -> None:
    other = TagFactory(organization=organization, name="other")
    ann = OwnerFactory(organization=organization, tag_ids=[other.pk, cart.pk])
    ipad = DeviceFactory(
        organization=organization, network=oakmont, tag_ids=[cart.pk, other.pk], owner=ann
    )
    app = keynote(oakmont, cart, other)

    answer = owner_client.post(delete_url(cart))

    assertRedirects(answer, list_url, fetch_redirect_response=False)
    for row in (ann, ipad, app):
        row.refresh_from_db()
    assert (ann.tag_ids, ipad.tag_ids, app.scope_tag_ids) == ([other.pk],) * 3
    assert list(Tag.objects.all()) == [other]
    words = "Devices with any of these tags"
    assert events() == [
        (
            *("managed_app.scope_changed", "Keynote"),
            {"scope": f"{words}: cart, other"},
            {"scope": f"{words}: other"},
        ),
        ("tag.deleted", "cart", {"kind": "device", "devices": 1, "owners": 1}, None),
    ]


def test_what_depends_on_it_is_told(
    organization: Organization, oakmont: Network, cart: Tag, by: Actor
) -> None:
    ann = OwnerFactory(organization=organization, tag_ids=[cart.pk])
    facts = {"organization": organization, "network": oakmont}
    own, inherited = DeviceFactory(tag_ids=[cart.pk], **facts), DeviceFactory(owner=ann, **facts)
    DeviceFactory(**facts)
    app = keynote(oakmont, cart)
    told: list[Any] = []

    def hear_devices(sender: Any, device_ids: Any, cause: str, **kwargs: Any) -> None:
        told.append((device_ids, cause))

    def hear_apps(sender: Any, managed_app_ids: Any, cause: str, **kwargs: Any) -> None:
        told.append((managed_app_ids, cause))

    hooks.devices_changed.connect(hear_devices)
    catalog_hooks.managed_apps_changed.connect(hear_apps)
    delete_tags(by=by, organization=organization, tags=[cart])

    assert told == [([app.pk], "tag deleted"), ([own.pk, inherited.pk], "tag deleted")]


def test_before_it_is_deleted_the_page_says_what_ends(
    organization: Organization, oakmont: Network, cart: Tag, owner_client: Client
) -> None:
    app = keynote(oakmont, cart)
    for _ in range(2):
        ipad = DeviceFactory(organization=organization, network=oakmont, tag_ids=[cart.pk])
        InstallationFactory(managed_app=app, device=ipad)

    page = text_of(owner_client.get(delete_url(cart)))

    assert "2 devices lose the tag, and 0 owners with 0 more devices." in page
    assert "Keynote in Oakmont: 2 devices leave its scope, which then names no device" in page


def test_what_becomes_of_licenses_is_said_app_by_app(
    organization: Organization, oakmont: Network, cart: Tag, owner_client: Client
) -> None:
    north = VppAccountFactory(organization=organization)
    title = LicensedAppFactory(account=north, app__name="Keynote")
    app = keynote(oakmont, cart, app=title.app, revokes_automatically=True)
    ManagedAppAccountFactory(managed_app=app, account=north)
    for origin, rule in (("rule", app.pk), ("rule", app.pk), ("manual", None)):
        ipad = DeviceFactory(organization=organization, network=oakmont, tag_ids=[cart.pk])
        InstallationFactory(managed_app=app, device=ipad, state="licensed")
        AssignmentFactory(
            licensed_app=title, holder=ipad.serial_number, origin=origin, rule_id=rule
        )

    page = text_of(owner_client.get(delete_url(cart)))

    assert (
        "Keynote in Oakmont: 3 devices leave its scope, which then names no device; 2 licenses are"
        " freed after 7 days; 1 license stays because a person granted it."
    ) in page


def test_a_scope_that_keeps_devices_out_lets_them_in(
    organization: Organization, oakmont: Network, cart: Tag, owner_client: Client
) -> None:
    staff = TagFactory(organization=organization, name="staff")
    keynote(oakmont, cart, staff, scope_operator="withoutAny", counted_at=timezone.now())
    DeviceFactory(organization=organization, network=oakmont, tag_ids=[cart.pk])

    page = text_of(owner_client.get(delete_url(cart)))

    assert "Keynote in Oakmont: no device leaves its scope; 1 device comes into it." in page


def test_what_no_app_uses_ends_quietly(cart: Tag, owner_client: Client) -> None:
    page = text_of(owner_client.get(delete_url(cart)))

    assert "No app has it in its scope, so nothing else changes." in page


def test_deleting_costs_the_same_for_any_number(
    organization: Organization, oakmont: Network, by: Actor
) -> None:
    def cost(devices: int) -> int:
        tag = TagFactory(organization=organization)
        for _ in range(devices):
            DeviceFactory(organization=organization, network=oakmont, tag_ids=[tag.pk])
            keynote(oakmont, tag, app=AppFactory())
        with CaptureQueriesContext(connection) as queries:
            delete_tags(by=by, organization=organization, tags=[tag])
        return len(queries)

    assert cost(1) == cost(5)
