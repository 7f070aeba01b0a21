"""How an organization writes to its people: the page, what it refuses, preview and test mail."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.core import mail as django_mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from organizations import logo
from organizations.models import AuditEvent, Logo, Organization, OutgoingMail
from organizations.tasks import send_mail
from tests.conftest import signed_in
from tests.factories import (
    MembershipFactory,
    NetworkAccessFactory,
    NetworkFactory,
    VppAccountFactory,
)
from tests.pictures import opened, picture
from tests.reading import errors_of, text_of
from users.invitations import links
from users.models import InvitationSettings
from vpp_accounts.models import VppAccount

SAID = {
    "language": "de",
    "wording": "Liebe Eltern,\r\n\r\nbitte nehmt an.",
    "first_reminder_days": "7",
    "second_reminder_days": "3",
}


def page_of(organization: Organization) -> str:
    return reverse("users:invitation_settings", args=[organization.pk])


def preview_of(organization: Organization) -> str:
    return reverse("users:invitation_preview", args=[organization.pk])


def saved(client: Client, organization: Organization, **changes: Any) -> HttpResponse:
    return client.post(page_of(organization), SAID | changes, follow=True)


def send_test_mail(client: Client, organization: Organization, **choice: object) -> HttpResponse:
    url = reverse("users:invitation_test_mail", args=[organization.pk])
    return client.post(url, choice, follow=True)


def settings_of(organization: Organization) -> dict[str, Any]:
    ours = InvitationSettings.of(organization.pk)
    names = ("language", "wording", "first_reminder_days", "second_reminder_days")
    return {name: getattr(ours, name) for name in names}


STANDARD = {
    "language": "en",
    "wording": "",
    "first_reminder_days": None,
    "second_reminder_days": None,
}


# --- Saving ---------------------------------------------------------------------------------------


def test_what_is_said_is_kept_and_recorded(
    organization: Organization, owner_client: Client
) -> None:
    before = settings_of(organization)

    page = saved(owner_client, organization, logo=SimpleUploadedFile("logo.png", picture(300, 100)))

    event = AuditEvent.objects.get(action="invitation_settings.edited")
    assert before == STANDARD
    assert settings_of(organization) == {
        "language": "de",
        "wording": "Liebe Eltern,\n\nbitte nehmt an.",
        "first_reminder_days": 7,
        "second_reminder_days": 3,
    }
    assert (event.actor_name, event.before, event.after) == (
        "owner@example.org",
        {
            "language": "English",
            "wording": "",
            "logo": "",
            "firstReminderDays": None,
            "secondReminderDays": None,
        },
        {
            "language": "Deutsch",
            "wording": "Liebe Eltern,\n\nbitte nehmt an.",
            "logo": "300 by 100 pixels",
            "firstReminderDays": 7,
            "secondReminderDays": 3,
        },
    )
    assert "The settings of the invitation mails are saved." in text_of(page)
    assert "Liebe Eltern," in page.content.decode()


def test_saying_it_again_leaves_no_trace(organization: Organization, owner_client: Client) -> None:
    saved(owner_client, organization)

    saved(owner_client, organization)

    assert AuditEvent.objects.filter(action="invitation_settings.edited").count() == 1


def test_reminders_are_switched_off_by_empty_fields(
    organization: Organization, owner_client: Client
) -> None:
    saved(owner_client, organization)

    saved(owner_client, organization, first_reminder_days="", second_reminder_days="")

    ours = settings_of(organization)
    assert (ours["first_reminder_days"], ours["second_reminder_days"]) == (None, None)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"language": "xx"}, "Select a valid choice. xx is not one of the available choices."),
        (
            {"wording": "x" * 1001},
            "The wording has 1,001 characters; at most 1,000 are possible. Shorten it.",
        ),
        ({"first_reminder_days": "0"}, "Choose a number from 1 to 60, or leave it empty."),
        ({"second_reminder_days": "61"}, "Choose a number from 1 to 60, or leave it empty."),
        ({"first_reminder_days": "soon"}, "Choose a number from 1 to 60, or leave it empty."),
        (
            {"first_reminder_days": ""},
            "There is no second reminder without a first one. Fill in the first, or leave both"
            " empty.",
        ),
    ],
    ids=["language", "wording", "none", "many", "word", "second alone"],
)
def test_what_cannot_be_is_refused_in_words_and_nothing_is_kept(
    changes: dict[str, str], error: str, organization: Organization, owner_client: Client
) -> None:
    page = saved(owner_client, organization, **changes)

    assert (page.status_code, errors_of(page)) == (200, [error])
    assert settings_of(organization) == STANDARD


def test_line_breaks_of_browsers_do_not_count_twice(
    organization: Organization, owner_client: Client
) -> None:
    page = saved(owner_client, organization, wording="x" * 499 + "\r\n" + "y" * 500)

    assert (errors_of(page), len(settings_of(organization)["wording"])) == ([], 1000)


# --- The logo -------------------------------------------------------------------------------------


def test_a_logo_is_scaled_shown_replaced_and_removed(
    organization: Organization, owner_client: Client
) -> None:
    page = saved(
        owner_client,
        organization,
        logo=SimpleUploadedFile("a.jpg", picture(1200, 200, kind="JPEG")),
    )
    first = Logo.objects.get()
    size, shown = (first.width, first.height), logo.data_url(first)

    saved(owner_client, organization, logo=SimpleUploadedFile("b.png", picture(20, 10)))
    second = Logo.objects.get()
    removed = saved(owner_client, organization, remove_logo="on")

    assert (size, shown in page.content.decode()) == ((600, 100), True)
    assert (second.width, second.height) == (20, 10)
    assert (Logo.objects.count(), "<figure" in removed.content.decode()) == (0, False)
    events = AuditEvent.objects.filter(action="invitation_settings.edited").order_by("pk")
    assert [event.after["logo"] for event in events] == [
        "600 by 100 pixels",
        "20 by 10 pixels",
        "",
    ]


def test_a_logo_that_is_none_keeps_the_old_one(
    organization: Organization, owner_client: Client
) -> None:
    logo.keep(organization, logo.drawn(picture(20, 10)))

    page = saved(owner_client, organization, logo=SimpleUploadedFile("logo.png", b"hello"))

    assert errors_of(page) == [
        "This file cannot be read as a picture. Choose a PNG, JPEG, GIF or WebP file."
    ]
    assert (Logo.objects.get().width, settings_of(organization)) == (20, STANDARD)


def test_what_is_kept_of_a_logo_is_a_picture(
    organization: Organization, owner_client: Client
) -> None:
    saved(
        owner_client,
        organization,
        logo=SimpleUploadedFile("evil.html", picture(5, 5) + b"<script>"),
    )

    assert b"script" not in bytes(Logo.objects.get().png)
    assert opened(bytes(Logo.objects.get().png)).size == (5, 5)


# --- Preview --------------------------------------------------------------------------------------


def test_the_preview_shows_the_mail_as_it_would_come(
    account: VppAccount, organization: Organization, owner_client: Client
) -> None:
    logo.keep(organization, logo.drawn(picture(20, 10)))
    saved(owner_client, organization, language="en", wording="Dear <b>all</b>")

    page = owner_client.get(page_of(organization))
    mail = owner_client.get(_frame_of(page))

    assert "Reply to vpp@example.org Subject Your invitation from Example Schools North" in text_of(
        page
    )
    assert "Example Schools North <vpp@localhost>" in html.unescape(page.content.decode())
    assert f"http://127.0.0.1:8000/i/{links.sample_token(account)}" in page.content.decode()
    assert links.sample_token(account) in mail.content.decode()
    assert "Dear &lt;b&gt;all&lt;/b&gt;" in mail.content.decode()
    assert 'src="data:image/png;base64,' in mail.content.decode()


def test_the_preview_may_have_its_style_and_nothing_else(
    account: VppAccount, organization: Organization, owner_client: Client
) -> None:
    mail = owner_client.get(preview_of(organization))
    page = owner_client.get(page_of(organization))

    assert mail["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'self'; sandbox"
    )
    assert (mail["X-Frame-Options"], page["X-Frame-Options"]) == ("SAMEORIGIN", "DENY")
    assert "unsafe-inline" not in page["Content-Security-Policy"]
    assert re.search(r"<iframe[^>]*\ssandbox>", page.content.decode())


def test_the_preview_is_of_the_chosen_account_language_and_mail(
    account: VppAccount, organization: Organization, owner_client: Client
) -> None:
    south = VppAccountFactory(organization=organization, name="South")
    choice = {"account": south.pk, "language": "es", "mail": "reminder"}

    page = owner_client.get(page_of(organization), choice)
    mail = owner_client.get(_frame_of(page)).content.decode()

    assert ('<html lang="es">' in mail, links.sample_token(south) in mail) == (True, True)
    assert page.context["letter"].from_name == "South"
    assert page.context["letter"].subject != "Your invitation from South"


@pytest.mark.parametrize(
    "choice", [{"account": "x"}, {"account": "0"}, {"language": "xx"}, {"mail": "x"}], ids=str
)
def test_a_choice_that_does_not_exist_shows_the_usual_mail(
    choice: dict[str, str], account: VppAccount, organization: Organization, owner_client: Client
) -> None:
    page = owner_client.get(page_of(organization), choice)

    assert (page.status_code, page.context["letter"].from_name) == (200, account.name)
    assert owner_client.get(preview_of(organization), choice).status_code == 404
    assert send_test_mail(owner_client, organization, **choice).status_code == 404


def test_without_an_account_there_is_no_mail_to_show(
    organization: Organization, owner_client: Client
) -> None:
    VppAccountFactory()

    page = owner_client.get(page_of(organization))

    assert "A mail comes from a VPP account, and there is none yet." in text_of(page)
    assert owner_client.get(preview_of(organization)).status_code == 404


# --- Test mail ------------------------------------------------------------------------------------


def test_a_test_mail_goes_to_the_admin_alone_and_once_a_minute(
    account: VppAccount, organization: Organization, owner_client: Client
) -> None:
    first = send_test_mail(owner_client, organization, language="en")
    second = send_test_mail(owner_client, organization, language="en")
    send_mail()

    (mail,) = django_mail.outbox
    assert (mail.recipients(), mail.subject, mail.from_email) == (
        ["owner@example.org"],
        "Test: Your invitation from Example Schools North",
        "Example Schools North <vpp@localhost>",
    )
    assert f"/i/{links.sample_token(account)}" in mail.body
    assert "A test mail is on its way to owner@example.org." in text_of(first)
    assert "was posted less than a minute ago" in text_of(second)


def test_the_link_of_a_test_mail_leads_to_the_account_and_to_no_invitation(
    account: VppAccount,
) -> None:
    token = links.sample_token(account)

    assert (links.sample_of(token), links.find(token)) == (account, (None, False))


# --- Who ------------------------------------------------------------------------------------------


def test_a_reader_sees_everything_and_changes_nothing(
    account: VppAccount, organization: Organization, reader_client: Client
) -> None:
    page = reader_client.get(page_of(organization))

    assert [field.field.disabled for field in page.context["form"]] == [True] * 5
    assert 'type="submit" class="btn btn-primary"' not in page.content.decode()
    assert reader_client.get(preview_of(organization)).status_code == 200
    assert saved(reader_client, organization).status_code == 403
    assert send_test_mail(reader_client, organization).status_code == 403
    assert (settings_of(organization), OutgoingMail.objects.count()) == (STANDARD, 0)


def test_an_outsider_finds_nothing(
    account: VppAccount, organization: Organization, outsider_client: Client
) -> None:
    answers = [
        outsider_client.get(page_of(organization)),
        saved(outsider_client, organization),
        outsider_client.get(preview_of(organization)),
        send_test_mail(outsider_client, organization),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert (settings_of(organization), OutgoingMail.objects.count()) == (STANDARD, 0)


def test_the_account_of_another_organization_sends_no_test_mail(
    organization: Organization, owner_client: Client
) -> None:
    other = VppAccountFactory()
    VppAccountFactory(organization=organization)

    answers = [
        owner_client.get(preview_of(organization), {"account": other.pk}),
        send_test_mail(owner_client, organization, account=other.pk),
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert OutgoingMail.objects.count() == 0


def test_a_network_admin_has_no_such_page(account: VppAccount, organization: Organization) -> None:
    membership = MembershipFactory(organization=organization, access="none")
    NetworkAccessFactory(membership=membership, network=NetworkFactory(organization=organization))
    client = signed_in(membership.admin)

    answers = [client.get(page_of(organization)), client.get(preview_of(organization))]

    assert [answer.status_code for answer in answers] == [404, 404]


def _frame_of(page: HttpResponse) -> str:
    (source,) = re.findall(r'<iframe[^>]*src="([^"]+)"', page.content.decode())
    return html.unescape(source)
