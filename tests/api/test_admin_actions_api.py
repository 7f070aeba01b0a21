"""What is done to admins beside their rights, and leaving, over REST."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from organizations.models import (
    Admin,
    ApiKey,
    AuditEvent,
    Membership,
    Organization,
    OutgoingMail,
    SignInFailure,
)
from tests import factories
from tests.api.conftest import ApiClient, client_of, key_of
from tests.conftest import signed_in
from tests.test_admins import invited, lock_out


@pytest.fixture
def admins(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/admins"


@pytest.fixture
def sam(organization: Organization) -> Membership:
    return factories.MembershipFactory(
        organization=organization, admin__email="sam@example.org", admin__name="Sam"
    )


def actions() -> list[tuple[str, str]]:
    told = AuditEvent.objects.filter(refused=False).order_by("pk")
    return list(told.values_list("action", "target_name"))


def shape(answer: Any) -> tuple[int, str]:
    """The status, and the code of a refusal or the state of the admin."""
    told = answer.json()
    return answer.status_code, told.get("code") or told["accountStatus"]


# --- Inviting again -------------------------------------------------------------------------------


def test_an_invitation_is_sent_again(
    owner_api: ApiClient, organization: Organization, admins: str
) -> None:
    new = invited(organization, invited_at=timezone.now() - timedelta(days=20))
    before = owner_api.get(admins).json()[1]["accountStatus"]

    answer = owner_api.send("post", f"{admins}/{new.pk}/invite")

    assert (before, shape(answer)) == ("unverified", (200, "pending"))
    assert OutgoingMail.objects.get().to == "new@example.org"
    assert actions() == [("admin.invited_again", "new@example.org")]


def test_an_invitation_is_not_sent_in_haste_nor_to_who_is_there(
    owner_api: ApiClient, organization: Organization, sam: Membership, admins: str
) -> None:
    with time_machine.travel("2026-11-23T12:00:00Z", tick=False):
        new = invited(organization)

        hasty, there = (owner_api.send("post", f"{admins}/{each.pk}/invite") for each in (new, sam))

    assert (shape(hasty), hasty.headers["Retry-After"]) == ((400, "invited_just_now"), "61")
    assert shape(there) == (409, "not_invited")
    assert OutgoingMail.objects.count() == 0


# --- Sessions and locks ---------------------------------------------------------------------------


def test_sessions_are_ended_and_keys_are_not(
    owner_api: ApiClient, organization: Organization, sam: Membership, admins: str
) -> None:
    browser, program = signed_in(sam.admin), client_of(sam.admin)
    page = f"/organizations/{organization.pk}/admins/"
    before = browser.get(page).status_code

    answer = owner_api.send("post", f"{admins}/{sam.pk}/signOut")

    assert (before, shape(answer)) == (200, (200, "ok"))
    assert (browser.get(page).status_code, program.get(admins).status_code) == (302, 200)
    assert actions() == [("admin.signed_out", "sam@example.org")]


def test_a_locked_admin_may_try_at_once(owner_api: ApiClient, sam: Membership, admins: str) -> None:
    lock_out("sam@example.org")
    before = owner_api.get(admins).json()[1]["accountStatus"]

    answer = owner_api.send("post", f"{admins}/{sam.pk}/unlock")

    assert (before, shape(answer)) == ("locked", (200, "ok"))
    assert SignInFailure.objects.filter(waits_until__isnull=False).count() == 0
    assert actions() == [("admin.unlocked", "sam@example.org")]


def test_nobody_is_unlocked_over_and_over(
    owner_api: ApiClient, sam: Membership, admins: str
) -> None:
    answers = [owner_api.send("post", f"{admins}/{sam.pk}/unlock") for _ in range(4)]

    assert [shape(answer) for answer in answers] == [(200, "ok")] * 3 + [(400, "unlocked_often")]


@pytest.mark.parametrize("action", ["signOut", "unlock"])
def test_of_somebody_invited_there_is_nothing_to_end(
    owner_api: ApiClient, organization: Organization, admins: str, action: str
) -> None:
    new = invited(organization)

    answer = owner_api.send("post", f"{admins}/{new.pk}/{action}")

    assert shape(answer) == (409, "still_invited")
    assert actions() == []


# --- Keys -----------------------------------------------------------------------------------------


def test_keys_that_open_the_organization_are_listed(
    owner_api: ApiClient, organization: Organization, sam: Membership, admins: str
) -> None:
    elsewhere = factories.MembershipFactory(admin=sam.admin).organization
    expires = timezone.now() + timedelta(days=30)
    here, _ = ApiKey.objects.issue(
        admin=sam.admin, name="Here", organization=organization, expires_at=expires
    )
    everywhere, _ = ApiKey.objects.issue(admin=sam.admin, name="Wide", read_only=True)
    ApiKey.objects.filter(admin=sam.admin).update(last_used_at=expires, last_used_address="::1")
    key_of(sam.admin, organization=elsewhere)
    key_of(factories.MembershipFactory(organization=organization).admin)

    answer = owner_api.get(f"{admins}/{sam.pk}/apiKeys")

    moment = expires.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert answer.json() == [
        {
            "id": str(here.pk),
            "name": "Here",
            "prefix": here.prefix,
            "organizationId": str(organization.pk),
            "readOnly": False,
            "expiresAt": moment,
            "lastUsedAt": moment,
        },
        {
            "id": str(everywhere.pk),
            "name": "Wide",
            "prefix": everywhere.prefix,
            "organizationId": None,
            "readOnly": True,
            "expiresAt": None,
            "lastUsedAt": None,
        },
    ]


def test_nothing_shows_of_the_keys_of_somebody_invited(
    owner_api: ApiClient, organization: Organization, admins: str
) -> None:
    new = invited(organization)
    key_of(new.admin)

    answer = owner_api.get(f"{admins}/{new.pk}/apiKeys")

    assert (answer.status_code, answer.json()) == (200, [])


@pytest.mark.parametrize("count", [1, 3])
def test_listing_keys_costs_the_same_for_one_and_three(
    owner_api: ApiClient,
    sam: Membership,
    admins: str,
    django_assert_num_queries: Any,
    count: int,
) -> None:
    for _ in range(count):
        key_of(sam.admin)
    owner_api.get("/organizations")  # notes the use of the key

    with django_assert_num_queries(4):
        answer = owner_api.get(f"{admins}/{sam.pk}/apiKeys")

    assert len(answer.json()) == count


def test_a_key_for_this_organization_is_revoked_and_any_other_is_not(
    owner_api: ApiClient, organization: Organization, sam: Membership, admins: str
) -> None:
    limited, wide = (
        ApiKey.objects.issue(admin=sam.admin, name=name, organization=limit)[0]
        for name, limit in (("Here", organization), ("Wide", None))
    )
    base = f"{admins}/{sam.pk}/apiKeys"

    statuses = [
        owner_api.send("post", f"{base}/{key.pk}/revoke").status_code
        for key in (limited, wide, limited)
    ]

    assert statuses == [204, 404, 404]
    assert [key["name"] for key in owner_api.get(base).json()] == ["Wide"]
    assert [action for action, _ in actions()] == ["api_key.revoked"]


def test_a_key_is_found_at_its_own_admin_alone(
    owner_api: ApiClient, owner: Admin, organization: Organization, sam: Membership, admins: str
) -> None:
    own = owner.memberships.get()
    key, _ = ApiKey.objects.issue(admin=sam.admin, name="Here", organization=organization)

    answer = owner_api.send("post", f"{admins}/{own.pk}/apiKeys/{key.pk}/revoke")

    assert answer.status_code == 404
    assert ApiKey.objects.usable().filter(pk=key.pk).exists()


# --- Leaving --------------------------------------------------------------------------------------


def test_what_ends_with_an_admin_is_foreseen_and_nobody_goes(
    owner_api: ApiClient, organization: Organization, sam: Membership, admins: str
) -> None:
    theirs = client_of(sam.admin, organization=organization)
    leave = f"/organizations/{organization.pk}/leave"

    removing = owner_api.send("delete", f"{admins}/{sam.pk}?dryRun=true")
    leaving = theirs.send("post", leave, {"dryRun": True})

    told = {"consequences": ["1 API key for this organization alone."]}
    assert [(each.status_code, each.json()) for each in (removing, leaving)] == [(200, told)] * 2
    assert Membership.objects.filter(pk=sam.pk).exists()
    assert actions() == []


@pytest.mark.parametrize("access", ["full", "read-only", "none"])
def test_an_admin_of_any_kind_leaves(
    owner: Admin, organization: Organization, sam: Membership, access: str
) -> None:
    Membership.objects.filter(pk=sam.pk).update(access=access)
    api, leave = client_of(sam.admin), f"/organizations/{organization.pk}/leave"

    bare = api.send("post", leave)
    wrong = api.send("post", leave, {"confirm": "owner@example.org"})
    done = api.send("post", leave, {"confirm": " Sam@example.org"})

    sentence = (
        "Leaving has to be confirmed: send your e-mail address, sam@example.org, as “confirm”."
    )
    told = {"errors": [sentence], "code": "leaving_not_confirmed"}
    assert [(each.status_code, each.json()) for each in (bare, wrong)] == [(400, told)] * 2
    assert (done.status_code, api.send("post", leave).status_code) == (204, 404)
    assert not Membership.objects.filter(pk=sam.pk).exists()
    assert actions() == [("admin.left", "sam@example.org")]


def test_the_last_full_admin_does_not_leave(
    owner_api: ApiClient, owner: Admin, organization: Organization
) -> None:
    leave = f"/organizations/{organization.pk}/leave"

    answer = owner_api.send("post", leave, {"confirm": "owner@example.org"})

    assert (answer.status_code, answer.json()["code"]) == (409, "last_full_admin")
    assert owner.memberships.count() == 1


# --- Doors ----------------------------------------------------------------------------------------


def test_only_full_admins_act_on_others(
    reader_api: ApiClient,
    network_admin_api: ApiClient,
    outsider_api: ApiClient,
    organization: Organization,
    sam: Membership,
    admins: str,
) -> None:
    key, _ = ApiKey.objects.issue(admin=sam.admin, name="Here", organization=organization)
    tails = ("invite", "signOut", "unlock", f"apiKeys/{key.pk}/revoke")
    knockers = {
        "reader": reader_api,
        "network admin": network_admin_api,
        "outsider": outsider_api,
    }

    statuses = {
        who: (
            {api.send("post", f"{admins}/{sam.pk}/{tail}").status_code for tail in tails},
            api.get(f"{admins}/{sam.pk}/apiKeys").status_code,
        )
        for who, api in knockers.items()
    }

    assert statuses == {
        "reader": ({403}, 200),
        "network admin": ({403}, 403),
        "outsider": ({404}, 404),
    }
    assert ApiKey.objects.usable().filter(pk=key.pk).exists()
    assert actions() == []
