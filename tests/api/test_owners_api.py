"""The organization's people over REST."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from organizations.models import AuditEvent, Device, Organization, Owner, Tag
from tests import factories
from tests.api.conftest import ApiClient, client_of
from users.models import VppUser
from vpp_accounts.models import VppAccount


@pytest.fixture
def path(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/sm/owners"


@pytest.fixture
def ann(organization: Organization, account: VppAccount) -> Owner:
    """With two tags, a device, and a record in the VPP account."""
    tags = [factories.TagFactory(organization=organization, name=name) for name in ("staff", "art")]
    owner = factories.OwnerFactory(
        organization=organization,
        name="Ann Lee",
        email="ann@example.org",
        username="alee",
        managed_apple_account="ann@appleid.example.org",
        tag_ids=[tag.pk for tag in tags],
        language="de",
    )
    factories.DeviceFactory(organization=organization, owner=owner)
    factories.VppUserFactory(account=account, owner=owner, apple_status="Registered")
    return owner


def owner_json(owner: Owner, **fields: Any) -> dict[str, Any]:
    """Of somebody about whom nothing is known but the name."""
    return {
        "id": str(owner.pk),
        "name": owner.name,
        "email": "",
        "username": "",
        "managedAppleAccount": "",
        "tags": [],
        "language": None,
        "addedBy": "page",
        "missingSince": None,
        "createdAt": f"{owner.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "deviceCount": 0,
        "vppUsers": [],
    } | fields


def ann_json(ann: Owner) -> dict[str, Any]:
    user = VppUser.objects.get(owner=ann)
    return owner_json(
        ann,
        email="ann@example.org",
        username="alee",
        managedAppleAccount="ann@appleid.example.org",
        tags=["staff", "art"],
        language="de",
        deviceCount=1,
        vppUsers=[
            {
                "vppAccountId": str(user.account_id),
                "userId": str(user.pk),
                "clientUserId": user.client_user_id,
                "status": "New",
            }
        ],
    )


def names(answer: Any) -> list[str]:
    return [row["name"] for row in answer.json()]


def events() -> list[tuple[Any, ...]]:
    rows = AuditEvent.objects.order_by("id")
    return list(rows.values_list("action", "target_name", "before", "after"))


# --- The list ---------------------------------------------------------------------------------------


def test_owners_are_listed_with_devices_tags_and_vpp_users(
    owner_api: ApiClient, path: str, organization: Organization, ann: Owner
) -> None:
    bo = factories.OwnerFactory(organization=organization, name="Bo", email="", source="csv")

    listed = owner_api.get(path)
    one = owner_api.get(f"{path}/{ann.pk}")

    assert listed.json() == [ann_json(ann), owner_json(bo, addedBy="csv")]
    assert (one.status_code, one.json()) == (200, ann_json(ann))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("search=alee", ["Ann Lee"]),
        ("search=ANN@APPLEID", ["Ann Lee"]),
        ("tag=ART", ["Ann Lee"]),
        ("tag=nobody-has-it", []),
        ("tag=ipads", []),
        ("vppStatus=New", ["Ann Lee"]),
        ("vppStatus=none", ["Bo", "Cy"]),
        ("vppStatus=Retired", []),
        ("addedBy=csv", ["Bo", "Cy"]),
        ("missing=true", ["Cy"]),
        ("missing=false", ["Ann Lee", "Bo"]),
    ],
)
def test_owners_are_found(
    owner_api: ApiClient,
    path: str,
    organization: Organization,
    ann: Owner,
    query: str,
    expected: list[str],
) -> None:
    csv = {"organization": organization, "source": "csv"}
    factories.OwnerFactory(**csv, name="Bo")
    factories.OwnerFactory(**csv, name="Cy", missing_since=timezone.now())

    assert names(owner_api.get(f"{path}?{query}")) == expected


@pytest.mark.parametrize("query", ["vppStatus=Great", "addedBy=hand", "missing=perhaps"])
def test_a_filter_that_makes_no_sense_is_refused(
    owner_api: ApiClient, path: str, query: str
) -> None:
    answer = owner_api.get(f"{path}?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")


def test_a_page_of_owners_costs_the_same_however_many_there_are(
    owner_api: ApiClient, path: str, organization: Organization, account: VppAccount, ann: Owner
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert owner_api.get(path).status_code == 200
        return len(asked)

    cost()  # the key's first use is noted
    for_one = cost()
    for _ in range(2):
        owner = factories.OwnerFactory(organization=organization, tag_ids=ann.tag_ids)
        factories.DeviceFactory(organization=organization, owner=owner)
        factories.VppUserFactory(account=account, owner=owner)

    assert cost() == for_one


def test_vpp_users_of_accounts_that_are_closed_to_the_key_are_not_told(
    owner_api: ApiClient, path: str, account: VppAccount, ann: Owner
) -> None:
    VppAccount.objects.update(allowed_admins="named")

    assert owner_api.get(f"{path}/{ann.pk}").json() == ann_json(ann) | {"vppUsers": []}
    assert names(owner_api.get(f"{path}?vppStatus=New")) == []


# --- Adding and editing -----------------------------------------------------------------------------


def test_an_owner_is_added(owner_api: ApiClient, path: str, organization: Organization) -> None:
    body = {
        "name": "Bo Diaz",
        "email": "bo@example.org",
        "username": "bdiaz",
        "managedAppleAccount": "bo@appleid.example.org",
        "tags": ["grade-4", "choir"],
        "language": "es",
    }

    added = owner_api.send("POST", path, body)

    owner = Owner.objects.get()
    assert (added.status_code, added.json()) == (201, owner_json(owner, **body, addedBy="api"))
    assert owner.organization == organization
    assert [event[0] for event in events()] == ["tag.added", "tag.added", "owner.added"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "owner_nameless"),
        ({"name": "A", "email": "nowhere"}, 400, "email_wrong"),
        ({"email": "ANN@example.org"}, 409, "email_taken"),
        ({"managedAppleAccount": "ann@APPLEID.example.org"}, 409, "managed_apple_account_taken"),
        ({"name": "A", "language": "tlh"}, 400, "language_unknown"),
        ({"name": "A", "tags": ["two words"]}, 400, "tag_wrong"),
        ({"name": "A", "tags": ["ipads"]}, 400, "tag_is_automatic"),
    ],
)
def test_what_the_page_refuses_is_refused_here(
    owner_api: ApiClient,
    path: str,
    organization: Organization,
    ann: Owner,
    body: dict[str, Any],
    status: int,
    code: str,
) -> None:
    Tag.objects.get_or_create(organization=organization, name="ipads", kind="automatic")

    answer = owner_api.send("POST", path, body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert list(Owner.objects.all()) == [ann]


def test_somebody_who_is_known_is_completed_where_that_is_asked_for(
    owner_api: ApiClient, path: str, ann: Owner
) -> None:
    Owner.objects.update(username="")

    answer = owner_api.send(
        "POST",
        path,
        {
            "name": "Ann L.",
            "email": " Ann@example.org",
            "username": "annie",
            "tags": ["choir"],
            "completeExisting": True,
        },
    )

    expected = ann_json(ann) | {"username": "annie", "tags": ["staff", "art", "choir"]}
    assert (answer.status_code, answer.json()) == (200, expected)


def test_an_owner_is_edited_and_what_is_not_sent_stays(
    owner_api: ApiClient, path: str, ann: Owner
) -> None:
    body = {"name": "Ann Fox", "tags": ["art"], "language": None}

    answer = owner_api.send("PUT", f"{path}/{ann.pk}", body)

    assert (answer.status_code, answer.json()) == (200, ann_json(ann) | body)
    assert VppUser.objects.get(owner=ann).name == "Ann Fox"
    assert events()[-1] == (
        "owner.edited",
        "Ann Fox",
        {"name": "Ann Lee", "tags": ["staff", "art"], "language": "de"},
        {"name": "Ann Fox", "tags": ["art"]},
    )


# --- Deleting ---------------------------------------------------------------------------------------


def test_deleting_is_foreseen_and_then_done(owner_api: ApiClient, path: str, ann: Owner) -> None:
    VppUser.objects.update(apple_status="Retired")

    foreseen = owner_api.send("DELETE", f"{path}/{ann.pk}?dryRun=true")
    still_there = Owner.objects.filter(pk=ann.pk).exists()
    deleted = owner_api.send("DELETE", f"{path}/{ann.pk}")

    assert (foreseen.status_code, foreseen.json()) == (
        200,
        {"devices": 1, "vppAccounts": [], "obstacle": None, "obstacleCode": None},
    )
    assert still_there
    assert (deleted.status_code, Owner.objects.exists()) == (204, False)
    assert Device.objects.get().owner is None


def test_a_user_of_a_vpp_account_is_not_deleted(
    owner_api: ApiClient, path: str, account: VppAccount, ann: Owner
) -> None:
    sentence = (
        f"“Ann Lee” is a person of “{account.name}”. Retire the person there first, so that the"
        " licenses come back."
    )

    foreseen = owner_api.send("DELETE", f"{path}/{ann.pk}?dryRun=true")
    refused = owner_api.send("DELETE", f"{path}/{ann.pk}")

    assert foreseen.json() == {
        "devices": 1,
        "vppAccounts": [account.name],
        "obstacle": sentence,
        "obstacleCode": "owner_in_use",
    }
    assert (refused.status_code, refused.json()) == (
        409,
        {"errors": [sentence], "code": "owner_in_use"},
    )
    assert Owner.objects.filter(pk=ann.pk).exists()


# --- Merging ----------------------------------------------------------------------------------------


def test_two_who_are_one_person_are_merged_after_a_look(
    owner_api: ApiClient, path: str, organization: Organization, ann: Owner
) -> None:
    keep = factories.OwnerFactory(organization=organization, name="Annie", email="")
    factories.DeviceFactory(organization=organization, owner=keep)
    body = {"fromOwnerId": str(ann.pk)}
    would_be = ann_json(ann) | {
        "id": str(keep.pk),
        "name": "Annie",
        "createdAt": owner_json(keep)["createdAt"],
        "deviceCount": 2,
    }

    foreseen = owner_api.send("POST", f"{path}/{keep.pk}/merge", body | {"dryRun": True})
    still_two = Owner.objects.count()
    merged = owner_api.send("POST", f"{path}/{keep.pk}/merge", body)

    expected = {"owner": would_be, "obstacle": None, "obstacleCode": None}
    assert (foreseen.status_code, foreseen.json(), still_two) == (200, expected, 2)
    assert (merged.status_code, merged.json()) == (200, expected)
    assert list(Owner.objects.all()) == [keep]
    assert events()[-1][0] == "owner.merged"


def test_two_users_of_one_account_are_not_merged(
    owner_api: ApiClient, path: str, organization: Organization, account: VppAccount, ann: Owner
) -> None:
    other = factories.OwnerFactory(organization=organization)
    factories.VppUserFactory(account=account, owner=other)
    body = {"fromOwnerId": str(other.pk)}

    foreseen = owner_api.send("POST", f"{path}/{ann.pk}/merge", body | {"dryRun": True})
    refused = owner_api.send("POST", f"{path}/{ann.pk}/merge", body)

    assert (foreseen.status_code, foreseen.json()["obstacleCode"]) == (200, "registered_twice")
    assert (refused.status_code, refused.json()["code"]) == (409, "registered_twice")
    assert foreseen.json()["obstacle"] == refused.json()["errors"][0]
    assert Owner.objects.count() == 2


def test_nobody_is_merged_with_themselves_or_with_somebody_elsewhere(
    owner_api: ApiClient, path: str, ann: Owner
) -> None:
    elsewhere = factories.OwnerFactory()

    answers = [
        owner_api.send("POST", f"{path}/{ann.pk}/merge", {"fromOwnerId": str(other.pk)} | dry)
        for other in (ann, elsewhere)
        for dry in ({}, {"dryRun": True})
    ]

    told = [(each.status_code, each.json().get("code")) for each in answers]
    refused = (400, "merged_with_itself")
    assert told == [refused, (200, None), refused, refused]
    assert answers[1].json()["obstacleCode"] == "merged_with_itself"
    assert Owner.objects.count() == 2


# --- Who may ----------------------------------------------------------------------------------------


def test_owners_are_for_who_sees_the_organization_and_changed_by_full_admins(
    reader_api: ApiClient,
    network_admin_api: ApiClient,
    outsider_api: ApiClient,
    owner: Any,
    path: str,
    ann: Owner,
) -> None:
    clients = (reader_api, network_admin_api, outsider_api, client_of(owner, read_only=True))
    one = f"{path}/{ann.pk}"
    writes = [("POST", path), ("PUT", one), ("DELETE", one), ("POST", f"{one}/merge")]

    read = [[api.get(each).status_code for each in (path, one)] for api in clients]
    wrote = {api.send(*each).status_code for api in clients[:2] for each in writes}
    strange = {outsider_api.send(*each).status_code for each in writes}

    assert read == [[200, 200], [403, 403], [404, 404], [200, 200]]
    assert (wrote, strange) == ({403}, {404})
    assert Owner.objects.get() == ann
