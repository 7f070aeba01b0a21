"""Two owners who are one person."""

from dataclasses import astuple
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertRedirects

from organizations.audit import Actor
from organizations.models import Device, Organization, Owner
from tests.factories import DeviceFactory, OwnerFactory, VppAccountFactory, VppUserFactory
from tests.reading import text_of
from tests.test_owners import announced, events, tagged
from users.models import VppUser
from users.refusals import MergedWithItself, OwnerGone
from users.services.merging import merge_owners, plan_merge
from users.services.owners import owner_facts
from vpp_accounts.models import VppAccount


@pytest.fixture
def ann(organization: Organization) -> Owner:
    return OwnerFactory(
        organization=organization, name="Ann Smith", email="ann@example.org", username=""
    )


@pytest.fixture
def twin(organization: Organization) -> Owner:
    return OwnerFactory(
        organization=organization,
        name="Smith, Ann",
        email="asmith@old.example",
        username="asmith",
        managed_apple_account="ann@school.example",
        language="de",
    )


def merge_url(keep: Owner, other: Owner | None = None) -> str:
    page = reverse("users:owner_merge", args=[keep.organization_id, keep.pk])
    return f"{page}?with={other.pk}" if other else page


def test_merging_fills_blanks_and_moves_everything(
    ann: Owner, twin: Owner, account: VppAccount, by: Actor, owner_client: Client
) -> None:
    tagged(ann, by, "north")
    tagged(twin, by, "teachers", "North")
    device = DeviceFactory(organization=ann.organization, owner=twin)
    person = VppUserFactory(account=account, owner=twin, name="Smith, Ann", email=twin.email)

    with announced() as heard:
        answer = owner_client.post(merge_url(ann, twin))

    assertRedirects(answer, reverse("users:owner_edit", args=[ann.organization_id, ann.pk]))
    assert owner_facts(Owner.objects.get()) == {
        "name": "Ann Smith",
        "email": "ann@example.org",
        "username": "asmith",
        "managedAppleAccount": "ann@school.example",
        "tags": ["north", "teachers"],
        "language": "de",
    }
    assert Device.objects.get(pk=device.pk).owner == ann
    moved = VppUser.objects.get(pk=person.pk)
    assert (moved.owner, moved.name) == (ann, "Ann Smith")
    assert heard == [("Example Schools North", ["asmith@old.example"])]
    assert events() == [
        (
            "owner.merged",
            "Ann Smith",
            {"tags": ["north"]},
            {
                "username": "asmith",
                "managedAppleAccount": "ann@school.example",
                "tags": ["north", "teachers"],
                "language": "de",
                "mergedWith": "Smith, Ann, asmith@old.example, asmith, ann@school.example",
                "devicesMoved": 1,
                "registrationsMoved": 1,
            },
        )
    ]


def test_the_address_of_the_other_one_is_taken_over(ann: Owner, twin: Owner, by: Actor) -> None:
    Owner.objects.filter(pk=ann.pk).update(email="")

    merge_owners(by=by, keep=ann, other=twin)

    assert Owner.objects.get().email == "asmith@old.example"


def test_apple_hears_only_of_what_it_does_not_know(ann: Owner, by: Actor) -> None:
    """The other one adds a username, of which Apple knows nothing."""
    known = VppUserFactory(
        account=VppAccountFactory(organization=ann.organization), owner=ann, email=ann.email
    )
    other = OwnerFactory(organization=ann.organization, name="Ann", email="", username="ann")

    with announced() as heard:
        merge_owners(by=by, keep=known.owner, other=other)

    assert heard == []
    assert Owner.objects.get().username == "ann"


def test_a_search_for_what_no_name_has_finds_nobody(ann: Owner, owner_client: Client) -> None:
    answer = owner_client.get(merge_url(ann), {"q": "a\0b"})

    assert (answer.status_code, answer.context["candidates"]) == (200, [])


def test_both_are_shown_beside_the_result(
    ann: Owner, twin: Owner, account: VppAccount, owner_client: Client
) -> None:
    VppUserFactory(account=account, owner=twin)

    answer = owner_client.get(merge_url(ann, twin))

    assert [astuple(line) for line in answer.context["lines"]] == [
        ("Name", "Ann Smith", "Smith, Ann", "Ann Smith"),
        ("Email", "ann@example.org", "asmith@old.example", "ann@example.org"),
        ("Username", "", "asmith", "asmith"),
        ("Managed Apple Account", "", "ann@school.example", "ann@school.example"),
        ("Language", "", "Deutsch", "Deutsch"),
        ("VPP status", "", "Associated", "Associated"),
    ]
    assert "Email ann@example.org asmith@old.example ann@example.org" in text_of(answer)


