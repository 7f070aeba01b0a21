"""Organization > Administrators: the list, what admins may do, and how they are removed."""

from __future__ import annotations

import csv
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from organizations.admins import changing
from organizations.admins.refusals import LastFullAdmin, RightsLost
from organizations.admins.rights import AdminRights
from organizations.audit import Actor
from organizations.models import (
    Admin,
    ApiKey,
    AuditEvent,
    Membership,
    NetworkAccess,
    Organization,
    SignInFailure,
)
from organizations.refusals import Refusal
from organizations.signin.lockout import PASSWORD
from tests import factories
from tests.conftest import signed_in
from tests.factories import MembershipFactory, NetworkAccessFactory, NetworkFactory
from tests.reading import errors_of, text_of
from vpp_accounts.models import VppAccount


def url(name: str, organization: Organization, *rows: int) -> str:
    return reverse(f"organizations:{name}", args=[organization.pk, *rows])


def member(organization: Organization, email: str = "sam@example.org", **fields: Any) -> Membership:
    return MembershipFactory(organization=organization, admin__email=email, **fields)


def invited(
    organization: Organization, email: str = "new@example.org", **fields: Any
) -> Membership:
    moment = {"accepted_at": None, "invited_at": timezone.now(), "last_active_at": None}
    return member(organization, email, **(moment | fields))


def lock_out(email: str) -> None:
    now = timezone.now()
    SignInFailure.objects.create(
        login_digest=PASSWORD.digest(email),
        address="192.0.2.1",
        failures=9,
        first_at=now,
        last_at=now,
        waits_until=now + timedelta(minutes=10),
    )


def events() -> list[tuple[Any, ...]]:
    told = AuditEvent.objects.order_by("id")
    return list(told.values_list("action", "target_name", "before", "after"))


