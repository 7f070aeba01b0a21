"""Configure > Owners: the list, its filters and its file; owners added, changed, deleted."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertRedirects

from licensing.models import Batch
from organizations.audit import Actor
from organizations.models import Admin, AuditEvent, Device, Organization, Owner, Tag
from organizations.tags import owner_tags
from tests.conftest import signed_in
from tests.factories import (
    DeviceFactory,
    MembershipFactory,
    OwnerFactory,
    TagFactory,
    VppAccountFactory,
    VppUserFactory,
)
from tests.reading import errors_of, text_of
from users import hooks, imports
from users.models import ImportRow, VppUser
from users.refusals import OwnerGone
from users.services.owners import OwnerDetails, add_owner, delete_owner, edit_owner, owner_facts
from vpp_accounts.models import VppAccount


@pytest.fixture
def ann(organization: Organization) -> Owner:
    return OwnerFactory(
        organization=organization, name="Ann Smith", email="ann@example.org", username="asmith"
    )


@pytest.fixture
def list_url(organization: Organization) -> str:
    return reverse("users:owner_list", args=[organization.pk])


@pytest.fixture
def add_url(organization: Organization) -> str:
    return reverse("users:owner_add", args=[organization.pk])


def edit_url(owner: Owner) -> str:
    return reverse("users:owner_edit", args=[owner.organization_id, owner.pk])


def delete_url(owner: Owner) -> str:
    return reverse("users:owner_delete", args=[owner.organization_id, owner.pk])


def typed(**changes: str) -> dict[str, str]:
    """The whole form, as a browser sends it."""
    blank = dict.fromkeys(("name", "username", "managed_apple_account", "tags", "language"), "")
    return {**blank, "email": "ben@example.org", **changes}


def typed_of(owner: Owner, **changes: str) -> dict[str, str]:
    fields = {name: getattr(owner, name) for name in typed() if name != "tags"}
    return {**fields, "tags": "", **changes}


def events() -> list[tuple[Any, ...]]:
    rows = AuditEvent.objects.exclude(action="tag.added").order_by("id")
    return list(rows.values_list("action", "target_name", "before", "after"))


def tagged(owner: Owner, by: Actor, *names: str) -> Owner:
    tags = owner_tags(by=by, organization=owner.organization, names=names)
    Owner.objects.filter(pk=owner.pk).update(tag_ids=[tag.pk for tag in tags])
    return owner


@contextmanager
def announced() -> Iterator[list[tuple[str, list[str]]]]:
    """Whom Apple knows by something else: account and e-mail addresses at Apple."""
    heard: list[tuple[str, list[str]]] = []

    def hear(sender: Any, *, account: VppAccount, user_ids: list[int], **kwargs: Any) -> None:
        users = VppUser.objects.filter(pk__in=user_ids).order_by("email")
        heard.append((account.name, list(users.values_list("email", flat=True))))

    hooks.people_changed.connect(hear)
    try:
        yield heard
    finally:
        hooks.people_changed.disconnect(hear)


def names_on(client: Client, url: str, **query: str) -> list[str]:
    """First column of the downloaded list."""
    answer = client.get(url, {**query, "format": "csv"})
    rows = csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig")))
    return [row["name"] for row in rows]


# --- The list -------------------------------------------------------------------------------------


def test_owner_list_shows_who_has_what_and_how_far_they_are(
    ann: Owner, account: VppAccount, list_url: str, by: Actor, owner_client: Client
) -> None:
    tagged(ann, by, "teachers", "north")
    DeviceFactory.create_batch(2, organization=ann.organization, owner=ann)
    VppUserFactory(account=account, owner=ann, email=ann.email, client_user_id="c-1")
    OwnerFactory(name="Somebody else's")

    answer = owner_client.get(list_url)

    page = text_of(answer)
    assert "Ann Smith ann@example.org asmith teachers north 2 devices Associated" in page
    assert "1 owner" in page
    assert "Somebody else's" not in page
    place = [ann.organization_id, account.pk, "user", "c-1"]
    assert reverse("licensing:holder_detail", args=place) in answer.content.decode()


def test_owner_list_names_the_account_where_there_are_several(
    ann: Owner, account: VppAccount, list_url: str, owner_client: Client
) -> None:
    south = VppAccountFactory(organization=ann.organization, name="Example Schools South")
    VppUserFactory(account=account, owner=ann)
    VppUserFactory(account=south, owner=ann, apple_status="Retired")

    page = text_of(owner_client.get(list_url))

    assert "Associated Example Schools North Retired Example Schools South" in page


def test_what_an_account_says_is_for_its_admins(
    ann: Owner, account: VppAccount, owner: Admin, owner_client: Client, reader_client: Client
) -> None:
    VppUserFactory(account=account, owner=ann)
    VppAccount.objects.update(allowed_admins="named")
    account.named_admins.add(owner)
    list_url = reverse("users:owner_list", args=[ann.organization_id])

    told = [
        (
            names_on(client, list_url, vpp="Associated"),
            len(client.get(edit_url(ann)).context["row"].registrations),
        )
        for client in (owner_client, reader_client)
    ]

    assert told == [(["Ann Smith"], 1), ([], 0)]
    assert "In no VPP account that is open to you" in text_of(reader_client.get(edit_url(ann)))


def test_owner_list_says_who_is_no_longer_in_the_source(
    ann: Owner, list_url: str, owner_client: Client
) -> None:
    Owner.objects.update(source="csv", missing_since=datetime.fromisoformat("2026-11-12T10:00Z"))

    page = text_of(owner_client.get(list_url))

    assert "No longer in the source since 12 Nov 2026" in page


def test_owner_list_starts_with_a_way_on(list_url: str, add_url: str, owner_client: Client) -> None:
    answer = owner_client.get(list_url)

    assert "No owners yet" in text_of(answer)
    assert answer.content.decode().count(add_url) == 2


@pytest.mark.parametrize("number", [1, 60])
def test_owner_list_costs_the_same_for_any_number(
    organization: Organization,
    account: VppAccount,
    list_url: str,
    by: Actor,
    owner_client: Client,
    number: int,
    django_assert_max_num_queries: Any,
) -> None:
    for owner in OwnerFactory.create_batch(number, organization=organization):
        DeviceFactory(organization=organization, owner=owner)
        VppUserFactory(account=account, owner=owner)
        tagged(owner, by, "teachers")

    with django_assert_max_num_queries(12):
        owner_client.get(list_url)


def test_owner_list_narrows(
    organization: Organization,
    ann: Owner,
    account: VppAccount,
    list_url: str,
    by: Actor,
    owner_client: Client,
) -> None:
    ben = OwnerFactory(
        organization=organization,
        name="Ben Hill",
        email="",
        managed_apple_account="bhill@school.example",
        source="csv",
        missing_since=timezone.now(),
    )
    tagged(ben, by, "students")
    VppUserFactory(account=account, owner=ann, apple_status="Registered", failure="Refused.")
    teachers = Tag.objects.get(name="students")

    found = {
        str(query): names_on(owner_client, list_url, **query)
        for query in (
            {"q": "SMITH"},
            {"q": "school.example"},
            {"q": "ann@"},
            {"tag": str(teachers.pk)},
            {"vpp": "Failed"},
            {"vpp": "none"},
            {"vpp": "Retired"},
            {"source": "csv"},
            {"listed": "no"},
            {"listed": "yes"},
        )
    }

    assert list(found.values()) == [
        ["Ann Smith"],
        ["Ben Hill"],
        ["Ann Smith"],
        ["Ben Hill"],
        ["Ann Smith"],
        ["Ben Hill"],
        [],
        ["Ben Hill"],
        ["Ben Hill"],
        ["Ann Smith"],
    ]


@pytest.mark.parametrize("query", ["tag=999999", "tag=x", "vpp=Gone", "after=nonsense", "sort=x"])
def test_owner_list_takes_any_address(
    ann: Owner, list_url: str, owner_client: Client, query: str
) -> None:
    assert owner_client.get(f"{list_url}?{query}").status_code == 200


def test_the_download_has_the_columns_of_the_import(
    ann: Owner, account: VppAccount, list_url: str, by: Actor, owner_client: Client
) -> None:
    tagged(ann, by, "teachers", "north")
    DeviceFactory(organization=ann.organization, owner=ann)
    VppUserFactory(account=account, owner=ann)

    answer = owner_client.get(list_url, {"format": "csv"})

    assert answer["Content-Disposition"].startswith('attachment; filename="owners-')
    assert list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig")))) == [
        ["name", "email", "username", "tags", "managedAppleAccount", "devices", "vppStatus"],
        ["Ann Smith", "ann@example.org", "asmith", "teachers north", "", "1", "Associated"],
    ]


def test_the_download_can_be_imported_again(
    organization: Organization, ann: Owner, list_url: str, by: Actor, owner_client: Client
) -> None:
    tagged(ann, by, "teachers", "north")
    OwnerFactory(
        organization=organization,
        name='=Ben "the" Hill; Jr., Müller',
        email="",
        username="+431234",
        managed_apple_account="ben@school.example",
    )
    content = owner_client.get(list_url, {"format": "csv"}).getvalue()

    begun = imports.start_import(
        by=by, organization=organization, file_name="owners.csv", content=content
    )
    imports.check(begun.pk)

    verdicts = ImportRow.objects.filter(people_import=begun).values_list("verdict", "message")
    assert list(verdicts) == [("unchanged", "")] * 2


# --- Doors ----------------------------------------------------------------------------------------


def test_readers_look_at_everything_and_change_nothing(
    ann: Owner, list_url: str, add_url: str, reader_client: Client
) -> None:
    looked = [reader_client.get(url).status_code for url in (list_url, edit_url(ann))]
    shut = [
        reader_client.get(add_url),
        reader_client.get(delete_url(ann)),
        reader_client.post(add_url, typed()),
        reader_client.post(edit_url(ann), typed()),
        reader_client.post(delete_url(ann)),
    ]

    assert looked == [200, 200]
    assert [answer.status_code for answer in shut] == [403] * 5
    assert "Your access does not include this." in reader_client.get(list_url).content.decode()


def test_admins_of_networks_have_no_owners(ann: Owner, list_url: str) -> None:
    membership = MembershipFactory(organization=ann.organization, access="none")
    client = signed_in(membership.admin)

    answers = [client.get(url) for url in (list_url, edit_url(ann))]
    home = client.get(reverse("licensing:overview", args=[ann.organization_id]))

    assert [answer.status_code for answer in answers] == [404, 404]
    assert list_url not in home.content.decode()


def test_outsiders_find_nobody(
    ann: Owner, list_url: str, outsider: Any, outsider_client: Client
) -> None:
    own = outsider.memberships.get().organization_id
    borrowed = reverse("users:owner_edit", args=[own, ann.pk])

    answers = [outsider_client.get(url) for url in (list_url, edit_url(ann), borrowed)]

    assert [answer.status_code for answer in answers] == [404, 404, 404]


# --- Add ------------------------------------------------------------------------------------------


def test_adding_an_owner(
    organization: Organization, add_url: str, list_url: str, owner_client: Client
) -> None:
    TagFactory(organization=organization, name="north", kind="device")
    told = typed(
        name=" Ben Hill ", username="bhill", tags="teachers, North  Teachers", language="de"
    )

    answer = owner_client.post(add_url, told)

    assertRedirects(answer, list_url)
    ben = Owner.objects.get()
    facts = {
        "name": "Ben Hill",
        "email": "ben@example.org",
        "username": "bhill",
        "tags": ["teachers", "north"],
        "language": "de",
    }
    assert (owner_facts(ben), ben.source) == (facts, "page")
    assert events() == [("owner.added", "Ben Hill", None, facts)]
    tags = list(Tag.objects.order_by("name").values_list("name", "kind"))
    assert tags == [("north", "device"), ("teachers", "owner")]
    assert AuditEvent.objects.filter(action="tag.added").get().target_name == "teachers"


def test_who_has_no_name_is_listed_by_what_they_have(add_url: str, owner_client: Client) -> None:
    owner_client.post(add_url, typed(email="", managed_apple_account="ben@school.example"))

    assert Owner.objects.get().name == "ben@school.example"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"email": ""},
            "An owner needs a name, or else an e-mail address, a username or a Managed Apple"
            " Account.",
        ),
        (
            {"email": "ben"},
            "“ben” is no e-mail address. Give one like ann@example.org.",
        ),
        (
            {"email": "ANN@example.org"},
            "“Ann Smith” of this organization has the e-mail address ANN@example.org. Choose that"
            " person, or another address.",
        ),
        (
            {"managed_apple_account": "Ann@School.example"},
            "“Ann Smith” of this organization has the Managed Apple Account Ann@School.example."
            " Choose that person, or another account.",
        ),
        ({"name": "x" * 201}, "Names have at most 200 characters."),
        (
            {"tags": "ios"},
            "“ios” is an automatic tag, which devices get by themselves. Choose another word.",
        ),
        ({"tags": "y" * 101}, f"“{'y' * 20}…” is longer than 100 characters. Shorten it."),
        ({"language": "tlh"}, "Select a valid choice. tlh is not one of the available choices."),
        ({"email": "a\0nn@example.org"}, "Null characters are not allowed."),
    ],
)
def test_what_cannot_be_an_owner(
    changes: dict[str, str], sentence: str, ann: Owner, add_url: str, owner_client: Client
) -> None:
    TagFactory(organization=ann.organization, name="iOS", kind="automatic")
    Owner.objects.update(managed_apple_account="ann@school.example")

    answer = owner_client.post(add_url, typed(**changes))

    assert errors_of(answer) == [sentence]
    assert list(Owner.objects.all()) == [ann]
    assert events() == []


def test_merging_by_email_while_adding_fills_the_blanks(
    ann: Owner, add_url: str, by: Actor, owner_client: Client
) -> None:
    tagged(ann, by, "north")
    told = typed(
        name="A. Smith",
        email="Ann@Example.org",
        managed_apple_account="ann@school.example",
        tags="teachers",
    )

    refused = owner_client.post(add_url, told)
    merged = owner_client.post(add_url, {**told, "merge": "1"})

    assert "Merge by e-mail" in text_of(refused)
    assertRedirects(merged, reverse("users:owner_list", args=[ann.organization_id]))
    assert owner_facts(Owner.objects.get()) == {
        "name": "Ann Smith",
        "email": "ann@example.org",
        "username": "asmith",
        "managedAppleAccount": "ann@school.example",
        "tags": ["north", "teachers"],
    }


# --- Edit -----------------------------------------------------------------------------------------


def test_the_page_of_an_owner_shows_devices_and_accounts(
    ann: Owner, account: VppAccount, reader_client: Client
) -> None:
    DeviceFactory.create_batch(11, organization=ann.organization, owner=ann)
    VppUserFactory(account=account, owner=ann, apple_status="", failure="Apple refused it.")

    page = text_of(reader_client.get(edit_url(ann)))

    assert "Example Schools North Apple refused it. Failed" in page
    assert "Devices 11 Apple limits each Apple ID to 10 devices." in page


def test_editing_records_what_changed_and_carries_the_name(
    ann: Owner, account: VppAccount, list_url: str, owner_client: Client
) -> None:
    VppUserFactory(account=account, owner=ann, name="Ann Smith")

    with announced() as heard:
        answer = owner_client.post(edit_url(ann), typed_of(ann, name="Ann Miller"))

    assertRedirects(answer, list_url)
    assert events() == [
        ("owner.edited", "Ann Miller", {"name": "Ann Smith"}, {"name": "Ann Miller"})
    ]
    assert VppUser.objects.get().name == "Ann Miller"
    assert heard == []


def test_apple_is_told_of_another_address_in_every_account_that_knows_the_person(
    ann: Owner, account: VppAccount, owner_client: Client
) -> None:
    other = [
        VppAccountFactory(organization=ann.organization, name=name) for name in ("South", "West")
    ]
    VppUserFactory(account=account, owner=ann, email="ann@example.org")
    VppUserFactory(account=other[0], owner=ann, email="ann@example.org", apple_status="Retired")
    unknown = VppUserFactory(account=other[1], owner=ann, email="ann@example.org", apple_status="")

    with announced() as heard:
        owner_client.post(edit_url(ann), typed_of(ann, email="ann@new.example"))

    assert heard == [("Example Schools North", ["ann@example.org"])]
    assert Batch.objects.get(kind="update").account == account
    unknown.refresh_from_db()
    assert unknown.email == "ann@new.example"


def test_saving_without_a_change_leaves_no_trace(
    ann: Owner, account: VppAccount, owner_client: Client
) -> None:
    VppUserFactory(account=account, owner=ann)

    with announced() as heard:
        owner_client.post(edit_url(ann), typed_of(ann))

    assert (events(), heard) == ([], [])


def test_a_person_of_an_account_keeps_an_address(
    ann: Owner, account: VppAccount, owner_client: Client
) -> None:
    VppUserFactory(account=account, owner=ann)

    answer = owner_client.post(edit_url(ann), typed_of(ann, email=""))

    assert errors_of(answer) == [
        "“Ann Smith” is a person of “Example Schools North”, who must have an e-mail address"
        " or a Managed Apple Account. Give another one, or retire the person there first."
    ]


def test_an_address_of_somebody_else_leads_to_merging(
    ann: Owner, organization: Organization, owner_client: Client
) -> None:
    ben = OwnerFactory(organization=organization, name="Ben Hill", email="ben@example.org")

    answer = owner_client.post(edit_url(ben), typed_of(ben, email="Ann@example.org"))

    merge = reverse("users:owner_merge", args=[organization.pk, ann.pk])
    assert f'href="{merge}?with={ben.pk}"' in answer.content.decode()


def test_details_that_say_nothing_change_nothing(ann: Owner, by: Actor) -> None:
    tagged(ann, by, "north")

    edit_owner(by=by, owner=ann, details=OwnerDetails(username="ann"))

    assert owner_facts(Owner.objects.get()) == {
        "name": "Ann Smith",
        "email": "ann@example.org",
        "username": "ann",
        "tags": ["north"],
    }


def test_who_was_deleted_meanwhile_is_said(ann: Owner, by: Actor) -> None:
    Owner.objects.all().delete()

    with pytest.raises(OwnerGone):
        edit_owner(by=by, owner=ann, details=OwnerDetails(name="Ann"))


# --- Delete ---------------------------------------------------------------------------------------


def test_deleting_says_what_ends_and_what_stays(
    ann: Owner, account: VppAccount, list_url: str, owner_client: Client
) -> None:
    device = DeviceFactory(organization=ann.organization, owner=ann)
    retired = VppUserFactory(account=account, owner=ann, name=ann.name, apple_status="Retired")

    page = text_of(owner_client.get(delete_url(ann)))
    answer = owner_client.post(delete_url(ann))

    assert "1 device loses its owner" in page
    assert "Retired in 1 VPP account" in page
    assertRedirects(answer, list_url)
    assert list(Owner.objects.all()) == []
    assert Device.objects.get(pk=device.pk).owner is None
    assert VppUser.objects.filter(pk=retired.pk).values_list("owner", "name").get() == (
        None,
        "Ann Smith",
    )
    before = {"name": "Ann Smith", "email": "ann@example.org", "username": "asmith", "devices": 1}
    assert events() == [("owner.deleted", "Ann Smith", before, None)]


@pytest.mark.parametrize("status", ["", "Registered", "Associated"])
def test_who_may_hold_licenses_is_not_deleted(
    ann: Owner, account: VppAccount, by: Actor, owner_client: Client, status: str
) -> None:
    VppUserFactory(account=account, owner=ann, apple_status=status)

    page = text_of(owner_client.get(delete_url(ann)))
    answer = owner_client.post(delete_url(ann))

    assert "Retire Ann Smith in Example Schools North, then delete." in page
    assert answer.status_code == 200
    assert (list(Owner.objects.all()), events()) == ([ann], [])


# --- Tags -----------------------------------------------------------------------------------------


def test_tags_are_made_once_whatever_their_case(organization: Organization, by: Actor) -> None:
    first = owner_tags(by=by, organization=organization, names=["Nord", "ÄRZTE"])

    again = owner_tags(by=by, organization=organization, names=["ärzte", "nord", "Nord"])

    assert again == first[::-1]
    assert Tag.objects.count() == 2
    assert AuditEvent.objects.filter(action="tag.added").count() == 2


def test_tags_cost_the_same_for_any_number(organization: Organization, by: Actor) -> None:
    names = [f"tag-{number}" for number in range(500)]

    with CaptureQueriesContext(connection) as queries:
        owner_tags(by=by, organization=organization, names=names)

    assert len(queries) == 4


def test_owners_may_be_added_by_programs(organization: Organization, by: Actor) -> None:
    details = OwnerDetails(name="Ben Hill", tags=("north campus",))

    with pytest.raises(Exception, match="has a space in it") as refused:
        add_owner(by=by, organization=organization, details=details, source=Owner.Source.API)

    assert refused.value.field == "tags"
    assert list(Owner.objects.all()) == []


def test_deleting_twice_is_said(ann: Owner, by: Actor) -> None:
    delete_owner(by=by, owner=ann)

    with pytest.raises(OwnerGone):
        delete_owner(by=by, owner=ann)