def test_two_active_people_of_one_account_stay_two(
    ann: Owner, twin: Owner, account: VppAccount, owner_client: Client
) -> None:
    VppUserFactory(account=account, owner=ann, apple_status="Registered")
    VppUserFactory(account=account, owner=twin)

    page = owner_client.get(merge_url(ann, twin))
    answer = owner_client.post(merge_url(ann, twin))

    sentence = (
        "“Ann Smith” and “Smith, Ann” are both people of “Example Schools North”, and one person"
        " is there only once. Retire one of them there first."
    )
    assert sentence in text_of(page)
    assert "btn-danger disabled" in page.content.decode()
    assert sentence in text_of(answer)
    assert Owner.objects.count() == 2
    assert events() == []


def test_a_retired_one_beside_an_active_one_is_history(
    ann: Owner, twin: Owner, account: VppAccount, by: Actor
) -> None:
    VppUserFactory(account=account, owner=ann)
    VppUserFactory(account=account, owner=twin, apple_status="Retired")

    merge_owners(by=by, keep=ann, other=twin)

    assert VppUser.objects.filter(owner=ann).count() == 2


@pytest.mark.parametrize(
    ("sources", "missing", "result"),
    [
        (("page", "csv"), (False, False), ("csv", False)),
        (("page", "csv"), (False, True), ("csv", True)),
        (("csv", "csv"), (True, False), ("csv", False)),
        (("csv", "csv"), (True, True), ("csv", True)),
        (("api", "page"), (False, False), ("api", False)),
    ],
)
def test_whoever_one_of_them_is_still_listed_as_is_not_missing(
    sources: tuple[str, str], missing: tuple[bool, bool], result: tuple[str, bool]
) -> None:
    keep, other = (
        Owner(source=source, missing_since=timezone.now() if gone else None)
        for source, gone in zip(sources, missing, strict=True)
    )

    said = plan_merge(keep, other)

    assert (said["source"], bool(said["missing_since"])) == result


def test_the_other_one_is_chosen_by_name_or_searched(
    ann: Owner, twin: Owner, owner_client: Client
) -> None:
    namesake = OwnerFactory(organization=ann.organization, name="Ann Smith", email="a@b.example")

    proposed = owner_client.get(merge_url(ann))
    found = owner_client.get(merge_url(ann), {"q": "asmith"})
    nobody = text_of(owner_client.get(merge_url(ann), {"q": "zzz"}))

    def chosen(answer: Any) -> list[Owner]:
        return [row.owner for row in answer.context["candidates"]]

    assert (chosen(proposed), chosen(found)) == ([namesake], [twin])
    assert "No other owner matches “zzz”." in nobody


def test_merging_takes_two_owners_of_one_organization(
    ann: Owner, twin: Owner, by: Actor, owner_client: Client
) -> None:
    theirs = OwnerFactory()

    answers = [
        owner_client.get(merge_url(ann, theirs)),
        owner_client.post(merge_url(ann, theirs)),
        owner_client.get(f"{merge_url(ann)}?with=x"),
        owner_client.get(f"{merge_url(ann)}?with={'9' * 30}"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    itself = text_of(owner_client.get(merge_url(ann, ann)))
    assert "Choose another owner of this organization to merge with." in itself
    for other in (ann, theirs):
        with pytest.raises(MergedWithItself):
            merge_owners(by=by, keep=ann, other=other)
    assert Owner.objects.count() == 3


def test_merging_with_somebody_who_is_no_more(ann: Owner, twin: Owner, by: Actor) -> None:
    Owner.objects.filter(pk=twin.pk).delete()

    with pytest.raises(OwnerGone):
        merge_owners(by=by, keep=ann, other=twin)


def test_readers_and_outsiders_merge_nobody(
    ann: Owner, twin: Owner, reader_client: Client, outsider_client: Client
) -> None:
    url = merge_url(ann, twin)

    answers = [
        answer.status_code
        for client in (reader_client, outsider_client)
        for answer in (client.get(url), client.post(url))
    ]

    assert answers == [403, 403, 404, 404]
    assert Owner.objects.count() == 2
