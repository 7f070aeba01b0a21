"""A person who has not accepted Apple's program yet is invited on their own device."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine

from apps_catalog.installations.inviting import fill
from apps_catalog.models import ChannelCommand, Installation, ManagedApp, SimulatedDevice
from tests import factories
from tests.deploying import School, school, state
from users.models import VppUser
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

pytestmark = pytest.mark.django_db
CODE = "f551b37da07146628e8dcbe0111f0364"


@pytest.fixture(autouse=True)
def _simulated(settings: object) -> None:
    settings.DEVICE_CHANNEL = "simulated"  # type: ignore[attr-defined]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel("2026-03-02T08:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def oakmont(clock: object, fake: FakeApple, account: VppAccount) -> School:
    return school(fake, account, purchase_method="user")


def invited(place: School, **device: object) -> Installation:
    """Licensed for an owner whom Apple has registered, and who has not accepted."""
    owner = factories.OwnerFactory(organization=place.organization)
    person = factories.VppUserFactory(account=place.account, owner=owner, apple_status="Registered")
    person.invite_code = CODE
    person.save()
    row = place.wanted(place.device(owner=owner, **device), "licensed")
    Installation.objects.filter(pk=row.pk).update(reason="ownerHasNotAccepted")
    factories.AssignmentFactory(
        licensed_app=place.title, holder_kind="user", holder=person.client_user_id
    )
    return row


def invitations() -> list[tuple[str, str]]:
    sent = ChannelCommand.objects.filter(request_type="InviteToProgram").order_by("pk")
    return list(sent.values_list("channel_id", "state"))


def test_the_device_gets_apples_page_and_our_tables_do_not(
    oakmont: School, clock: time_machine.Traveller
) -> None:
    row = invited(oakmont)
    oakmont.enroll()

    oakmont.turn()
    person = VppUser.objects.get()
    stored = ChannelCommand.objects.get(request_type="InviteToProgram")

    assert stored.body == {"Person": person.pk}
    assert stored.state == "done"
    assert state(row) == ("licensed", "ownerHasNotAccepted")


def test_the_address_is_filled_in_as_it_is_sent(
    oakmont: School, clock: time_machine.Traveller
) -> None:
    invited(oakmont)
    command = ChannelCommand(
        request_type="InviteToProgram", body={"Person": VppUser.objects.get().pk}
    )

    body = fill(command)

    assert body["ProgramID"] == "com.apple.cloudvpp"
    assert CODE in body["InvitationURL"]


def test_nobody_is_invited_twice_in_a_week(oakmont: School, clock: time_machine.Traveller) -> None:
    invited(oakmont)
    oakmont.enroll()
    oakmont.play(clock, minutes=6 * 24 * 60)
    in_a_week = len(invitations())

    oakmont.play(clock, minutes=2 * 24 * 60)

    assert (in_a_week, len(invitations())) == (1, 2)


def test_user_enrollments_are_not_invited(oakmont: School, clock: time_machine.Traveller) -> None:
    row = invited(oakmont)
    row.device.enrollment = "user"
    row.device.save()
    oakmont.enroll()

    oakmont.turn()

    assert invitations() == []


def test_a_mac_invites_its_user(oakmont: School, clock: time_machine.Traveller) -> None:
    row = invited(oakmont, platform="macOS")
    oakmont.enroll()
    enrollment = SimulatedDevice.objects.get(device=row.device).device.enrollment_record

    oakmont.turn()

    assert invitations() == [(enrollment.user_channel_id, "done")]


def test_who_accepts_gets_the_app(oakmont: School, clock: time_machine.Traveller) -> None:
    row = invited(oakmont)
    oakmont.enroll()
    oakmont.turn()
    person = VppUser.objects.get()
    VppUser.objects.update(apple_status="Associated")
    location = oakmont.fake.location(oakmont.account.uid)
    oakmont.fake.register(location, person.client_user_id, person.email)
    oakmont.fake.assign(oakmont.account.uid, "361285480", client_user_ids=[person.client_user_id])

    oakmont.play(clock)

    assert state(row) == ("installed", "")
    assert ManagedApp.objects.get().needs_license
