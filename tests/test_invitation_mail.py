"""The mail of an invitation: what it says, to whom, in whose name, and what becomes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
import time_machine
from django.conf import LazySettings
from django.db import transaction

from organizations import logo
from organizations.audit import Actor
from organizations.models import Organization, OutgoingMail
from organizations.tasks import send_mail
from tests.factories import InvitationFactory, OwnerFactory, VppAccountFactory, VppUserFactory
from tests.pictures import picture
from tests.smtp_server import MailServer, mail_server
from users.invitations import giving, links
from users.models import Invitation, InvitationSettings, VppUser
from users.states import PersonStatus, status_of
from vpp_accounts.models import VppAccount

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ANN = {"name": "Ann Lee", "email": "ann@lakeside.example"}
LINK = re.compile(r"http://127\.0\.0\.1:8000/i/[\w.~-]+")


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def server(settings: LazySettings) -> Iterator[MailServer]:
    with mail_server() as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        yield running


@pytest.fixture
def account(db: None) -> VppAccount:
    return VppAccountFactory(
        name="Lakeside School",
        email="apps@lakeside.example",
        organization__name="Lakeside District",
    )


def invited(account: VppAccount, **person: str) -> Invitation:
    owner = OwnerFactory(organization=account.organization, **(ANN | person))
    return InvitationFactory(user__account=account, user__owner=owner)


def mailed(account: VppAccount, *invitations: Invitation, reminder: bool = False) -> int:
    with transaction.atomic():
        return giving.mail(invitations, account=account, reminder=reminder)


def sent(server: MailServer, *invitations: Invitation, reminder: bool = False) -> EmailMessage:
    """The last of their mails, as the mail server got it."""
    mailed(invitations[0].account, *invitations, reminder=reminder)
    send_mail()
    return server.accepted[-1]


def text_of(mail: EmailMessage) -> str:
    return mail.get_body(["plain"]).get_content().strip()


def html_of(mail: EmailMessage) -> str:
    return mail.get_body(["html"]).get_content()


def person_of(invitation: Invitation) -> VppUser:
    return VppUser.objects.get(pk=invitation.user_id)


# --- What it says ---------------------------------------------------------------------------------


def test_the_mail_says_who_invites_what_happens_and_what_is_shared(
    account: VppAccount, server: MailServer
) -> None:
    invitation = invited(account)

    mail = sent(server, invitation)

    assert (mail["From"], mail["Reply-To"], mail["To"], mail["Subject"]) == (
        "Lakeside School <vpp@localhost>",
        "apps@lakeside.example",
        "ann@lakeside.example",
        "Your invitation from Lakeside School",
    )
    assert text_of(mail).splitlines() == [
        "Hello Ann Lee,",
        "",
        "Lakeside School invites you to receive apps and books for your iPhone, iPad or Mac.",
        "",
        "Open the invitation:",
        links.url_of(invitation),
        "",
        "What happens then",
        "1. The button shows you the invitation, and leads on to Apple from there.",
        "2. At Apple you sign in with your Apple Account (Apple ID) and agree to Apple's terms.",
        "3. Apps and books that are given to you can then be downloaded from the App Store and from"
        " Apple Books, under “Purchased”.",
        "",
        "What is shared",
        "- Lakeside District learns that you have accepted, and never which Apple Account is yours.",
        "- Apps belong to Lakeside District, which can take them back. Books are yours to keep.",
        "",
        "This invitation is for you alone. It is valid until Feb. 21, 2027.",
        "",
        "--",
        "You get this mail because an admin of Lakeside District has invited ann@lakeside.example."
        " If you did not expect it, you need not do anything.",
        "Questions? Reply to this mail; your reply goes to apps@lakeside.example.",
    ]


def test_the_html_has_one_button_and_loads_nothing_from_elsewhere(
    account: VppAccount, server: MailServer
) -> None:
    invitation = invited(account)

    html = html_of(sent(server, invitation))

    assert re.findall(r'<html lang="(\w+)">', html) == ["en"]
    assert re.findall(r'(?:href|src|url)\W+"?(http[^"]*)', html) == [links.url_of(invitation)]
    assert re.findall(r"https?:", html) == ["http:"]
    assert re.findall(r"<(?:img|link|script|iframe|form)\b", html) == []


def test_a_reminder_says_that_it_is_one(account: VppAccount, server: MailServer) -> None:
    mail = sent(server, invited(account), reminder=True)

    assert mail["Subject"] == "Reminder: your invitation from Lakeside School"
    assert text_of(mail).splitlines()[2] == (
        "Lakeside School has invited you to receive apps and books for your iPhone, iPad or Mac."
        " You have not accepted yet."
    )


@pytest.mark.parametrize(
    ("own", "organizations", "language", "until"),
    [
        ("", "en", "en", "Feb. 21, 2027"),
        ("", "de", "de", "21. Februar 2027"),
        ("es", "de", "es", "21 de febrero de 2027"),
        ("xx", "de", "de", "21. Februar 2027"),
        ("xx", "yy", "en", "Feb. 21, 2027"),
    ],
)
def test_it_is_written_in_the_persons_language(
    own: str,
    organizations: str,
    language: str,
    until: str,
    account: VppAccount,
    server: MailServer,
) -> None:
    InvitationSettings.objects.create(organization=account.organization, language=organizations)

    mail = sent(server, invited(account, language=own))

    assert re.findall(r'<html lang="(\w+)">', html_of(mail)) == [language]
    assert until in text_of(mail)
    assert until in html_of(mail)


def test_the_day_is_that_of_the_organization(account: VppAccount, server: MailServer) -> None:
    Organization.objects.filter(pk=account.organization_id).update(time_zone="Pacific/Kiritimati")
    account.refresh_from_db()

    mail = sent(server, invited(account))

    assert "valid until Feb. 22, 2027" in text_of(mail)


def test_the_organizations_own_words_and_every_name_are_text_and_no_markup(
    account: VppAccount, server: MailServer
) -> None:
    VppAccount.objects.update(name="Reading & <b>Writing</b> 100%s")
    account.refresh_from_db()
    wording = "Dear <i>family</i>,\nwe & you.\n\n\n%(link)s {{ link }}"
    InvitationSettings.objects.create(organization=account.organization, wording=wording)

    mail = sent(server, invited(account, name="<script>Ann</script> & Co"))

    text, html = text_of(mail), html_of(mail)
    assert text.splitlines()[:9] == [
        "Hello <script>Ann</script> & Co,",
        "",
        "Reading & <b>Writing</b> 100%s invites you to receive apps and books for your iPhone, iPad"
        " or Mac.",
        "",
        "Dear <i>family</i>,",
        "we & you.",
        "",
        "%(link)s {{ link }}",
        "",
    ]
    assert "Hello &lt;script&gt;Ann&lt;/script&gt; &amp; Co," in html
    assert "Dear &lt;i&gt;family&lt;/i&gt;,<br>we &amp; you.</p>" in html
    assert "<strong>Writing" not in html
    assert re.findall(r"<(?:script|i|b)>", html) == []


def test_everybody_gets_their_own_link_and_name(account: VppAccount, server: MailServer) -> None:
    people = {
        "Ann Lee": "ann@lakeside.example",
        "Bo Ek": "bo@lakeside.example",
        "cy@lakeside.example": "cy@lakeside.example",  # known by nothing but their address
    }
    invitations = [invited(account, name=name, email=to) for name, to in people.items()]

    mailed(account, *invitations)
    send_mail()

    told = [
        (m["To"], text_of(m).splitlines()[0], LINK.findall(text_of(m))) for m in server.accepted
    ]
    links_ = [[links.url_of(invitation)] for invitation in invitations]
    assert told == [
        ("ann@lakeside.example", "Hello Ann Lee,", links_[0]),
        ("bo@lakeside.example", "Hello Bo Ek,", links_[1]),
        ("cy@lakeside.example", "Hello,", links_[2]),
    ]
    assert [LINK.findall(html_of(mail)) for mail in server.accepted] == links_


# --- In whose name --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Österreichs Schule №1", "Österreichs Schule №1"),
        ('North "A", <x@evil.example>', 'North "A", <x@evil.example>'),
        ("Line\r\nBcc: everybody@evil.example", "Line Bcc: everybody@evil.example"),
        ("ü" * 200, "ü" * 200),
    ],
)
def test_the_name_may_be_anything_and_the_address_stays_ours(
    name: str, shown: str, account: VppAccount, server: MailServer
) -> None:
    VppAccount.objects.update(name=name)
    account.refresh_from_db()

    mail = sent(server, invited(account))

    (sender,) = mail["From"].addresses
    assert (sender.display_name, sender.addr_spec) == (shown, "vpp@localhost")
    assert (mail["Bcc"], mail["To"], len(server.accepted)) == (None, "ann@lakeside.example", 1)


def test_the_logo_is_part_of_the_mail(account: VppAccount, server: MailServer) -> None:
    drawn = logo.drawn(picture(480, 120))
    logo.keep(account.organization, drawn)

    mail = sent(server, invited(account))

    whole, image = mail.iter_parts()
    assert (mail.get_content_type(), whole.get_content_type()) == (
        "multipart/related",
        "multipart/alternative",
    )
    assert (image["Content-ID"], image.get_content_disposition(), image.get_content_type()) == (
        "<logo>",
        "inline",
        "image/png",
    )
    assert image.get_content() == drawn.png
    assert re.findall(r'<img src="([^"]+)"\s+width="(\d+)"\s+height="(\d+)"', html_of(mail)) == [
        ("cid:logo", "240", "60")
    ]


def test_a_logo_that_was_removed_meanwhile_is_not_sent(
    account: VppAccount, server: MailServer
) -> None:
    logo.keep(account.organization, logo.drawn(picture(480, 120)))
    mailed(account, invited(account))
    account.organization.logo.delete()

    send_mail()

    (mail,) = server.accepted
    assert mail.get_content_type() == "multipart/alternative"


def test_the_logo_of_another_organization_is_not_ours(
    account: VppAccount, server: MailServer
) -> None:
    logo.keep(VppAccountFactory().organization, logo.drawn(picture(10, 10)))

    mail = sent(server, invited(account))

    assert (mail.get_content_type(), "cid:" in html_of(mail)) == ("multipart/alternative", False)


# --- What becomes of it ---------------------------------------------------------------------------


def test_a_mail_that_went_out_is_noted_and_its_text_is_gone(
    account: VppAccount, server: MailServer, clock: time_machine.Traveller
) -> None:
    invitation = invited(account)
    sent(server, invitation)
    clock.shift(timedelta(days=1))

    sent(server, invitation, reminder=True)

    invitation.refresh_from_db()
    assert (invitation.mails, invitation.reminders) == (2, 1)
    assert (invitation.sent_at, invitation.last_sent_at) == (NOON, NOON + timedelta(days=1))
    assert set(OutgoingMail.objects.values_list("text", "html")) == {("", "")}
    assert len(server.accepted) == 2


def test_a_refused_address_makes_the_person_failed_in_the_servers_words(
    account: VppAccount, server: MailServer
) -> None:
    server.replies["gone@lakeside.example"] = "550 5.1.1 No such user"
    invitation, other = invited(account, email="gone@lakeside.example"), invited(account)
    mailed(account, invitation, other)

    send_mail()

    invitation.refresh_from_db()
    person = person_of(invitation)
    assert (invitation.bounced_at, invitation.sent_at) == (NOON, None)
    assert (status_of(person), person.failure) == (
        PersonStatus.FAILED,
        "The mail server refused this address: 550 5.1.1 No such user",
    )
    assert (person_of(other).failure, [m["To"] for m in server.accepted]) == (
        "",
        ["ann@lakeside.example"],
    )


def test_what_the_server_refuses_for_the_moment_is_sent_later(
    account: VppAccount, server: MailServer, clock: time_machine.Traveller
) -> None:
    server.replies["ann@lakeside.example"] = "451 4.7.1 Greylisted"
    invitation = invited(account)
    mailed(account, invitation)
    send_mail()
    meanwhile = (person_of(invitation).failure, len(server.accepted))
    server.replies.clear()
    clock.shift(timedelta(minutes=1))

    send_mail()

    invitation.refresh_from_db()
    assert (meanwhile, invitation.bounced_at) == (("", 0), None)
    assert invitation.sent_at == NOON + timedelta(minutes=1)


def test_sending_again_to_an_address_that_was_corrected_clears_the_failure(
    account: VppAccount, server: MailServer
) -> None:
    server.replies["ann@lakeside.example"] = "550 Unknown"
    invitation = invited(account)
    mailed(account, invitation)
    send_mail()
    invitation.user.owner.email = "ann.lee@lakeside.example"
    invitation.user.owner.save()

    with transaction.atomic():
        again = giving.give_out(
            by=Actor.system("Test"), account=account, user_ids=[invitation.user_id]
        )
        giving.mail(again, account=account)
    send_mail()

    invitation.refresh_from_db()
    assert (invitation.bounced_at, invitation.sent_at) == (None, NOON)
    assert person_of(invitation).failure == ""
    assert [m["To"] for m in server.accepted] == ["ann.lee@lakeside.example"]


def test_an_earlier_mail_that_is_given_up_says_nothing_of_a_later_one(
    account: VppAccount, server: MailServer, clock: time_machine.Traveller
) -> None:
    server.replies["ann@lakeside.example"] = "451 4.7.1 Greylisted"
    invitation = invited(account)
    mailed(account, invitation)
    send_mail()
    invitation.user.owner.email = "ann.lee@lakeside.example"
    invitation.user.owner.save()
    mailed(account, invitation)
    send_mail()
    server.replies["ann@lakeside.example"] = "550 Unknown"
    clock.shift(timedelta(hours=1))

    send_mail()

    invitation.refresh_from_db()
    assert list(OutgoingMail.objects.order_by("pk").values_list("to", "next_attempt_at")) == [
        ("ann@lakeside.example", None),
        ("ann.lee@lakeside.example", None),
    ]
    assert (invitation.bounced_at, person_of(invitation).failure) == (None, "")


def test_who_has_no_address_gets_nothing(account: VppAccount) -> None:
    nameless = InvitationFactory(user__account=account, user__email="")
    by_account = InvitationFactory(user=VppUserFactory(account=account, email="bo@example.org"))

    count = mailed(account, nameless, by_account)

    assert (count, list(OutgoingMail.objects.values_list("to", flat=True))) == (
        1,
        ["bo@example.org"],
    )


@pytest.mark.parametrize("many", [1, 30])
def test_however_many_are_invited_it_takes_a_few_statements(
    many: int, account: VppAccount, django_assert_num_queries: object
) -> None:
    languages = ["", "de", "es"]
    invitations = [
        invited(account, name=f"P{n}", email=f"p{n}@example.org", language=languages[n % 3])
        for n in range(many)
    ]

    # Counting the mails up and reading them; settings, logo; mails known and new.
    with django_assert_num_queries(6):
        giving.mail(invitations, account=account)

    assert OutgoingMail.objects.count() == many
