"""How people are written to, over REST."""

from typing import Any

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from organizations.models import AuditEvent, Logo, Organization
from organizations.tasks import send_mail
from tests import factories
from tests.api.conftest import ApiClient
from tests.pictures import picture
from users.models import InvitationSettings
from vpp_accounts.models import VppAccount

STANDARD = {
    "language": "en",
    "wording": "",
    "firstReminderDays": None,
    "secondReminderDays": None,
    "logo": None,
}


@pytest.fixture
def path(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/sm/invitationSettings"


@pytest.fixture
def north(organization: Organization) -> VppAccount:
    return factories.VppAccountFactory(
        organization=organization, name="North", email="vpp@north.example"
    )


def send_form(api: ApiClient, path: str, **fields: Any) -> Any:
    return api.generic("PUT", path, encode_multipart(BOUNDARY, fields), MULTIPART_CONTENT)


def test_the_settings_are_changed_and_what_is_not_sent_stays(
    owner_api: ApiClient, path: str
) -> None:
    before = owner_api.get(path)
    body = {"language": "de", "firstReminderDays": 3, "secondReminderDays": 7}
    changed = owner_api.send("PUT", path, body)
    more = owner_api.send(
        "PUT", path, {"wording": "Yours, the library", "secondReminderDays": None}
    )
    after = owner_api.get(path)

    expected = STANDARD | body
    assert (before.status_code, before.json()) == (200, STANDARD)
    assert (changed.status_code, changed.json()) == (200, expected)
    expected |= {"wording": "Yours, the library", "secondReminderDays": None}
    assert (more.status_code, more.json(), after.json()) == (200, expected, expected)
    assert list(AuditEvent.objects.order_by("id").values_list("action", "after")) == [
        (
            "invitation_settings.edited",
            {"language": "Deutsch", "firstReminderDays": 3, "secondReminderDays": 7},
        ),
        (
            "invitation_settings.edited",
            {"wording": "Yours, the library", "secondReminderDays": None},
        ),
    ]


def test_a_logo_is_sent_as_a_form_and_removed(
    owner_api: ApiClient, path: str, organization: Organization
) -> None:
    file = SimpleUploadedFile("logo.png", picture(1200, 100))

    sent = send_form(owner_api, path, logo=file, wording="Hello")
    removed = owner_api.send("PUT", path, {"removeLogo": True})

    logo = {"width": 600, "height": 50}
    assert (sent.status_code, sent.json()) == (200, STANDARD | {"wording": "Hello", "logo": logo})
    assert (removed.status_code, removed.json()) == (200, STANDARD | {"wording": "Hello"})
    assert not Logo.objects.filter(organization=organization).exists()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"wording": "x" * 1001}, "wording_too_long"),
        ({"firstReminderDays": 61}, "reminder_days_out_of_range"),
        ({"secondReminderDays": 5}, "second_reminder_needs_first"),
        ({"language": "tlh"}, "invalid"),
    ],
)
def test_what_the_page_refuses_is_refused_here(
    owner_api: ApiClient, path: str, body: dict[str, Any], code: str
) -> None:
    answer = owner_api.send("PUT", path, body)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not InvitationSettings.objects.exclude(wording="").exists()


@pytest.mark.parametrize("content", [b"", b"<svg/>", b"no picture"])
def test_what_is_no_picture_is_refused(owner_api: ApiClient, path: str, content: bytes) -> None:
    answer = send_form(owner_api, path, logo=SimpleUploadedFile("logo.png", content))

    assert (answer.status_code, answer.json()["code"]) == (400, "logo_refused")
    assert not Logo.objects.exists()


def test_the_mail_is_shown_as_it_would_be_sent(
    owner_api: ApiClient, path: str, north: VppAccount, organization: Organization
) -> None:
    factories.VppAccountFactory(organization=organization, name="South")
    send_form(
        owner_api, path, logo=SimpleUploadedFile("logo.png", picture(60, 20)), wording="Hello"
    )

    shown = owner_api.get(f"{path}/preview").json()
    other = owner_api.get(
        f"{path}/preview?vppAccountId={north.pk}&language=de&mail=reminder"
    ).json()

    assert (shown["to"], shown["replyTo"]) == ("owner@example.org", "vpp@north.example")
    assert shown["sender"].startswith("North <")
    assert "Hello" in shown["text"]
    assert "data:image/png;base64," in shown["html"]
    assert "cid:" not in shown["html"]
    assert other["subject"] != shown["subject"]
    assert not mail.outbox


def test_a_test_mail_goes_to_the_admin_of_the_key_once_a_minute(
    owner_api: ApiClient, path: str, north: VppAccount
) -> None:
    sent = [owner_api.send("POST", f"{path}/testMail", {"language": "es"}) for _ in range(2)]
    send_mail()

    to = {"to": "owner@example.org"}
    assert [answer.status_code for answer in sent] == [200, 200]
    assert [answer.json() for answer in sent] == [to | {"posted": True}, to | {"posted": False}]
    [letter] = mail.outbox
    assert letter.to == ["owner@example.org"]
    assert letter.subject.startswith("Test: ")


def test_without_an_account_there_is_no_mail_to_show(owner_api: ApiClient, path: str) -> None:
    elsewhere = factories.VppAccountFactory()

    answers = [
        owner_api.get(f"{path}/preview"),
        owner_api.send("POST", f"{path}/testMail"),
        owner_api.get(f"{path}/preview?vppAccountId={elsewhere.pk}"),
        owner_api.send("POST", f"{path}/testMail", {"vppAccountId": str(elsewhere.pk)}),
    ]

    none, not_ours = (409, "no_vpp_account"), (400, "bad_parameter")
    told = [(answer.status_code, answer.json()["code"]) for answer in answers]
    assert told == [none, none, not_ours, not_ours]


def test_the_settings_are_for_who_sees_the_organization_and_changed_by_full_admins(
    reader_api: ApiClient,
    network_admin_api: ApiClient,
    outsider_api: ApiClient,
    path: str,
    north: VppAccount,
) -> None:
    clients = (reader_api, network_admin_api, outsider_api)

    read = [[api.get(each).status_code for each in (path, f"{path}/preview")] for api in clients]
    wrote = [
        {
            api.send("PUT", path, {"wording": "Mine"}).status_code,
            api.send("POST", f"{path}/testMail").status_code,
        }
        for api in clients
    ]

    assert read == [[200, 200], [403, 403], [404, 404]]
    assert wrote == [{403}, {403}, {404}]
    assert not InvitationSettings.objects.exists()
    assert not mail.outbox