def rows_of(
    client: Client, organization: Organization, **filters: str
) -> dict[str, dict[str, str]]:
    """The list as its CSV says it, by address."""
    answer = client.get(url("admin_list", organization), {**filters, "format": "csv"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return {row["email"]: row for row in csv.DictReader(StringIO(text))}


# --- List -----------------------------------------------------------------------------------------


def test_admin_list_says_what_each_may_do(
    organization: Organization, owner: Admin, owner_client: Client, account: VppAccount
) -> None:
    Admin.objects.filter(pk=owner.pk).update(name="Olga")
    ApiKey.objects.issue(admin=owner, name="Nightly")
    north = NetworkFactory(organization=organization, name="North")
    sam = member(organization, access="none", admin__name="Sam")
    NetworkAccessFactory(membership=sam, network=north, can_write=False)
    member(Organization.objects.create(name="Elsewhere"), "stranger@example.net")

    page = text_of(owner_client.get(url("admin_list", organization)))
    rows = rows_of(owner_client, organization)

    assert "2 administrators" in page
    assert "North (read-only)" in page
    assert "stranger@example.net" not in page
    active = {row["email"]: row.pop("lastActive") for row in rows.values()}
    assert all(active.values())
    assert rows == {
        "owner@example.org": {
            "name": "Olga",
            "email": "owner@example.org",
            "organizationAccess": "full",
            "networks": "",
            "networkTags": "",
            "vppAccounts": "Example Schools North",
            "secondFactor": "N",
            "apiKeys": "1",
            "status": "Active",
            "invitedBy": "",
        },
        "sam@example.org": {
            "name": "Sam",
            "email": "sam@example.org",
            "organizationAccess": "none",
            "networks": "North (read-only)",
            "networkTags": "",
            "vppAccounts": "",
            "secondFactor": "N",
            "apiKeys": "0",
            "status": "Active",
            "invitedBy": "",
        },
    }


def test_of_somebody_invited_the_list_shows_the_address_and_nothing_of_their_own(
    organization: Organization, owner_client: Client
) -> None:
    known = factories.AdminFactory(email="new@example.org", name="Name of theirs")
    ApiKey.objects.issue(admin=known, name="Key of theirs")
    membership = MembershipFactory(
        organization=organization,
        admin=known,
        accepted_at=None,
        invited_at=timezone.now(),
        invited_name="Nora",
        last_active_at=None,
    )
    lock_out(known.email)

    row = rows_of(owner_client, organization)["new@example.org"]
    detail = owner_client.get(url("admin_detail", organization, membership.pk)).content.decode()

    assert row == {
        "name": "Nora",
        "email": "new@example.org",
        "organizationAccess": "full",
        "networks": "",
        "networkTags": "",
        "vppAccounts": "",
        "lastActive": "",
        "secondFactor": "",
        "apiKeys": "",
        "status": "Invited",
        "invitedBy": "",
    }
    assert "of theirs" not in detail


def test_the_list_finds_by_status_access_network_and_words(
    organization: Organization, owner: Admin, owner_client: Client
) -> None:
    north = NetworkFactory(organization=organization, name="North")
    NetworkAccessFactory(membership=member(organization, access="none"), network=north)
    invited(organization)
    invited(organization, "late@example.org", invited_at=timezone.now() - timedelta(days=8))
    member(organization, "off@example.org", admin__is_active=False)
    member(organization, "locked@example.org", admin__name="Lotte")
    lock_out("locked@example.org")

    found = {
        "active": [*rows_of(owner_client, organization, status="active")],
        "invited": [*rows_of(owner_client, organization, status="invited")],
        "expired": [*rows_of(owner_client, organization, status="expired")],
        "deactivated": [*rows_of(owner_client, organization, status="deactivated")],
        "locked": [*rows_of(owner_client, organization, status="locked")],
        "none": [*rows_of(owner_client, organization, access="none")],
        "north": [*rows_of(owner_client, organization, network=str(north.pk))],
        "words": [*rows_of(owner_client, organization, q="LOTT")],
    }

    assert {name: sorted(emails) for name, emails in found.items()} == {
        "active": ["owner@example.org", "sam@example.org"],
        "invited": ["new@example.org"],
        "expired": ["late@example.org"],
        "deactivated": ["off@example.org"],
        "locked": ["locked@example.org"],
        "none": ["sam@example.org"],
        "north": ["sam@example.org"],
        "words": ["locked@example.org"],
    }


@pytest.mark.parametrize("sort", ["name", "-access", "active", "-keys"])
def test_the_list_can_be_sorted_and_paged(
    organization: Organization, owner_client: Client, sort: str
) -> None:
    for number in range(30):
        member(organization, f"admin{number:02}@example.org")
    first = owner_client.get(url("admin_list", organization), {"sort": sort, "size": "25"})
    listing = first.context["listing"]

    second = owner_client.get(url("admin_list", organization) + listing.next_url)

    seen = [row.email for row in [*listing.rows, *second.context["listing"].rows]]
    assert (len(seen), len(set(seen))) == (31, 31)


@pytest.mark.parametrize("count", [1, 3])
def test_listing_admins_costs_the_same_for_one_and_three(
    organization: Organization,
    owner_client: Client,
    account: VppAccount,
    django_assert_num_queries: Any,
    count: int,
) -> None:
    for number in range(count):
        access = NetworkAccessFactory(
            membership=member(organization, f"{number}@example.org"),
            network=NetworkFactory(organization=organization),
        )
        ApiKey.objects.issue(admin=access.membership.admin, name="Nightly")
    owner_client.get(url("admin_list", organization))

    with django_assert_num_queries(QUERIES):
        owner_client.get(url("admin_list", organization))


QUERIES = 16


def test_network_admins_see_nothing_of_it(organization: Organization) -> None:
    access = NetworkAccessFactory(membership=member(organization, access="none"))
    client = signed_in(access.membership.admin)

    answers = [
        client.get(url("admin_list", organization)).status_code,
        client.get(url("admin_detail", organization, access.membership_id)).status_code,
        client.get(url("admin_add", organization)).status_code,
        client.post(url("admin_sign_out", organization, access.membership_id)).status_code,
    ]

    assert answers == [404, 404, 403, 403]


def test_a_reader_sees_the_controls_with_the_reason(
    organization: Organization, owner: Admin, reader_client: Client
) -> None:
    theirs = owner.memberships.get()

    page = reader_client.get(url("admin_detail", organization, theirs.pk)).content.decode()

    assert page.count('aria-disabled="true"') == 4
    assert "Your access does not include this." in page
    assert f"/admins/{theirs.pk}/" not in page.split("<main")[1].replace("action=", "href=")


# --- Rights ---------------------------------------------------------------------------------------


def test_what_an_admin_may_do_is_changed_and_recorded(
    organization: Organization, owner_client: Client
) -> None:
    north = NetworkFactory(organization=organization, name="North")
    south = NetworkFactory(organization=organization, name="South", tags=["West"])
    sam = member(organization)

    answer = owner_client.post(
        url("admin_edit", organization, sam.pk),
        {
            "access": "none",
            f"network_{north.pk}": "read-only",
            f"network_{south.pk}": "",
            "tags_full": "west",
        },
    )

    sam.refresh_from_db()
    accesses = NetworkAccess.objects.values_list("network__name", "can_write", "tag")
    assert answer["Location"] == url("admin_detail", organization, sam.pk)
    assert sam.access == "none"
    assert sorted(accesses) == [("North", False, ""), ("South", True, "west")]
    assert events() == [
        (
            "admin.edited",
            "sam@example.org",
            {"access": "full", "networks": [], "networkTags": []},
            {"access": "none", "networks": ["North (read-only)"], "networkTags": ["west"]},
        )
    ]


def test_the_form_shows_what_an_admin_has(organization: Organization, owner_client: Client) -> None:
    north = NetworkFactory(organization=organization, tags=["west"])
    sam = member(organization, access="none")
    given = {"access": "none", f"network_{north.pk}": "full", "tags_read_only": "West"}
    owner_client.post(url("admin_edit", organization, sam.pk), given)

    form = owner_client.get(url("admin_edit", organization, sam.pk)).context["form"]

    assert form.initial == {
        "name": "",
        "access": "none",
        "tags_full": "",
        "tags_read_only": "West",
        f"network_{north.pk}": "full",
    }


def test_saving_without_a_change_leaves_no_trace(
    organization: Organization, owner_client: Client
) -> None:
    sam = member(organization)

    owner_client.post(url("admin_edit", organization, sam.pk), {"access": "full"})

    assert events() == []


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"tags_full": ""}, "Choose what the administrator may do in the organization."),
        (
            {"access": "none"},
            "This gives access to nothing. Choose organization access, a network or a network tag.",
        ),
        (
            {"access": "full", "tags_full": "x" * 101},
            f"“{'x' * 20}…” is longer than 100 characters. Shorten it.",
        ),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    organization: Organization, owner_client: Client, sent: dict[str, str], sentence: str
) -> None:
    sam = member(organization)

    page = owner_client.post(url("admin_edit", organization, sam.pk), sent)

    assert sentence in text_of(page)
    assert events() == []


