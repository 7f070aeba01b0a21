"""Two who change the same person at once: one waits for the other, and none is torn off."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections, transaction

from organizations.audit import Actor
from organizations.models import Organization, OutgoingMail, Owner
from tests.factories import InvitationFactory, OwnerFactory
from users.invitations import giving, news
from users.invitations.letters import key_of
from users.models import Invitation, VppUser
from users.services import OwnerDetails, PersonDetails, edit_owner, edit_person

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "system", "owner"])


@pytest.fixture
def invitation(organization: Organization) -> Invitation:
    owner = OwnerFactory(organization=organization)
    return InvitationFactory(user__owner=owner, user__account__organization=organization)


def meets(
    first: Callable[[], object], second: Callable[[], object], other: Callable[[], object]
) -> None:
    """`other` happens between the first and the second step of one transaction."""
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first()
            meanwhile = pool.submit(_alone, other)
            _until_somebody_waits()
            second()
        meanwhile.result()


def _alone(what: Callable[[], object]) -> None:
    try:
        with transaction.atomic():
            what()
    finally:
        connections.close_all()


def _until_somebody_waits() -> None:
    until = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE NOT granted AND datname = current_database()) FROM pg_stat_clear_snapshot()"
            )
            if cursor.fetchone()[0]:
                return
    raise AssertionError("Nobody waited.")


def locked(rows: Any) -> Callable[[], object]:
    return lambda: list(rows.select_for_update(no_key=True).values_list("pk"))


def test_an_owner_and_the_same_person_are_edited(invitation: Invitation, by: Actor) -> None:
    user = invitation.user

    meets(
        locked(Owner.objects.filter(pk=user.owner_id)),
        lambda: edit_owner(by=by, owner=user.owner, details=OwnerDetails(name="Ann Lee")),
        lambda: edit_person(by=by, user=user, details=PersonDetails(username="ann")),
    )

    user.refresh_from_db()
    assert (user.name, user.owner.name, user.owner.username) == ("Ann Lee", "Ann Lee", "ann")


def test_an_invitation_is_sent_again_and_withdrawn(invitation: Invitation, by: Actor) -> None:
    user = invitation.user

    meets(
        locked(VppUser.objects.filter(pk=user.pk)),
        lambda: giving.give_out(by=by, account=invitation.account, user_ids=[user.pk]),
        lambda: giving.withdraw(by=by, invitation=invitation),
    )

    invitation.refresh_from_db()
    user.refresh_from_db()
    assert (invitation.ending, user.invited_at) == ("withdrawn", None)


def test_an_invitation_is_sent_again_while_its_mail_comes_back(
    invitation: Invitation, by: Actor
) -> None:
    user = invitation.user
    refused = OutgoingMail(
        key=key_of(invitation), error="The mail server refused this address: 550"
    )

    meets(
        locked(VppUser.objects.filter(pk=user.pk)),
        lambda: giving.give_out(by=by, account=invitation.account, user_ids=[user.pk]),
        lambda: news.note_mails([refused]),
    )

    user.refresh_from_db()
    assert user.failure == "The mail server refused this address: 550"
