"""Sessions: how long they last, the list of them, ending them; and showing again who one is."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.totp.internal import auth as totp
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertRedirects

from licensing.batches.planning import Summary
from licensing.models import Batch, BatchPlan
from organizations import tenancy
from organizations.models import Admin, Membership, Organization
from organizations.signin import sessions
from organizations.tasks import forget_sign_ins
from tests.factories import BatchPlanFactory, LicensedAppFactory, MembershipFactory
from tests.reading import text_of
from tests.signing_in import (
    ADD_PASSKEY,
    LOGIN,
    NEW_PASSWORD,
    PASSWORD,
    REAUTHENTICATE,
    SECOND_STEP,
    SoftPasskey,
    code,
    events,
    is_signed_in,
    made_old,
    options_in,
    recovery_codes,
    sign_in,
    with_app,
)
from vpp_accounts.models import VppAccount

LIST = "/accounts/sessions/"
ACCOUNT = "/accounts/"
ADD_APP = "/accounts/2fa/app/activate/"
CHROME = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/139.0.0.0 Safari/537.36"
)


def browser(admin: Admin, user_agent: str = CHROME) -> Client:
    client = Client(headers={"User-Agent": user_agent})
    sign_in(client, admin.email)
    return client


# --- How long ----------------------------------------------------------------------------------------


def test_a_session_ends_after_twelve_hours_without_use(owner: Admin) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = browser(owner)
        used = []
        for hours in (11, 11, 13):
            clock.shift(timedelta(hours=hours))
            used.append(client.get(ACCOUNT).status_code)

    assert used == [200, 200, 302]


def test_and_after_a_week_in_any_case(owner: Admin) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = browser(owner)
        for _ in range(16):
            clock.shift(timedelta(hours=10))
            assert client.get(ACCOUNT).status_code == 200
        clock.shift(timedelta(hours=10))
        answer = client.get(ACCOUNT, follow=True)

    assertRedirects(answer, f"{LOGIN}?next={ACCOUNT}")
    assert "You were signed in for a long time." in text_of(answer)


def test_a_session_of_an_earlier_release_ends_at_once(owner_client: Client) -> None:
    session = owner_client.session
    del session["signed_in_at"]
    session.save()

    assert owner_client.get(ACCOUNT).status_code == 302


def test_not_every_page_writes_that_a_session_is_in_use(owner: Admin) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client = browser(owner)
        seen = []
        for minutes in (1, 3, 2):
            clock.shift(timedelta(minutes=minutes))
            client.get(ACCOUNT, REMOTE_ADDR="198.51.100.7")
            row = UserSession.objects.get()
            seen.append((round((row.last_seen_at - row.created_at).total_seconds()), row.ip))

    assert seen == [(0, "127.0.0.1"), (0, "127.0.0.1"), (360, "198.51.100.7")]


# --- The list ----------------------------------------------------------------------------------------


def test_the_list_says_where_one_is_signed_in(owner: Admin, outsider: Admin) -> None:
    here = browser(owner)
    browser(owner, "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Mobile Safari/604.1")
    browser(outsider, "Somebody else's")

    page = text_of(here.get(LIST))

    assert "Chrome on macOS This one" in page
    assert "Safari on iPhone" in page
    assert "Somebody else's" not in page


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (CHROME, "Chrome on macOS"),
        (
            CHROME.replace("Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64"),
            "Chrome on Linux",
        ),
        (CHROME + " Edg/139.0", "Edge on macOS"),
        (
            "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Windows",
        ),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_in_words(user_agent: str, words: str) -> None:
    assert sessions.browser_words(user_agent) == words


def test_the_list_costs_the_same_however_long_it_is(owner: Admin) -> None:
    here = browser(owner)
    here.get(LIST)  # tells that one has signed in
    costs = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            here.get(LIST)
        costs.append(len(asked))
        for _ in range(3):
            browser(owner)

    assert costs[0] == costs[1]


def test_one_session_is_ended_from_another(owner: Admin) -> None:
    here, there, elsewhere = browser(owner), browser(owner), browser(owner)
    row = UserSession.objects.get(session_key=there.session.session_key)

    here.post(LIST, {"session": row.pk})

    signed_in = [each.get(ACCOUNT).status_code == 200 for each in (here, there, elsewhere)]
    assert signed_in == [True, False, True]
    assert events() == [("Example Schools", "admin.sessions_ended")]


def test_all_others_are_ended_at_once(owner: Admin, outsider: Admin) -> None:
    here, others, stranger = browser(owner), [browser(owner), browser(owner)], browser(outsider)

    page = here.post(LIST, follow=True)

    signed_in = [each.get(ACCOUNT).status_code == 200 for each in (here, *others, stranger)]
    assert signed_in == [True, False, False, True]
    assert "2 sessions are ended." in text_of(page)


@pytest.mark.parametrize("named", ["x", "-1", "99999999", "9" * 30, "9" * 5000, "²"])
def test_sessions_that_are_not_there(owner: Admin, named: str) -> None:
    here, there = browser(owner), browser(owner)

    answer = here.post(LIST, {"session": named})

    assert answer.status_code in (302, 404)
    assert there.get(ACCOUNT).status_code == 200


def test_nobody_ends_the_sessions_of_others(owner: Admin, outsider: Admin) -> None:
    mine, theirs = browser(owner), browser(outsider)
    row = UserSession.objects.get(session_key=theirs.session.session_key)

    mine.post(LIST, {"session": row.pk})

    assert theirs.get(ACCOUNT).status_code == 200


def test_a_new_password_ends_all_others(owner: Admin) -> None:
    here, there = browser(owner), browser(owner)
    told = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}

    here.post("/accounts/password/change/", told)

    assert (here.get(LIST).status_code, there.get(LIST).status_code) == (200, 302)
    assert UserSession.objects.count() == 1


def test_the_first_second_factor_ends_all_others(owner: Admin, outsider: Admin) -> None:
    here, there, stranger = browser(owner), browser(owner), browser(outsider)

    add_app(here)
    again = browser(owner)
    sign_in(again, owner.email)
    again.post(SECOND_STEP, {"code": recovery_codes(owner)[0]})
    add_passkey(here)

    opened = [each.get(ACCOUNT).status_code for each in (here, there, again, stranger)]
    assert opened == [200, 302, 200, 200]  # who came with a factor stays when there is one more
    assert ("Example Schools", "admin.sessions_ended") in events()


def add_app(client: Client) -> None:
    client.get(ADD_APP)
    secret = client.session["mfa.totp.secret"]
    counter = next(totp.yield_hotp_counters_from_time())
    client.post(ADD_APP, {"code": totp.format_hotp_value(totp.hotp_value(secret, counter))})
    assert "Your other sessions have ended." in text_of(client.get(ACCOUNT))


def add_passkey(client: Client) -> None:
    options = options_in(client.get(ADD_PASSKEY))
    answer = client.post(ADD_PASSKEY, {"credential": SoftPasskey().create(options)})
    assert answer.status_code == 302


def test_rows_of_sessions_that_are_over_are_forgotten(owner: Admin) -> None:
    browser(owner)
    Session.objects.all().delete()
    browser(owner)

    forget_sign_ins()

    assert UserSession.objects.count() == 1


# --- An admin ends the sessions of somebody ----------------------------------------------------------


def test_forced_out_of_one_organization_one_signs_in_again(
    owner: Admin, organization: Organization
) -> None:
    client = browser(owner)
    page = f"/organizations/{organization.pk}/networks/"
    membership = Membership.objects.filter(admin=owner, organization=organization)
    membership.update(sign_in_again_after=timezone.now())

    sent = client.get(page, follow=True)
    again = sign_in(client, owner.email, next=page)

    assertRedirects(sent, f"{LOGIN}?next={page}")
    assert "An admin of Example Schools has ended your sessions." in text_of(sent)
    assertRedirects(again, page)


def test_the_other_organization_does_not_end_them(owner: Admin, organization: Organization) -> None:
    other = MembershipFactory(admin=owner, organization__name="Second Schools")
    client = browser(owner)
    other.sign_in_again_after = timezone.now()
    other.save()

    assert client.get(f"/organizations/{organization.pk}/networks/").status_code == 200


# --- Showing again who one is ------------------------------------------------------------------------


def removal(account: VppAccount) -> str:
    return f"/organizations/{account.organization_id}/mdm/accounts/{account.pk}/remove/"


def test_what_cannot_be_undone_asks_who_it_is(account: VppAccount, owner_client: Client) -> None:
    fresh = owner_client.get(removal(account))
    made_old(owner_client, 14 * 60)
    still = owner_client.get(removal(account))
    made_old(owner_client, 2 * 60)

    asked = owner_client.get(removal(account))
    back = owner_client.post(asked["Location"], {"password": PASSWORD})

    assert (fresh.status_code, still.status_code) == (200, 200)
    assertRedirects(asked, f"{REAUTHENTICATE}?next={removal(account).replace('/', '%2F')}")
    assertRedirects(back, removal(account))


@pytest.mark.parametrize(
    ("kind", "go", "asks"),
    [("revoke", 101, True), ("revoke", 100, False), ("grant", 101, False), ("retire", 101, True)],
)
def test_taking_much_away_asks_who_it_is(
    account: VppAccount, owner_client: Client, kind: str, go: int, asks: bool
) -> None:
    plan = BatchPlanFactory(account=account, title=LicensedAppFactory(account=account), kind=kind)
    BatchPlan.objects.filter(pk=plan.pk).update(summary=asdict(Summary(go=go)))
    made_old(owner_client)

    answer = owner_client.post(
        reverse("licensing:plan_detail", args=[account.organization_id, plan.pk])
    )

    assert (REAUTHENTICATE in answer["Location"]) is asks
    assert not (asks and Batch.objects.exists())


def test_a_wrong_password_does_not_show_it(account: VppAccount, owner_client: Client) -> None:
    made_old(owner_client)

    answer = owner_client.post(
        f"{REAUTHENTICATE}?next={removal(account)}", {"password": "not my password"}
    )

    assert "That is not your password." in text_of(answer)
    assert owner_client.get(removal(account)).status_code == 302


def test_a_code_shows_it_as_well(account: VppAccount, owner: Admin, owner_client: Client) -> None:
    with_app(owner)
    made_old(owner_client)
    asked = owner_client.get(removal(account))
    page = text_of(owner_client.get(asked["Location"]))

    owner_client.post("/accounts/2fa/reauthenticate/", {"code": code()})

    assert "Use a code" in page
    assert owner_client.get(removal(account)).status_code == 200


def test_what_was_typed_goes_on_afterwards(account: VppAccount, owner_client: Client) -> None:
    made_old(owner_client)
    asked = owner_client.post(removal(account), {"typed_name": account.name})
    held = VppAccount.objects.filter(pk=account.pk).exists()

    owner_client.post(asked["Location"], {"password": PASSWORD})

    assert held
    assert not VppAccount.objects.filter(pk=account.pk).exists()


def test_what_was_typed_for_another_page_does_not(
    account: VppAccount, owner_client: Client
) -> None:
    made_old(owner_client)
    owner_client.post(removal(account), {"typed_name": account.name})

    owner_client.post(f"{REAUTHENTICATE}?next={ACCOUNT}", {"password": PASSWORD})

    assert VppAccount.objects.filter(pk=account.pk).exists()


def test_looking_at_a_page_again_voids_what_was_typed(
    account: VppAccount, owner_client: Client
) -> None:
    made_old(owner_client)
    owner_client.post(removal(account), {"typed_name": account.name})
    asked = owner_client.get(removal(account))

    owner_client.post(asked["Location"], {"password": PASSWORD})

    assert VppAccount.objects.filter(pk=account.pk).exists()


def test_secrets_are_not_kept_meanwhile(organization: Organization, owner_client: Client) -> None:
    made_old(owner_client)
    page = "/accounts/api-keys/create/"
    asked = owner_client.post(page, {"name": "Script", "secret": "s3cret-of-somebody"})
    kept = str(dict(owner_client.session))

    back = owner_client.post(asked["Location"], {"password": PASSWORD}, follow=True)

    assert "s3cret-of-somebody" not in kept
    assert "fill in the form once more" in text_of(back)


def test_htmx_takes_the_whole_browser_to_the_question(
    account: VppAccount, owner_client: Client
) -> None:
    made_old(owner_client)
    page = f"http://testserver/organizations/{account.organization_id}/mdm/"
    headers = {"HX-Request": "true", "HX-Current-URL": page}

    looked = owner_client.get(removal(account), headers=headers)
    sent = owner_client.post(removal(account), {"typed_name": account.name}, headers=headers)

    form = removal(account).replace("/", "%2F")
    assert looked["HX-Redirect"] == f"{REAUTHENTICATE}?next={form}"
    assert sent["HX-Redirect"] == (
        f"{REAUTHENTICATE}?next=%2Forganizations%2F{account.organization_id}%2Fmdm%2F"
    )
    assert VppAccount.objects.filter(pk=account.pk).exists()


def test_a_reader_is_not_asked_but_refused(account: VppAccount, reader_client: Client) -> None:
    made_old(reader_client)

    assert reader_client.get(removal(account)).status_code == 403


def test_an_outsider_is_not_asked_either(account: VppAccount, outsider_client: Client) -> None:
    made_old(outsider_client)

    assert outsider_client.get(removal(account)).status_code == 404


def test_nobody_is_sent_elsewhere_afterwards(owner_client: Client) -> None:
    answer = owner_client.post(
        f"{REAUTHENTICATE}?next=https://evil.example/", {"password": PASSWORD}
    )

    assertRedirects(answer, "/", fetch_redirect_response=False)


# --- Your account ------------------------------------------------------------------------------------


def test_your_account_shows_what_your_organizations_ask_for(owner: Admin, outsider: Admin) -> None:
    MembershipFactory(
        admin=owner, organization__name="Second Schools", organization__requires_second_factor=True
    )

    page = text_of(browser(owner).get(ACCOUNT))

    assert "Example Schools Access: full A password is enough" in page
    assert "Second Schools Access: full Second factor" in page
    assert "Elsewhere" not in page


def test_ones_name_is_ones_own_and_its_change_is_written_down(
    owner: Admin, owner_client: Client
) -> None:
    for name in ("  Robin   Example ", "Robin Example"):
        owner_client.post(ACCOUNT, {"name": name})

    owner.refresh_from_db()
    assert owner.name == "Robin Example"
    assert events() == [("Example Schools", "admin.renamed")]


@pytest.mark.parametrize("path", [ACCOUNT, LIST])
def test_who_is_not_signed_in_has_no_account(client: Client, db: None, path: str) -> None:
    for answer in (client.get(path), client.post(path)):
        assertRedirects(answer, f"{LOGIN}?next={path}")


def test_ending_sessions_works_outside_of_every_organization(owner: Admin) -> None:
    browser(owner)

    with tenancy.inside(None):
        ended = sessions.end(owner)

    assert (ended, is_signed_in(Client())) == (1, False)
    assert events() == [("Example Schools", "admin.sessions_ended")]