def test_the_name_of_an_admin_is_their_own(organization: Organization, by: Actor) -> None:
    sam = member(organization, admin__name="Sam")

    with pytest.raises(Refusal) as refused:
        changing.change(by=by, membership=sam, name="Samantha")

    assert str(refused.value) == (
        "The name belongs to sam@example.org, who changes it under Your account. Leave it as it is."
    )


# --- The last full admin --------------------------------------------------------------------------


def test_the_last_full_admin_stays_one(organization: Organization, owner: Admin, by: Actor) -> None:
    last = owner.memberships.get()
    invited(organization)
    member(organization, "off@example.org", admin__is_active=False)

    for act in (
        lambda: changing.change(by=by, membership=last, rights=AdminRights("read-only")),
        lambda: changing.remove(by=by, membership=last),
        lambda: changing.leave(by=by, membership=last),
    ):
        with pytest.raises(LastFullAdmin):
            act()

    last.refresh_from_db()
    assert (last.access, events()) == ("full", [])


def test_a_full_admin_leaves_when_there_is_another(
    organization: Organization, owner_client: Client
) -> None:
    member(organization)

    page = owner_client.get(url("leave", organization))
    answer = owner_client.post(url("leave", organization), {"typed_email": "owner@example.org"})

    assert "Leave Example Schools?" in text_of(page)
    assert answer["Location"] == "/"
    assert not Membership.objects.filter(admin__email="owner@example.org").exists()
    assert events()[0][0] == "admin.left"


def test_a_network_admin_may_leave(organization: Organization) -> None:
    access = NetworkAccessFactory(membership=member(organization, access="none"))
    client = signed_in(access.membership.admin)

    client.post(url("leave", organization), {"typed_email": "sam@example.org"})

    assert not Membership.objects.exists()


def test_whoever_has_lost_their_rights_meanwhile_changes_nothing(
    organization: Organization, owner: Admin, by: Actor
) -> None:
    sam = member(organization)
    owner.memberships.update(access="read-only")

    with pytest.raises(RightsLost):
        changing.remove(by=by, membership=sam)

    assert Membership.objects.filter(pk=sam.pk).exists()


# --- Removal --------------------------------------------------------------------------------------


def test_removing_an_admin_says_before_what_ends_and_ends_it(
    organization: Organization, owner_client: Client, account: VppAccount
) -> None:
    sam = member(organization)
    elsewhere = factories.VppAccountFactory(name="Elsewhere", allowed_admins="named")
    VppAccount.objects.filter(pk=account.pk).update(allowed_admins="named")
    for each in (account, elsewhere):
        each.named_admins.add(sam.admin)
    ApiKey.objects.issue(admin=sam.admin, name="Ours", organization=organization)
    other, _ = ApiKey.objects.issue(admin=sam.admin, name="Theirs")

    page = text_of(owner_client.get(url("admin_remove", organization, sam.pk)))
    answer = owner_client.post(
        url("admin_remove", organization, sam.pk), {"typed_email": "Sam@Example.org"}
    )

    assert "1 API key for this organization alone." in page
    assert "Taken out of the allowed admins of Example Schools North." in page
    assert (
        "Nobody may then manage users and licenses of Example Schools North."
        " Change its allowed admins on Organization > MDM."
    ) in page
    assert answer["Location"] == url("admin_list", organization)
    assert not Membership.objects.filter(pk=sam.pk).exists()
    assert [*account.named_admins.all()] == []
    assert [*elsewhere.named_admins.all()] == [sam.admin]
    assert [*ApiKey.objects.usable()] == [other]
    assert [event[0] for event in events()] == [
        "api_key.revoked",
        "vpp_account.edited",
        "admin.removed",
    ]
    assert signed_in(sam.admin).get(url("network_list", organization)).status_code == 404


