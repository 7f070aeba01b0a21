"""The demo's inbox: the mails that lie in files, readable on a page, and nowhere but in a demo."""

from __future__ import annotations

import os
import subprocess
import sys
from email.mime.image import MIMEImage
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.mail import EmailMultiAlternatives, get_connection, send_mail
from django.http import HttpResponse
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains

from organizations.models import Organization
from tests.reading import text_of

INBOX = "/demo/inbox/"
HTML = '<html><head><title>x</title></head><body><img src="cid:logo"><a href="/i/x">Go</a></body>'
PNG = b"\x89PNG\r\n\x1a\n picture"


@pytest.fixture
def folder(settings: LazySettings, tmp_path: Path) -> Path:
    """A demo whose mails go to files."""
    settings.DEMO_INBOX = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    return tmp_path


def posted(subject: str, to: str = "ada@lakeside.example", text: str = "Hello") -> None:
    send_mail(subject, text, None, [to])


def in_html() -> EmailMultiAlternatives:
    mail = EmailMultiAlternatives("Your invitation", "Text", to=["ada@lakeside.example"])
    mail.attach_alternative(HTML, "text/html")
    logo = MIMEImage(PNG, "png")
    logo["Content-ID"] = "<logo>"
    mail.attach(logo)
    return mail


def address_of_the_newest(client: Client) -> str:
    return client.get(INBOX).content.decode().split('<ul class="inbox">')[1].split('"')[1]


def subjects(response: HttpResponse) -> list[str]:
    return [mail.subject for mail in response.context["mails"]]


def test_the_newest_mail_comes_first(client: Client, folder: Path) -> None:
    posted("First")
    with get_connection() as connection:  # several in one file, as the outbox sends them
        for subject in ("Second", "Third “ö”"):
            EmailMultiAlternatives(
                subject, "Hello", to=["Zoë <zoe@lakeside.example>"], connection=connection
            ).send()
    for age, file in enumerate(sorted(folder.iterdir(), key=lambda each: each.stat().st_size)):
        os.utime(file, (age, age))

    response = client.get(INBOX)

    assert subjects(response) == ["Third “ö”", "Second", "First"]
    assert "Third “ö” Zoë <zoe@lakeside.example>" in text_of(response)
    assert "First ada@lakeside.example" in text_of(response)


def test_of_thousands_the_newest_are_shown(client: Client, folder: Path) -> None:
    with get_connection() as connection:
        mail = EmailMultiAlternatives("Many", "Hello", to=["a@b.example"], connection=connection)
        for _ in range(150):
            mail.send()

    response = client.get(INBOX)

    assert len(subjects(response)) == 100
    assertContains(response, "The newest 100; older ones are not shown.")


def test_an_empty_inbox_says_how_to_fill_it(client: Client, folder: Path) -> None:
    assertContains(client.get(INBOX), "No mail yet")


def test_a_mail_that_is_being_written_is_not_there_yet(client: Client, folder: Path) -> None:
    (folder / "20261123-100000-1.log").write_bytes(b"Subject: Half\n\nHello")

    assertContains(client.get(INBOX), "No mail yet")


def test_links_in_the_text_can_be_followed(client: Client, folder: Path) -> None:
    posted("Invitation", text="Go to http://127.0.0.1:8000/i/7.1~a-B_c or <b>not</b>")

    response = client.get(address_of_the_newest(client))

    link = 'href="http://127.0.0.1:8000/i/7.1~a-B_c"'
    assertContains(response, link)
    assertContains(response, "&lt;b&gt;not")
    assertNotContains(response, "<iframe")


def test_a_mail_in_html_can_do_no_harm(client: Client, folder: Path) -> None:
    in_html().send()
    address = address_of_the_newest(client)

    page, html = client.get(address), client.get(f"{address}html")

    assertContains(page, f'src="{address}html"')
    assertContains(page, 'sandbox="allow-popups allow-popups-to-escape-sandbox"')
    assert html.content.decode().strip() == (
        '<html><head><base target="_blank"><title>x</title></head><body>'
        '<img src="data:image/png;base64,iVBORw0KGgogcGljdHVyZQ=="><a href="/i/x">Go</a></body>'
    )
    assert html["X-Frame-Options"] == "SAMEORIGIN"
    assert set(html["Content-Security-Policy"].split("; ")) == {
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "frame-ancestors 'self'",
        "sandbox allow-popups allow-popups-to-escape-sandbox",
    }


@pytest.mark.parametrize(
    "below", ["nothing/0/", "..%2Fsecret/0/", "secret/0/", "nothing/0/html", "%00/0/"]
)
def test_no_name_leads_out_of_the_folder(client: Client, folder: Path, below: str) -> None:
    (folder.parent / "secret.log").write_bytes(b"Subject: x\n\nx\n" + b"-" * 79 + b"\n")

    assert client.get(INBOX + below).status_code == 404


def test_a_number_too_high_is_not_found(client: Client, folder: Path) -> None:
    posted("Only one")
    address = address_of_the_newest(client)

    assert client.get(address.replace("/0/", "/1/")).status_code == 404


def test_the_frame_of_a_demo_leads_there(
    owner_client: Client, organization: Organization, folder: Path, settings: LazySettings
) -> None:
    page = f"/organizations/{organization.pk}/networks/"

    shown = owner_client.get(page)
    settings.DEMO_INBOX = False
    hidden = owner_client.get(page)

    assertContains(shown, f'href="{INBOX}"')
    assertNotContains(hidden, INBOX)


@pytest.mark.parametrize("below", ["", "x/0/", "x/0/html"])
def test_elsewhere_there_is_no_such_page(
    client: Client, folder: Path, settings: LazySettings, below: str
) -> None:
    posted("Secret")
    settings.DEMO_INBOX = False

    assert client.get(INBOX + below).status_code == 404


@pytest.mark.parametrize(
    ("environment", "mail", "expected"),
    [
        ("demo", "filemail:///tmp/mails", "True"),
        ("production", "filemail:///tmp/mails", "False"),
        ("demo", "smtp://localhost:25", "False"),
    ],
)
def test_only_demos_that_mail_to_files_have_it(environment: str, mail: str, expected: str) -> None:
    env = os.environ | {"VPP_ENVIRONMENT": environment, "EMAIL_URL": mail}
    env |= {"DATABASE_OWNER_URL": "postgres:///x", "DATABASE_SYSTEM_URL": "postgres:///x"}
    said = subprocess.run(
        [sys.executable, "-c", "import vpp_dashboard.settings as s; print(s.DEMO_INBOX)"],
        env=env | {"PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=True,
    )

    assert said.stdout.strip() == expected
