"""30 days after its deletion nothing of an organization is left, and nothing of another is touched."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.db import connection, connections, transaction
from django.utils import timezone

from organizations import walls
from organizations.closing import erasing
from organizations.closing.tables import tables
from organizations.models import (
    Admin,
    ApiKey,
    AuditEvent,
    IdentityProvider,
    Membership,
    Network,
    Organization,
)
from organizations.tasks import erase_deleted
from tests.conftest import signed_in
from tests.factories import MembershipFactory
from tests.sweep.tenant import OURS, THEIRS, Tenant
from tests.sweep.world import fill
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import FormerClaim, VppAccount


@pytest.fixture
def ours(fake: FakeApple, db: None) -> Tenant:
    """An organization with rows in every table, whose 30 days are over."""
    tenant = fill(fake, OURS, 1)
    ApiKey.objects.issue(
        admin=tenant.admins["full"], name="Only here", organization=tenant.organization
    )
    over(tenant.organization)
    return tenant


@pytest.fixture
def theirs(fake: FakeApple, db: None) -> Tenant:
    return fill(fake, THEIRS, 2)


def over(organization: Organization) -> None:
    now = timezone.now()
    Organization.objects.filter(pk=organization.pk).update(
        deletion_asked_at=now - timedelta(days=31), deletes_at=now - timedelta(days=1)
    )


def rows_of(organization: Organization) -> dict[str, int]:
    """How many of each table, where there are some."""
    with connection.cursor() as cursor:
        found = {}
        for table in tables():
            cursor.execute(table.count, [organization.pk])
            found[table.name] = cursor.fetchone()[0]
    return {name: number for name, number in found.items() if number}


def test_every_table_of_tenants_is_emptied() -> None:
    walled = {policy.table for policy in walls.policies()}

    emptied = {table.name for table in tables()}

    assert walled | walls.OUTSIDE == emptied | {walls.ORGANIZATION}


def test_the_world_has_something_in_every_table(ours: Tenant) -> None:
    """Else the next test could not tell whether a table was forgotten."""
    assert {table.name for table in tables()} - set(rows_of(ours.organization)) == set()


def test_nothing_is_left_but_one_event_and_the_others_are_untouched(
    ours: Tenant, theirs: Tenant
) -> None:
    before, ours_before = rows_of(theirs.organization), rows_of(ours.organization)

    gone = erase_deleted()

    (event,) = AuditEvent.objects.filter(organization=ours.organization.pk)
    assert gone == 1
    assert rows_of(ours.organization) == {"organizations_auditevent": 1}
    assert not Organization.objects.filter(pk=ours.organization.pk).exists()
    assert (event.action, event.actor_name, event.target_id) == (
        "organization.deleted",
        "Deleted organizations",
        ours.organization.pk,
    )
    assert event.after["rows"]["device"] == ours_before["organizations_device"]
    assert OURS not in f"{event.target_name}{event.after}"
    assert rows_of(theirs.organization) == before


def test_admins_without_another_organization_go_with_their_keys_and_sessions(
    ours: Tenant, theirs: Tenant
) -> None:
    both = ours.admins["full"]
    MembershipFactory(organization=theirs.organization, admin=both)
    alone = ours.admins["reader"]
    ApiKey.objects.issue(admin=alone, name="Theirs")
    client, stays = signed_in(alone), signed_in(both)

    erase_deleted()

    assert not Admin.objects.filter(email__contains=OURS).exclude(pk=both.pk).exists()
    assert Membership.objects.get(admin=both).organization_id == theirs.organization.pk
    assert not ApiKey.objects.filter(admin=alone.pk).exists()
    assert client.get("/")["Location"].startswith("/accounts/login/")
    assert stays.get("/").status_code == 302
    assert stays.get(f"/organizations/{theirs.organization.pk}/alarms/").status_code == 200


def test_the_mark_at_apple_stays_known_and_no_token_does(ours: Tenant) -> None:
    uuids = {
        str(account.uuid)
        for account in VppAccount.objects.filter(organization=ours.organization)
        if account.claimed_at
    }
    former = set(
        FormerClaim.objects.filter(organization=ours.organization).values_list("mdm_id", flat=True)
    )

    erase_deleted()

    marks = FormerClaim.objects.filter(organization=None)
    assert set(marks.values_list("mdm_id", flat=True)) == uuids | former
    assert set(marks.values_list("name", "token_ciphertext", "next_attempt_at")) == {("", "", None)}


def test_who_came_through_its_single_sign_on_is_no_longer_bound_to_it(
    ours: Tenant, theirs: Tenant
) -> None:
    both = ours.admins["full"]
    MembershipFactory(organization=theirs.organization, admin=both)
    provider, other = (
        IdentityProvider.objects.filter(organization=each.organization).first()
        for each in (ours, theirs)
    )
    SocialAccount.objects.all().delete()
    for each in (provider, other):
        SocialAccount.objects.create(user=both, provider=str(each.uuid), uid="subject")

    erase_deleted()

    assert [each.provider for each in SocialAccount.objects.all()] == [str(other.uuid)]


@pytest.mark.parametrize("asked", [None, timedelta(days=1)])
def test_what_is_not_over_stays(theirs: Tenant, asked: timedelta | None) -> None:
    now = timezone.now()
    if asked:
        Organization.objects.update(deletion_asked_at=now, deletes_at=now + asked)
    before = rows_of(theirs.organization)

    assert erase_deleted() == 0
    assert erasing.erase(theirs.organization.pk) is False
    assert rows_of(theirs.organization) == before


@pytest.mark.parametrize("place", range(0, 60, 7))
def test_killed_anywhere_the_next_sweep_goes_on(
    ours: Tenant, theirs: Tenant, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    before, devices = (
        rows_of(theirs.organization),
        rows_of(ours.organization)["organizations_device"],
    )
    monkeypatch.setattr(erasing, "AT_A_TIME", 1)
    with monkeypatch.context() as patch:
        patch.setattr(erasing, "_empty", dying_at(place))
        with pytest.raises(KeyboardInterrupt):
            erase_deleted()

    gone = erase_deleted()

    event = AuditEvent.objects.get(organization=ours.organization.pk)
    assert (gone, event.action) == (1, "organization.deleted")
    assert event.after["rows"]["device"] == devices  # as there were at the beginning
    assert rows_of(ours.organization) == {"organizations_auditevent": 1}
    assert rows_of(theirs.organization) == before


def dying_at(place: int) -> Any:
    """The worker dies after so many tables, at the last of them in its middle."""
    empty, left = erasing._empty, [place % (len(tables()) - 1)]

    def dying(table: Any, organization_id: int) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        empty(table, organization_id)

    return dying


def test_a_row_that_comes_meanwhile_is_removed_by_the_next_sweep(
    ours: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when Apple's notification or a slow worker writes at the last moment."""
    end = erasing._end

    def late(organization_id: int) -> None:
        Network.objects.using("system").create(organization=ours.organization, name="Late")
        with transaction.atomic(using="system"):
            end(organization_id)
            connections["system"].check_constraints()  # as the end of the transaction does

    with monkeypatch.context() as patch:
        patch.setattr(erasing, "_end", late)
        first = erase_deleted()
    second = erase_deleted()

    assert (first, second) == (0, 1)
    assert rows_of(ours.organization) == {"organizations_auditevent": 1}