def test_removal_needs_the_address_typed(organization: Organization, owner_client: Client) -> None:
    sam = member(organization)

    page = owner_client.post(
        url("admin_remove", organization, sam.pk), {"typed_email": "owner@example.org"}
    )

    assert errors_of(page) == ["That is another address. Type “sam@example.org” exactly."]
    assert Membership.objects.filter(pk=sam.pk).exists()


def test_removing_oneself_leads_to_leaving(
    organization: Organization, owner: Admin, owner_client: Client
) -> None:
    own = owner.memberships.get()

    answer = owner_client.get(url("admin_remove", organization, own.pk))

    assert answer["Location"] == url("leave", organization)


# --- Sign-in --------------------------------------------------------------------------------------


def test_forced_to_sign_in_again(organization: Organization, owner_client: Client) -> None:
    sam = member(organization)
    browser = signed_in(sam.admin)
    before = browser.get(url("network_list", organization)).status_code

    owner_client.post(url("admin_sign_out", organization, sam.pk))

    after = browser.get(url("network_list", organization))
    assert (before, after.status_code) == (200, 302)
    assert events() == [("admin.signed_out", "sam@example.org", None, None)]


def test_unlocking(organization: Organization, owner_client: Client) -> None:
    sam = member(organization)
    lock_out("sam@example.org")
    page = owner_client.get(url("admin_detail", organization, sam.pk))

    owner_client.post(url("admin_unlock", organization, sam.pk))

    assert "Has to wait after too many wrong passwords or codes." in text_of(page)
    assert not SignInFailure.objects.exists()
    assert events() == [("admin.unlocked", "sam@example.org", None, None)]


def test_unlocking_is_no_way_to_guess_on(
    organization: Organization, owner: Admin, owner_client: Client
) -> None:
    sam = member(organization)
    for _ in range(changing.MOST_UNLOCKS):
        lock_out(sam.admin.email)
        owner_client.post(url("admin_unlock", organization, sam.pk))
    lock_out(sam.admin.email)

    refused = owner_client.post(url("admin_unlock", organization, sam.pk), follow=True)
    kept = SignInFailure.objects.count()
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        changing.unlock(by=Actor.of_admin(owner), membership=sam)

    assert "sam@example.org was unlocked 3 times within an hour." in text_of(refused)
    assert kept == 1
    assert not SignInFailure.objects.exists()


def test_somebody_invited_cannot_be_unlocked(
    organization: Organization, owner_client: Client
) -> None:
    """Whether they must wait is theirs, as everything until they accept."""
    new = invited(organization)
    lock_out("new@example.org")

    answer = owner_client.post(url("admin_unlock", organization, new.pk), follow=True)

    assert "has not accepted the invitation yet" in text_of(answer)
    assert SignInFailure.objects.exists()


def test_only_keys_of_this_organization_can_be_revoked_here(
    organization: Organization, owner_client: Client
) -> None:
    sam = member(organization)
    ours, _ = ApiKey.objects.issue(admin=sam.admin, name="Ours", organization=organization)
    theirs, _ = ApiKey.objects.issue(admin=sam.admin, name="Theirs")
    page = text_of(owner_client.get(url("admin_detail", organization, sam.pk)))

    answers = [
        owner_client.post(url("admin_key_revoke", organization, sam.pk, key.pk)).status_code
        for key in (ours, theirs)
    ]

    assert "Ours" in page
    assert "Theirs" in page
    assert page.count("never used") == 1  # of the other, that may have been elsewhere
    assert answers == [302, 404]
    assert [*ApiKey.objects.usable()] == [theirs]


def test_activity_is_noted_once_in_five_minutes(
    organization: Organization, owner: Admin, owner_client: Client
) -> None:
    earlier = timezone.now() - timedelta(minutes=6)
    lately = timezone.now() - timedelta(minutes=4)
    noted = []

    for moment in (earlier, lately):
        owner.memberships.update(last_active_at=moment)
        owner_client.get(url("network_list", organization))
        noted.append(owner.memberships.get().last_active_at > moment)

    assert noted == [True, False]
