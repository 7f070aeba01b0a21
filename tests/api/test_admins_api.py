"""Administrators over REST, in Meraki's words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from organizations.models import (
    Admin,
    ApiKey,
    AuditEvent,
    Membership,
    Network,
    Organization,
    OutgoingMail,
)
from tests import factories
from tests.api.conftest import ApiClient, client_of, key_of
from tests.test_admins import invited, lock_out

ACTIVE = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
SHARED = {"twoFactorAuthEnabled": False, "tags": [], "authenticationMethod": "Email"}


@pytest.fixture
def admins(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/admins"


@pytest.fixture
def north(organization: Organization) -> Network:
    return factories.NetworkFactory(organization=organization, name="North", tags=["west"])


@pytest.fixture
def sam(organization: Organization) -> Membership:
    return factories.MembershipFactory(
        organization=organization, admin__email="sam@example.org", admin__name="Sam"
    )


def test_admins_are_listed_with_their_access(
    owner_api: ApiClient, owner: Admin, organization: Organization, north: Network, admins: str
) -> None:
    Admin.objects.filter(pk=owner.pk).update(name="Olga")
    owner.memberships.update(last_active_at=timezone.now())
    access = factories.NetworkAccessFactory(
        membership__organization=organization,
        membership__admin__email="north@example.org",
        membership__admin__name="Nora",
        membership__last_active_at=ACTIVE,
        network=north,
        can_write=False,
    )
    new = invited(organization, admin__name="Theirs")
    key_of(new.admin)

    first, *others = owner_api.get(admins).json()

    assert first.pop("lastActive").startswith(f"{timezone.now():%Y-%m-%d}")
    assert [first, *others] == [
        {
            "id": str(owner.memberships.get().pk),
            "name": "Olga",
            "email": "owner@example.org",
            "orgAccess": "full",
            "accountStatus": "ok",
            "hasApiKey": True,
            "networks": [],
            **SHARED,
        },
        {
            "id": str(access.membership_id),
            "name": "Nora",
            "email": "north@example.org",
            "orgAccess": "none",
            "accountStatus": "ok",
            "hasApiKey": False,
            "lastActive": "2026-03-01T08:30:00Z",
            "networks": [{"id": str(north.pk), "access": "read-only"}],
            **SHARED,
        },
        {
            "id": str(new.pk),
            "name": "",
            "email": "new@example.org",
            "orgAccess": "full",
            "accountStatus": "pending",
            "hasApiKey": False,
            "lastActive": "",
            "networks": [],
            **SHARED,
        },
    ]


def test_whoever_cannot_sign_in_says_so(
    owner_api: ApiClient, organization: Organization, sam: Membership, admins: str
) -> None:
    factories.MembershipFactory(organization=organization, admin__is_active=False)
    invited(organization, invited_at=timezone.now() - timedelta(days=8))
    lock_out("sam@example.org")

    answer = owner_api.get(admins)

    assert [row["accountStatus"] for row in answer.json()] == [
        "ok",
        "locked",
        "locked",
        "unverified",
    ]


def test_a_key_for_another_organization_does_not_count(
    owner_api: ApiClient, sam: Membership, admins: str
) -> None:
    elsewhere = factories.MembershipFactory(admin=sam.admin).organization
    key_of(sam.admin, organization=elsewhere)

    rows = {row["email"]: row["hasApiKey"] for row in owner_api.get(admins).json()}

    assert rows == {"owner@example.org": True, "sam@example.org": False}


def test_single_sign_on_is_called_by_merakis_word(
    owner_api: ApiClient, organization: Organization, sam: Membership, admins: str
) -> None:
    organization.requires_single_sign_on = True
    organization.save()
    Membership.objects.filter(pk=sam.pk).update(may_skip_single_sign_on=True)

    rows = {row["email"]: row["authenticationMethod"] for row in owner_api.get(admins).json()}

    assert rows == {
        "owner@example.org": "Cisco SecureX Sign-On",
        "sam@example.org": "Email",
    }


@pytest.mark.parametrize("count", [1, 3])
def test_listing_admins_costs_the_same_for_one_and_three(
    owner_api: ApiClient,
    organization: Organization,
    admins: str,
    django_assert_num_queries: Any,
    count: int,
) -> None:
    for _ in range(count):
        access = factories.NetworkAccessFactory(membership__organization=organization)
        key_of(access.membership.admin)
    owner_api.get("/organizations")  # notes the use of the key

    with django_assert_num_queries(9):
        answer = owner_api.get(admins)

    assert len(answer.json()) == count + 1


# --- Inviting -------------------------------------------------------------------------------------


def test_an_admin_is_invited(
    owner_api: ApiClient, organization: Organization, north: Network, admins: str
) -> None:
    answer = owner_api.send(
        "post",
        admins,
        {
            "email": "New@example.org",
            "name": "Nora",
            "orgAccess": "none",
            "authenticationMethod": "Email",
            "tags": [{"tag": "west", "access": "full"}],
            "networks": [{"id": str(north.pk), "access": "read-only"}],
        },
    )

    membership = Membership.objects.get(admin__email="new@example.org")
    assert (answer.status_code, answer.json()) == (
        201,
        {
            "id": str(membership.pk),
            "name": "Nora",
            "email": "new@example.org",
            "orgAccess": "none",
            "accountStatus": "pending",
            "twoFactorAuthEnabled": False,
            "hasApiKey": False,
            "lastActive": "",
            "tags": [{"tag": "west", "access": "full"}],
            "networks": [{"id": str(north.pk), "access": "read-only"}],
            "authenticationMethod": "Email",
        },
    )
    assert membership.is_invited
    assert OutgoingMail.objects.get().to == "new@example.org"


def test_an_id_does_not_tell_who_was_here_before(owner_api: ApiClient, admins: str) -> None:
    """It counts up with invitations, not with people."""
    factories.AdminFactory(email="known@example.net")
    factories.AdminFactory.create_batch(3)

    ids = [
        int(owner_api.send("post", admins, {"email": email, "orgAccess": "full"}).json()["id"])
        for email in ("new@example.org", "known@example.net", "newer@example.org")
    ]

    assert ids == list(range(ids[0], ids[0] + 3))


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ({"orgAccess": "full"}, 400, "“email” is missing."),
        ({"email": "a@example.org"}, 400, "“orgAccess” is missing."),
        (
            {"email": "a@example.org", "orgAccess": "enterprise"},
            400,
            '“orgAccess”: "enterprise" is not a valid choice.',
        ),
        (
            {"email": "nobody", "orgAccess": "full"},
            400,
            "“nobody” is not an e-mail address. Enter one like name@example.org.",
        ),
        (
            {"email": "a@example.org", "orgAccess": "none"},
            400,
            "This gives access to nothing. Choose organization access, a network or a network tag.",
        ),
        (
            {
                "email": "a@example.org",
                "orgAccess": "none",
                "networks": [{"id": "1" * 18, "access": "full"}],
            },
            400,
            f"This organization has no network {'1' * 18}. Choose one of its own.",
        ),
        (
            {
                "email": "a@example.org",
                "orgAccess": "none",
                "networks": [{"id": "N_1", "access": "full"}],
            },
            400,
            "“networks[0].id”: must be an id: digits only.",
        ),
        (
            {"email": "owner@example.org", "orgAccess": "full"},
            409,
            "owner@example.org is an administrator here already."
            " Open that row to change what they may do.",
        ),
    ],
)
def test_bad_input_invites_nobody(
    owner_api: ApiClient, admins: str, body: dict[str, Any], status: int, sentence: str
) -> None:
    answer = owner_api.send("post", admins, body)

    assert (answer.status_code, answer.json()["errors"][0]) == (status, sentence)
    assert Membership.objects.count() == 1


def test_a_network_of_another_organization_cannot_be_given(
    owner_api: ApiClient, admins: str
) -> None:
    foreign = factories.NetworkFactory()
    networks = [{"id": str(foreign.pk), "access": "full"}]

    answer = owner_api.send(
        "post", admins, {"email": "a@example.org", "orgAccess": "none", "networks": networks}
    )

    assert answer.status_code == 400
    assert foreign.name not in answer.content.decode()


# --- Changing -------------------------------------------------------------------------------------


def test_what_is_not_sent_stays(
    owner_api: ApiClient, sam: Membership, north: Network, admins: str
) -> None:
    networks = [{"id": str(north.pk), "access": "full"}]
    owner_api.send("put", f"{admins}/{sam.pk}", {"networks": networks})

    answer = owner_api.send(
        "put",
        f"{admins}/{sam.pk}",
        {"orgAccess": "read-only", "tags": [{"tag": "west", "access": "read-only"}]},
    )

    told = answer.json()
    assert (told["orgAccess"], told["networks"], told["tags"]) == (
        "read-only",
        networks,
        [{"tag": "west", "access": "read-only"}],
    )
    assert [*AuditEvent.objects.order_by("pk").values_list("action", "before", "after")] == [
        ("admin.edited", {"networks": []}, {"networks": ["North"]}),
        (
            "admin.edited",
            {"access": "full", "networkTags": []},
            {"access": "read-only", "networkTags": ["west (read-only)"]},
        ),
    ]


def test_somebody_invited_is_called_anew_and_an_admin_is_not(
    owner_api: ApiClient, organization: Organization, sam: Membership, admins: str
) -> None:
    new = invited(organization)

    answers = [
        owner_api.send("put", f"{admins}/{each.pk}", {"name": "Nora"}) for each in (new, sam)
    ]
    same = owner_api.send("put", f"{admins}/{sam.pk}", {"name": "Sam"})

    assert [answer.status_code for answer in answers] == [200, 400]
    assert answers[0].json()["name"] == "Nora"
    assert answers[1].json()["code"] == "name_is_theirs"
    assert same.status_code == 200


def test_the_last_full_admin_stays(owner_api: ApiClient, owner: Admin, admins: str) -> None:
    own = f"{admins}/{owner.memberships.get().pk}"

    demoted = owner_api.send("put", own, {"orgAccess": "read-only"})
    removed = owner_api.send("delete", own)

    assert (demoted.status_code, removed.status_code) == (409, 409)
    assert demoted.json()["code"] == removed.json()["code"] == "last_full_admin"


def test_an_admin_is_removed_and_an_invitation_withdrawn(
    owner_api: ApiClient, organization: Organization, sam: Membership, admins: str
) -> None:
    new = invited(organization)
    theirs = client_of(sam.admin)

    statuses = [owner_api.send("delete", f"{admins}/{each.pk}").status_code for each in (sam, new)]

    assert statuses == [204, 204]
    assert theirs.get(admins).status_code == 404
    assert [*Membership.objects.values_list("admin__email", flat=True)] == ["owner@example.org"]
    assert [*AuditEvent.objects.order_by("pk").values_list("action", flat=True)] == [
        "admin.removed",
        "admin.invitation_withdrawn",
    ]


# --- Doors ----------------------------------------------------------------------------------------


def test_who_may_not(
    reader_api: ApiClient,
    network_admin_api: ApiClient,
    outsider_api: ApiClient,
    owner: Admin,
    sam: Membership,
    admins: str,
) -> None:
    key = client_of(owner, read_only=True)
    one, body = f"{admins}/{sam.pk}", {"email": "a@example.org", "orgAccess": "full"}

    statuses = {
        name: [
            api.get(admins).status_code,
            api.send("post", admins, body).status_code,
            api.send("put", one, {"orgAccess": "none"}).status_code,
            api.send("delete", one).status_code,
        ]
        for name, api in {
            "reader": reader_api,
            "read-only key": key,
            "network admin": network_admin_api,
            "outsider": outsider_api,
        }.items()
    }

    assert statuses == {
        "reader": [200, 403, 403, 403],
        "read-only key": [200, 403, 403, 403],
        "network admin": [403, 403, 403, 403],
        "outsider": [404, 404, 404, 404],
    }
    assert ApiKey.objects.usable().count() == 4
    sam.refresh_from_db()
    assert sam.access == "full"


def test_an_admin_elsewhere_is_not_found_here(
    owner_api: ApiClient, outsider: Admin, admins: str
) -> None:
    theirs = outsider.memberships.get()

    answer = owner_api.send("delete", f"{admins}/{theirs.pk}")

    assert answer.status_code == 404
    assert Membership.objects.filter(pk=theirs.pk).exists()


def test_a_key_at_work_counts_as_activity(owner_api: ApiClient, owner: Admin, admins: str) -> None:
    owner.memberships.update(last_active_at=ACTIVE)

    owner_api.get(admins)

    assert owner.memberships.get().last_active_at > ACTIVE
