"""The page behind the link of an invitation: what it says, in which language, and what it notes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import LazySettings
from django.http import HttpResponse
from django.test import Client

from organizations.models import Logo
from tests.factories import InvitationFactory, OwnerFactory, VppAccountFactory, VppUserFactory
from tests.reading import text_of, words
from users.invitations import giving, links
from users.models import Invitation, InvitationSettings, VppUser
from vpp_accounts.models import VppAccount
from vpp_dashboard.logs import without_keys

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/26.1 Mobile/15E148 Safari/604.1"
)
MAC = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/26.1 Safari/605.1.15"
)
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
APPLES = "https://apple.example/accept?code=%25inviteCode%25&mt=8"
PNG = b"\x89PNG picture"


@pytest.fixture(autouse=True)
def _today() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def account(db: None) -> VppAccount:
    return VppAccountFactory(
        name="Lakeside School",
        email="apps@lakeside.example",
        organization__name="Lakeside District",
        invitation_url=APPLES,
    )


@pytest.fixture
def invitation(account: VppAccount) -> Invitation:
    return InvitationFactory(
        user__account=account, user__owner=OwnerFactory(organization=account.organization)
    )


def path_of(invitation: Invitation, below: str = "") -> str:
    return f"/i/{links.token_of(invitation)}{below}"


def opened(
    invitation: Invitation, below: str = "", agent: str = IPHONE, **headers: str
) -> HttpResponse:
    return Client().get(path_of(invitation, below), headers={"User-Agent": agent, **headers})


def asked(invitation: Invitation) -> HttpResponse:
    return Client(enforce_csrf_checks=True).post(path_of(invitation, "/ask"), follow=True)


def noted(invitation: Invitation) -> tuple[datetime | None, datetime | None]:
    invitation.refresh_from_db()
    return invitation.opened_at, invitation.went_on_at


def ended(invitation: Invitation, ending: str) -> None:
    invitation.ended_at, invitation.ending = NOW - timedelta(days=1), ending
    invitation.save()


# --- An open invitation ---------------------------------------------------------------------------


def test_it_says_who_invites_what_will_happen_and_what_is_shared(invitation: Invitation) -> None:
    response = opened(invitation)

    body = response.content.decode().partition("<body>")[2]
    assert (response.status_code, words(body)) == (
        200,
        "Lakeside District"
        " Lakeside School invites you to receive apps and books"
        " What will happen"
        " You continue to Apple's own page, on your iPhone, iPad or Mac."
        " You sign in with your personal Apple Account (Apple ID) and accept Apple's terms."
        " Apps and books that Lakeside School gives you can then be used on your devices. You find"
        " them in the App Store and in Apple Books, among your purchases."
        " What is shared"
        " Lakeside District learns that you have accepted, and when."
        " It never learns your Apple Account (Apple ID) or your password."
        " The apps stay the property of Lakeside District, which can take them back. Books are yours"
        " to keep."
        " Apps and books work on up to 10 devices that are signed in with the same Apple Account."
        " Continue to Apple"
        " This link is yours alone and can be accepted once. It is valid until Feb. 21, 2027."
        " Questions? Write to apps@lakeside.example."
        " English Deutsch Español",
    )


@pytest.mark.parametrize(
    ("agent", "button", "code"),
    [
        pytest.param(IPHONE, True, False, id="iPhone"),
        pytest.param(MAC, True, True, id="Mac"),
        pytest.param(WINDOWS, False, True, id="Windows"),
        pytest.param("", False, True, id="nothing known"),
    ],
)
def test_the_way_on_fits_the_device(
    invitation: Invitation, agent: str, button: bool, code: bool
) -> None:
    page = opened(invitation, agent=agent).content.decode()

    assert ('class="button"' in page, 'class="qr"' in page) == (button, code)
    assert f'href="{path_of(invitation, "/go")}"' in page
    assert "style=" not in page


def test_it_leads_on_to_apples_page_as_often_as_one_likes(invitation: Invitation) -> None:
    code = invitation.user.invite_code

    answers = [opened(invitation, "/go"), opened(invitation, "/go?next=https://evil.example/")]

    assert [(each.status_code, each["Location"]) for each in answers] == [
        (302, f"https://apple.example/accept?code={code}&mt=8")
    ] * 2
    assert code not in opened(invitation).content.decode()


def test_opening_and_going_on_are_noted_once(invitation: Invitation) -> None:
    opened(invitation)
    first = noted(invitation)
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        opened(invitation)
        opened(invitation, "/go")
    with time_machine.travel(NOW + timedelta(hours=2), tick=False):
        opened(invitation, "/go")

    assert first == (NOW, None)
    assert noted(invitation) == (NOW, NOW + timedelta(hours=1))


def test_previews_and_scanners_change_nothing(invitation: Invitation) -> None:
    before = Invitation.objects.values().get()
    for below in ("", "/go"):
        Client().head(path_of(invitation, below), headers={"User-Agent": IPHONE})
        opened(invitation, below, **{"Sec-Purpose": "prefetch;prerender"})
        opened(invitation, below, Purpose="prefetch")
        opened(invitation, below, "curl/8.11")
        opened(invitation, below, "Mozilla/5.0 (compatible; Mailbot/2.0)")

    assert Invitation.objects.values().get() == before


def test_nobody_else_keeps_or_finds_the_page(invitation: Invitation) -> None:
    response = opened(invitation)

    told = ("Cache-Control", "Referrer-Policy", "X-Robots-Tag", "X-Frame-Options")
    assert [response[name] for name in told] == [
        *("private, no-store", "no-referrer", "noindex, nofollow", "DENY")
    ]
    assert response.cookies == {}
    assert "<script" not in response.content.decode()


def test_the_logo_stands_in_the_place_of_the_name(invitation: Invitation) -> None:
    missing = opened(invitation, "/logo")
    Logo.objects.create(organization=invitation.organization, png=PNG, width=300, height=80)

    page, logo = opened(invitation).content.decode(), opened(invitation, "/logo")

    assert missing.status_code == 404
    assert (logo.content, logo["Content-Type"]) == (PNG, "image/png")
    assert 'alt="Lakeside District"' in page
    assert 'width="300"' in page


def test_what_people_call_themselves_is_no_markup(account: VppAccount) -> None:
    VppAccount.objects.filter(pk=account.pk).update(name="<script>alert(1)</script>")

    page = opened(InvitationFactory(user__account=account)).content.decode()

    assert "<script>" not in page


# --- Languages ------------------------------------------------------------------------------------

HEADINGS = {
    "en": "Lakeside School invites you to receive apps and books",
    "de": "Lakeside School lädt Sie ein, Apps und Bücher zu erhalten",
    "es": "Lakeside School le invita a recibir apps y libros",
}


def heading_of(response: HttpResponse) -> tuple[str, str, str]:
    page = response.content.decode()
    language = re.search(r'<html lang="(\w+)">', page)
    heading = re.search(r"<h1>(.*?)</h1>", page)
    assert language
    assert heading
    return language[1], response["Content-Language"], heading[1]


@pytest.mark.parametrize("language", HEADINGS)
def test_the_page_is_in_the_persons_language(invitation: Invitation, language: str) -> None:
    invitation.user.owner.language = language
    invitation.user.owner.save()

    response = opened(invitation, **{"Accept-Language": "fr"})

    assert heading_of(response) == (language, language, HEADINGS[language])


def test_else_in_the_organizations(invitation: Invitation) -> None:
    InvitationSettings.objects.create(organization=invitation.organization, language="es")

    response = opened(invitation)

    assert heading_of(response) == ("es", "es", HEADINGS["es"])


@pytest.mark.parametrize("language", HEADINGS)
def test_another_language_can_be_chosen(invitation: Invitation, language: str) -> None:
    InvitationSettings.objects.create(organization=invitation.organization, language="es")

    response = opened(invitation, f"?lang={language}")

    assert heading_of(response) == (language, language, HEADINGS[language])


def test_a_language_that_we_do_not_speak_is_not_chosen(invitation: Invitation) -> None:
    response = opened(invitation, "?lang=tlh")

    assert heading_of(response) == ("en", "en", HEADINGS["en"])


def test_dates_are_in_the_language_and_in_the_organizations_time(invitation: Invitation) -> None:
    invitation.organization.time_zone = "Pacific/Auckland"
    invitation.organization.save()
    Invitation.objects.update(expires_at=datetime(2026, 12, 31, 12, 0, tzinfo=UTC))

    page = text_of(opened(invitation, "?lang=de"))

    assert "Er gilt bis 1. Januar 2027." in page


# --- Links that lead nowhere any more -------------------------------------------------------------


def test_an_accepted_one(invitation: Invitation) -> None:
    ended(invitation, "accepted")
    VppUser.objects.update(apple_status="Associated")

    response = opened(invitation)

    assert response.status_code == 200
    assert (
        "You have accepted already This invitation was accepted on Nov. 22, 2026. There is nothing"
        " more to do: sign in with the same Apple Account on each device on which you want to use"
        " what Lakeside School gives you. Was it not you, or was it the wrong Apple Account? Then ask"
        " for a new invitation. Ask for a new invitation"
    ) in text_of(response)


def test_one_that_was_accepted_a_moment_ago(invitation: Invitation) -> None:
    invitation.user.apple_status, invitation.user.associated_at = "Associated", NOW
    invitation.user.save()

    page = text_of(opened(invitation))

    assert "You have accepted already This invitation was accepted on Nov. 23, 2026." in page


def test_an_expired_one(invitation: Invitation) -> None:
    Invitation.objects.update(expires_at=NOW - timedelta(days=1))

    response = opened(invitation)

    assert response.status_code == 410
    assert (
        "This invitation has expired It was valid until Nov. 22, 2026. If you still want to receive"
        " apps and books from Lakeside School, ask for a new one."
    ) in text_of(response)


@pytest.mark.parametrize(
    ("ending", "sentences"),
    [
        (
            "withdrawn",
            "This invitation was withdrawn Lakeside School has taken it back. If you think that this"
            " is a mistake, ask for a new one.",
        ),
        (
            "retired",
            "This invitation has ended Lakeside School gives you no apps and books any more. If you"
            " think that this is a mistake, ask for a new invitation.",
        ),
    ],
)
def test_one_that_was_ended(invitation: Invitation, ending: str, sentences: str) -> None:
    ended(invitation, ending)

    response = opened(invitation)

    assert response.status_code == 410
    assert sentences in text_of(response)


@pytest.mark.parametrize("status", ["Retired", "", "Registered"])
def test_an_accepted_one_of_somebody_who_was_retired_since(
    invitation: Invitation, status: str
) -> None:
    ended(invitation, "accepted")
    VppUser.objects.update(apple_status=status)

    response = opened(invitation)

    assert response.status_code == 410
    assert "This invitation has ended" in text_of(response)


def test_an_accepted_one_of_somebody_who_is_invited_anew(invitation: Invitation) -> None:
    ended(invitation, "accepted")
    InvitationFactory(user=invitation.user)

    response = opened(invitation)

    assert response.status_code == 410
    assert NEWER in text_of(response)


NEWER = (
    "There is a newer invitation This link leads nowhere any more. Use the one in the latest mail"
    " from Lakeside School; if you cannot find it, ask for a new one."
)


def test_one_with_a_newer_link(invitation: Invitation) -> None:
    path = path_of(invitation)
    Invitation.objects.update(generation=2)

    response = Client().get(path, headers={"User-Agent": IPHONE})

    assert response.status_code == 410
    assert NEWER in text_of(response)
    assert noted(invitation) == (None, None)


def test_one_in_whose_place_another_was_sent(invitation: Invitation) -> None:
    ended(invitation, "withdrawn")
    InvitationFactory(user=invitation.user)

    assert NEWER in text_of(opened(invitation))


def test_one_of_somebody_whom_apple_does_not_know_yet(account: VppAccount) -> None:
    invitation = InvitationFactory(user=VppUserFactory(account=account, apple_status=""))

    response = opened(invitation)

    assert (response.status_code, response["Refresh"]) == (200, "30")
    assert "Nearly ready Apple is still preparing your invitation" in text_of(response)


def test_one_of_an_account_that_was_removed(invitation: Invitation) -> None:
    path = path_of(invitation)
    invitation.account.delete()

    response = Client().get(path)

    assert response.status_code == 404
    assert "This invitation is gone Whoever sent it has removed it" in text_of(response)


@pytest.mark.parametrize("ending", ["accepted", "withdrawn", "retired"])
def test_none_of_them_leads_to_apple(invitation: Invitation, ending: str) -> None:
    ended(invitation, ending)

    response = opened(invitation, "/go")

    assert (response.status_code, response["Location"]) == (302, path_of(invitation))


@pytest.mark.parametrize("language", ["de", "es"])
@pytest.mark.parametrize("ending", ["accepted", "withdrawn", "retired", ""])
def test_each_is_told_in_each_language(invitation: Invitation, language: str, ending: str) -> None:
    Invitation.objects.update(expires_at=NOW - timedelta(days=1))
    if ending:
        ended(invitation, ending)

    english, translated = opened(invitation), opened(invitation, f"?lang={language}")

    assert translated.status_code == english.status_code
    untouched = {"Lakeside District", "English", "Deutsch", "Español", "apps@lakeside.example", "."}
    assert set(visible_lines(translated)) & set(visible_lines(english)) == untouched


def visible_lines(response: HttpResponse) -> list[str]:
    body = response.content.decode().partition("<body>")[2]
    return [line.strip() for line in re.sub(r"<[^>]+>", "\n", body).splitlines() if line.strip()]


# --- Asking for a new one -------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["accepted", "withdrawn", "retired", ""])
def test_a_new_one_can_be_asked_for(invitation: Invitation, ending: str) -> None:
    Invitation.objects.update(expires_at=NOW - timedelta(days=1))
    if ending:
        ended(invitation, ending)

    response = asked(invitation)

    invitation.refresh_from_db()
    assert invitation.asked_again_at == NOW
    assert (
        "You have asked for a new invitation. Lakeside School sees that and can send you one."
        in text_of(response)
    )
    assert "Ask for a new invitation" not in text_of(response)


def test_asking_is_noted_at_the_newest_invitation_once(invitation: Invitation) -> None:
    ended(invitation, "withdrawn")
    newest = InvitationFactory(user=invitation.user)

    asked(invitation)
    with time_machine.travel(NOW + timedelta(minutes=20), tick=False):
        asked(invitation)

    assert list(Invitation.objects.order_by("pk").values_list("pk", "asked_again_at")) == [
        (invitation.pk, None),
        (newest.pk, NOW),
    ]


def test_a_good_one_needs_no_other(invitation: Invitation) -> None:
    asked(invitation)

    invitation.refresh_from_db()
    assert invitation.asked_again_at is None


def test_sending_one_again_answers_the_question(invitation: Invitation, by: object) -> None:
    ended(invitation, "withdrawn")
    asked(invitation)

    giving.give_out(by=by, account=invitation.account, user_ids=[invitation.user_id])

    assert not Invitation.objects.exclude(asked_again_at=None).exists()


def test_asking_too_often_has_to_wait(invitation: Invitation) -> None:
    answers = [asked(invitation) for _ in range(61)]

    assert [each.status_code for each in answers] == [200] * 60 + [429]


def test_asking_is_no_link(invitation: Invitation) -> None:
    assert opened(invitation, "/ask").status_code == 405


# --- Links that we did not make -------------------------------------------------------------------


@pytest.mark.parametrize("below", ["", "/go"])
def test_a_link_that_is_not_ours_says_nothing(
    client: Client, invitation: Invitation, below: str
) -> None:
    good = links.token_of(invitation)
    wrong = [f"{good}x", f"{invitation.pk}.1", f"{invitation.pk}.1~{'A' * 43}", "x"]

    answers = [client.get(f"/i/{token}{below}") for token in wrong]

    pages = {(each.status_code, each.content) for each in answers}
    assert len(pages) == 1
    assert "404 This link leads nowhere" in f"{answers[0].status_code} {heading(answers[0])}"


def heading(response: HttpResponse) -> str:
    return heading_of(response)[2]


def test_it_speaks_the_browsers_language(client: Client, db: None) -> None:
    response = client.get("/i/x", headers={"Accept-Language": "fr-CH, de-AT;q=0.8, en;q=0.5"})

    assert heading_of(response) == ("de", "de", "Dieser Link führt nirgendwohin")


def test_who_tries_many_is_kept_out_while_good_links_go_on(
    client: Client, invitation: Invitation
) -> None:
    answers = [client.get(f"/i/{number}") for number in range(21)]

    assert [each.status_code for each in answers] == [404] * 20 + [429]
    assert answers[-1]["Retry-After"] == "600"
    assert "Too many attempts Come back in 10 minutes." in text_of(answers[-1])
    assert client.get(path_of(invitation)).status_code == 200
    assert client.get("/i/x", REMOTE_ADDR="192.0.2.7").status_code == 404


def test_a_neighbour_in_the_same_ipv6_site_is_the_same(client: Client, db: None) -> None:
    answers = [client.get("/i/x", REMOTE_ADDR=f"2001:db8::{number:x}") for number in range(21)]

    assert answers[-1].status_code == 429
    assert client.get("/i/x", REMOTE_ADDR="2001:db8:0:1::1").status_code == 404


def test_ipv4_in_the_guise_of_ipv6_is_one_address_each(client: Client, db: None) -> None:
    for _ in range(21):
        answer = client.get("/i/x", REMOTE_ADDR="::ffff:192.0.2.7")

    assert answer.status_code == 429
    assert client.get("/i/x", REMOTE_ADDR="::ffff:192.0.2.8").status_code == 404


def test_after_ten_minutes_they_may_come_again(client: Client, db: None) -> None:
    for number in range(21):
        client.get(f"/i/{number}")

    with time_machine.travel(NOW + timedelta(minutes=10), tick=False):
        response = client.get("/i/x")

    assert response.status_code == 404


def test_without_a_cache_nobody_is_kept_out(
    client: Client, db: None, settings: LazySettings
) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "organizations.forgiving_cache.ForgivingCache",
            "LOCATION": "redis://127.0.0.1:9/0",
        }
    }

    answers = {client.get(f"/i/{number}").status_code for number in range(25)}

    assert answers == {404}


# --- A test for admins ----------------------------------------------------------------------------


def test_a_sample_shows_the_page_and_leads_nowhere(account: VppAccount) -> None:
    token = links.sample_token(account)
    client = Client(headers={"User-Agent": IPHONE})

    page, go = client.get(f"/i/{token}"), client.get(f"/i/{token}/go")

    assert "This is a test: nothing happens, whatever you choose." in text_of(page)
    assert "Lakeside School invites you to receive apps and books" in text_of(page)
    assert (go.status_code, go["Location"]) == (302, f"/i/{token}")
    assert client.post(f"/i/{token}/ask").status_code == 302


def test_a_sample_is_in_the_organizations_language(account: VppAccount) -> None:
    InvitationSettings.objects.create(organization=account.organization, language="de")

    response = Client().get(f"/i/{links.sample_token(account)}")

    assert heading_of(response) == ("de", "de", HEADINGS["de"])


def test_a_page_costs_few_questions(
    invitation: Invitation, django_assert_max_num_queries: object
) -> None:
    with django_assert_max_num_queries(5):
        opened(invitation)


# --- The server's log -----------------------------------------------------------------------------


def test_the_log_holds_no_link_that_can_be_used() -> None:
    told = {"request": "GET /i/7.1~abc/go", "event": "Gone: /i/7.1~abc", "code": 410}

    kept = without_keys(None, "info", told)

    assert kept == {"request": "GET /i/…/go", "event": "Gone: /i/…", "code": 410}
