"""Inviting admins by mail: the link, who accepts how, and what nobody learns by inviting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from organizations.admins import accepting, inviting
from organizations.admins.forgetting import forget_newcomers
from organizations.admins.links import token_of, url_of
from organizations.admins.refusals import InvitationOver, InvitedJustNow, TooManyInvitations
from organizations.admins.rights import AdminRights
from organizations.audit import Actor
from organizations.models import (
    Admin,
    AuditEvent,
    IdentityProvider,
    Membership,
    Organization,
    OutgoingMail,
)
from tests import factories
from tests.conftest import signed_in
from tests.factories import NetworkFactory
from tests.reading import errors_of, text_of

PASSWORD = "correct horse battery staple"
LINK = re.compile(r"http://127\.0\.0\.1:8000(/invitation/\S+)")
FULL = AdminRights("full")


def url(name: str, organization: Organization, *rows: int) -> str:
    return reverse(f"organizations:{name}", args=[organization.pk, *rows])


@pytest.fixture
def invitation(organization: Organization, by: Actor) -> Membership:
    """To somebody who has never been here."""
    return inviting.invite(
        by=by, organization=organization, email="New@Example.org", rights=FULL, name="Nora"
    )


@pytest.fixture
def known(organization: Organization, by: Actor) -> Membership:
    """To an admin of another organization."""
    factories.MembershipFactory(admin__email="known@example.net", admin__name="Kim")
    return inviting.invite(by=by, organization=organization, email="known@example.net", rights=FULL)


@pytest.fixture
def later() -> Iterator[None]:
    with time_machine.travel(timezone.now() + timedelta(days=7, seconds=5)):
        yield


def link_in(mail: OutgoingMail) -> str:
    (link,) = LINK.findall(mail.text)
    return link


def page_of(membership: Membership) -> str:
    return reverse("organizations:invitation", args=[token_of(membership)])


def events() -> list[tuple[Any, ...]]:
    told = AuditEvent.objects.order_by("id")
    return list(told.values_list("action", "actor_name", "target_name"))


# --- Inviting -------------------------------------------------------------------------------------


def test_an_invitation_is_mailed_with_what_it_offers(
    organization: Organization, owner_client: Client
) -> None:
    north = NetworkFactory(organization=organization, name="North")

    answer = owner_client.post(
        url("admin_add", organization),
        {
            "email": " New@Example.org ",
            "name": "Nora",
            "access": "read-only",
            f"network_{north.pk}": "full",
            "tags_full": "west",
        },
    )

    membership = Membership.objects.get(admin__email="new@example.org")
    mail = OutgoingMail.objects.get()
    assert answer["Location"] == url("admin_list", organization)
    assert (membership.accepted_at, membership.invited_by) == (None, "owner@example.org")
    assert (mail.to, mail.subject) == (
        "new@example.org",
        "Invitation to Example Schools on VPP Dashboard",
    )
    assert "owner@example.org invites you" in mail.text
    assert "Organization access: Read-only\nNetworks: North\nNetworks tagged: west" in mail.text
    assert link_in(mail) == page_of(membership)
    assert link_in(mail) in mail.html
    assert events() == [("admin.invited", "owner@example.org", "new@example.org")]


def test_an_invitation_opens_nothing(invitation: Membership, organization: Organization) -> None:
    answer = signed_in(invitation.admin).get(url("network_list", organization))

    assert answer.status_code == 404


def test_nothing_shows_whether_an_address_is_known_here(
    organization: Organization, owner_client: Client
) -> None:
    factories.AdminFactory(email="known@example.net", name="Kim", last_login=timezone.now())
    answers = []

    for email in ("known@example.net", "new@example.org"):
        posted = owner_client.post(
            url("admin_add", organization), {"email": email, "access": "full"}, follow=True
        )
        membership = Membership.objects.get(admin__email=email)
        detail = owner_client.get(url("admin_detail", organization, membership.pk))
        mail = OutgoingMail.objects.get(to=email)
        texts = [text_of(posted), text_of(detail), mail.text.replace(link_in(mail), "")]
        answers.append([without(text, email, str(membership.pk)) for text in texts])
        membership.delete()

    assert answers[0] == answers[1]


def without(text: str, *words: str) -> str:
    for word in words:
        text = text.replace(word, "…")
    return re.sub(r"\d\d:\d\d(:\d\d)?", "…", text)


@pytest.mark.parametrize(
    ("email", "sentence"),
    [
        ("", "Email can't be blank: somebody has to get the invitation."),
        ("nobody", "“nobody” is not an e-mail address. Enter one like name@example.org."),
        (
            "owner@example.org",
            "owner@example.org is an administrator here already."
            " Open that row to change what they may do.",
        ),
        (
            "NEW@example.org",
            "new@example.org is invited already. Open that row to change what they may do.",
        ),
    ],
)
def test_whom_one_cannot_invite(
    invitation: Membership,
    organization: Organization,
    owner_client: Client,
    email: str,
    sentence: str,
) -> None:
    page = owner_client.post(url("admin_add", organization), {"email": email, "access": "full"})

    assert errors_of(page) == [sentence]
    assert Membership.objects.count() == 2


def test_inviting_again_voids_the_earlier_link(
    invitation: Membership, by: Actor, client: Client
) -> None:
    earlier = page_of(invitation)

    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        inviting.invite_again(by=by, membership=invitation)
        statuses = [client.get(earlier).status_code]
        invitation.refresh_from_db()
        statuses.append(client.get(page_of(invitation)).status_code)

    assert statuses == [410, 200]
    first, second = OutgoingMail.objects.order_by("pk")
    assert (first.error, first.text) == ("The invitation was withdrawn.", "")
    assert link_in(second) == page_of(invitation)
    assert events()[-1][0] == "admin.invited_again"


def test_nobody_is_flooded_with_mail(
    invitation: Membership, organization: Organization, by: Actor
) -> None:
    with pytest.raises(InvitedJustNow) as hasty:
        inviting.invite_again(by=by, membership=invitation)
    for number in range(99):
        inviting.invite(
            by=by, organization=organization, email=f"{number}@example.org", rights=FULL
        )

    with pytest.raises(TooManyInvitations) as many:
        inviting.invite(by=by, organization=organization, email="more@example.org", rights=FULL)

    assert 0 < hasty.value.retry_after <= 61
    assert 0 < many.value.retry_after <= 3600
    assert not Membership.objects.filter(admin__email="more@example.org").exists()


def test_withdrawing_ends_the_link_and_the_mail(
    invitation: Membership, organization: Organization, owner_client: Client, client: Client
) -> None:
    link = page_of(invitation)

    owner_client.post(
        url("admin_remove", organization, invitation.pk), {"typed_email": "new@example.org"}
    )

    assert client.get(link).status_code == 410
    assert OutgoingMail.objects.get().text == ""
    assert not Membership.objects.filter(pk=invitation.pk).exists()
    assert events()[-1][0] == "admin.invitation_withdrawn"


# --- Accepting ------------------------------------------------------------------------------------


def test_somebody_new_sets_a_password_and_is_in(
    invitation: Membership, organization: Organization, client: Client
) -> None:
    page = client.get(page_of(invitation))
    answer = client.post(
        page_of(invitation), {"name": "Nora N.", "password1": PASSWORD, "password2": PASSWORD}
    )

    invitation.refresh_from_db()
    assert "You are invited to Example Schools" in text_of(page)
    assert answer["Location"] == f"/organizations/{organization.pk}/"
    assert client.get(answer["Location"]).status_code == 200
    assert invitation.accepted_at is not None
    assert (invitation.admin.name, invitation.admin.check_password(PASSWORD)) == ("Nora N.", True)
    assert events()[-1] == ("admin.joined", "new@example.org", "new@example.org")


def test_a_link_works_once(invitation: Membership, client: Client) -> None:
    link = page_of(invitation)
    told = {"password1": PASSWORD, "password2": PASSWORD}
    Client().post(link, told)

    page = client.post(link, told | {"password1": "another long password"})

    assert page.status_code == 410
    assert "This invitation no longer works" in text_of(page)
    assert Admin.objects.get(email="new@example.org").check_password(PASSWORD)


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        (PASSWORD, "something else entirely", "The two passwords differ. Type the same one twice."),
        ("short", "short", "This password is too short."),
        ("password1234", "password1234", "This password is too common."),
    ],
)
def test_a_password_has_to_be_a_good_one(
    invitation: Membership, client: Client, first: str, second: str, sentence: str
) -> None:
    page = client.post(page_of(invitation), {"password1": first, "password2": second})

    assert sentence in " ".join(errors_of(page))
    assert Membership.objects.get(pk=invitation.pk).accepted_at is None


def test_a_known_admin_signs_in_and_accepts(known: Membership, client: Client) -> None:
    page = client.get(page_of(known))
    taken = client.post(page_of(known), {"password1": PASSWORD, "password2": PASSWORD})
    mine = signed_in(known.admin)

    asked = mine.get(page_of(known))
    answer = mine.post(page_of(known))

    assert f"/accounts/login/?next={page_of(known)}" in page.content.decode()
    assert not Admin.objects.get(pk=known.admin_id).check_password(PASSWORD)
    assert taken.status_code == 200
    assert "Accept" in text_of(asked)
    assert answer["Location"] == f"/organizations/{known.organization_id}/"
    assert Membership.objects.get(pk=known.pk).accepted_at is not None


def test_looking_accepts_nothing(known: Membership) -> None:
    signed_in(known.admin).get(page_of(known))

    assert Membership.objects.get(pk=known.pk).accepted_at is None


def test_somebody_else_cannot_accept(known: Membership, outsider: Admin) -> None:
    theirs = signed_in(outsider)

    page = theirs.get(page_of(known))
    theirs.post(page_of(known))
    by_number = theirs.post(reverse("organizations:invitation_accept", args=[known.pk]))

    assert "You are signed in as outsider@example.net" in text_of(page)
    assert by_number.status_code == 404
    assert Membership.objects.get(pk=known.pk).accepted_at is None


def test_an_invitation_ends_after_a_week(
    invitation: Membership, known: Membership, client: Client, later: None
) -> None:
    page = client.get(page_of(invitation))

    with pytest.raises(InvitationOver):
        accepting.accept(by=Actor.of_admin(known.admin), membership=known)

    assert page.status_code == 410
    assert accepting.open_invitations(known.admin) == []


@pytest.mark.parametrize("token", ["nonsense", "1.2~forged", "~", "a" * 500])
def test_a_link_that_we_did_not_make_opens_nothing(db: None, client: Client, token: str) -> None:
    answer = client.get(reverse("organizations:invitation", args=[token]))

    assert answer.status_code == 410


def test_guessing_links_is_slowed_down(db: None, client: Client) -> None:
    guess = reverse("organizations:invitation", args=["nonsense"])

    statuses = [client.get(guess).status_code for _ in range(61)]

    assert statuses == [410] * 60 + [429]


def test_the_first_page_offers_invitations(known: Membership) -> None:
    mine = signed_in(known.admin)

    offered = text_of(mine.get("/"))
    answer = mine.post(reverse("organizations:invitation_accept", args=[known.pk]))

    assert "Example Schools owner@example.org invites you Accept Decline" in offered
    assert answer["Location"] == f"/organizations/{known.organization_id}/"
    assert "invites you" not in text_of(mine.get("/"))


def test_declining_leaves_nothing_behind(known: Membership, invitation: Membership) -> None:
    signed_in(known.admin).post(reverse("organizations:invitation_decline", args=[known.pk]))
    by_link = Client().post(page_of(invitation), {"decline": ""})

    assert "You are not an administrator of Example Schools." in text_of(by_link)
    assert [*Membership.objects.filter(accepted_at=None)] == []
    assert [event[:2] for event in events()[-2:]] == [
        ("admin.declined", "known@example.net"),
        ("admin.declined", "Link in a mail to new@example.org"),
    ]


def test_a_closed_organization_lets_nobody_in(
    known: Membership, organization: Organization, client: Client
) -> None:
    Organization.objects.filter(pk=organization.pk).update(suspended_at=timezone.now())

    page = client.get(page_of(known))
    signed_in(known.admin).post(reverse("organizations:invitation_accept", args=[known.pk]))

    assert (page.status_code, "Not available now" in text_of(page)) == (503, True)
    assert Membership.objects.get(pk=known.pk).accepted_at is None


def test_where_single_sign_on_is_required_no_password_is_set(
    invitation: Membership, organization: Organization, client: Client
) -> None:
    provider = IdentityProvider.objects.create(organization=organization, name="Directory")
    Organization.objects.filter(pk=organization.pk).update(requires_single_sign_on=True)

    page = client.get(page_of(invitation)).content.decode()
    client.post(page_of(invitation), {"password1": PASSWORD, "password2": PASSWORD})

    assert f"/accounts/sso/{provider.uuid}/" in page
    assert "password" not in page.split("<main")[1]
    assert not Admin.objects.get(email="new@example.org").has_usable_password()


def test_who_is_known_here_accepts_by_their_own_sign_in(
    known: Membership, organization: Organization, client: Client
) -> None:
    """Not through single sign-on of the organization that invites: that would be its own word."""
    provider = IdentityProvider.objects.create(organization=organization, name="Directory")
    Organization.objects.filter(pk=organization.pk).update(requires_single_sign_on=True)

    page = client.get(page_of(known)).content.decode()

    assert f"/accounts/login/?next={page_of(known)}" in page
    assert str(provider.uuid) not in page


def test_the_link_is_never_shown_to_whoever_invites(
    invitation: Membership, organization: Organization, owner_client: Client
) -> None:
    """With it they could set the password of somebody whom others have invited as well."""
    pages = [
        owner_client.get(url("admin_list", organization)),
        owner_client.get(url("admin_detail", organization, invitation.pk)),
        owner_client.get(url("admin_edit", organization, invitation.pk)),
    ]

    token = url_of(invitation).rpartition("~")[2]
    assert all(token.rstrip("/") not in page.content.decode() for page in pages)


def test_who_never_came_is_forgotten(invitation: Membership, organization: Organization) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        forgotten = [forget_newcomers()]
        invitation.delete()
        forgotten.append(forget_newcomers())

    assert forgotten == [0, 1]
    assert [*Admin.objects.values_list("email", flat=True)] == ["owner@example.org"]


def test_who_has_come_once_is_kept(db: None) -> None:
    long_ago = timezone.now() - timedelta(days=2)
    factories.AdminFactory(email="password@example.org")
    factories.AdminFactory(email="provider@example.org", password=None, last_login=long_ago)
    Admin.objects.update(date_joined=long_ago)

    assert forget_newcomers() == 0


# --- By command -----------------------------------------------------------------------------------


def test_add_admin_lets_somebody_in_at_once(
    organization: Organization, owner: Admin, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("add_admin", organization=organization.pk, email="New@example.org", read_only=True)

    membership = Membership.objects.get(admin__email="new@example.org")
    assert (membership.access, membership.is_invited) == ("read-only", False)
    assert f"admin {membership.admin_id}\nSet a password within" in capsys.readouterr().out
    assert events() == [("admin.added", "add_admin", "new@example.org")]


def test_add_admin_keeps_the_last_full_admin(organization: Organization, owner: Admin) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("add_admin", organization=organization.pk, email=owner.email, read_only=True)

    assert str(refused.value) == (
        "owner@example.org is the last full admin of this organization."
        " Give somebody else full access first."
    )


def test_add_admin_knows_what_an_address_is(organization: Organization) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("add_admin", organization=organization.pk, email="nobody")

    assert str(refused.value) == (
        "“nobody” is not an e-mail address. Enter one like name@example.org."
    )
