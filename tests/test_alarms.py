"""Alarms by mail: what is an occasion, who is told, what they read, and that it is told once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.conf import settings
from django.core import mail as django_mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from organizations.models import Admin, Membership, Network, Organization, OutgoingMail
from organizations.tasks import send_mail
from tests.factories import (
    MembershipFactory,
    NetworkAccessFactory,
    NetworkFactory,
    VppAccountFactory,
)
from tests.reading import words
from vpp_accounts import health
from vpp_accounts.alarms import Facts, Occasion, plan_alarms, raise_alarms, raise_for
from vpp_accounts.models import AccountState, Alarm, AllowedAdmins, VppAccount
from vpp_accounts.tasks import raise_alarms as sweep

NOW = datetime(2026, 12, 9, 12, 0, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FAR = NOW + 300 * DAY
State = AccountState


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def north(organization: Organization) -> VppAccount:
    organization.time_zone = "America/Chicago"
    organization.save()
    return VppAccountFactory(
        organization=organization,
        name="Example Schools North",
        location_name="North & Co",
        email="vpp@example.org",
        state=State.IN_SYNC,
        token_expires_at=FAR,
    )


def told() -> list[EmailMultiAlternatives]:
    """What went out since the last look."""
    sweep()
    send_mail()
    sent, django_mail.outbox[:] = list(django_mail.outbox), []
    return sent


def subjects() -> list[str]:
    return sorted({mail.subject for mail in told()})


def addresses() -> list[str]:
    return sorted(mail.to[0] for mail in told())


def change(account: VppAccount, **fields: Any) -> None:
    VppAccount.objects.filter(pk=account.pk).update(**fields)


# --- What is an occasion --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "key"),
    [
        (61 * DAY, None),
        (60 * DAY, "expires:2027-02-07:60"),
        (31 * DAY, "expires:2027-01-09:60"),
        (30 * DAY, "expires:2027-01-08:30"),
        (14 * DAY, "expires:2026-12-23:14"),
        (8 * DAY, "expires:2026-12-17:14"),
        (7 * DAY, "expires:2026-12-16:7"),
        (2 * DAY, "expires:2026-12-11:7"),
        (DAY, "expires:2026-12-10:1"),
        (HOUR, "expires:2026-12-09:1"),
        (timedelta(), "expired:2026-12-09"),
        (-300 * DAY, "expired:2026-02-12"),
    ],
)
def test_only_the_nearest_day_before_the_end_counts(left: timedelta, key: str | None) -> None:
    facts = Facts(State.IN_SYNC, NOW - 90 * DAY, NOW + left)

    assert [occasion.key for occasion in plan_alarms(facts, NOW)] == ([key] if key else [])


@pytest.mark.parametrize(
    ("state", "age", "left", "expected"),
    [
        (State.IN_SYNC, 90 * DAY, 300 * DAY, []),
        (State.SYNCING, 90 * DAY, 300 * DAY, []),
        (State.READ_ONLY, 90 * DAY, 300 * DAY, []),
        (State.SYNC_FAILED, 24 * HOUR, 300 * DAY, ["failing:2026-12-08T12:00:00+00:00"]),
        (State.NOT_VERIFIED, 24 * HOUR, 300 * DAY, ["failing:2026-12-08T12:00:00+00:00"]),
        (State.SYNC_FAILED, 24 * HOUR - timedelta(seconds=1), 300 * DAY, []),
        (
            State.SYNC_FAILED,
            48 * HOUR,
            14 * DAY,
            ["expires:2026-12-23:14", "failing:2026-12-07T12:00:00+00:00"],
        ),
        (State.SYNC_FAILED, 48 * HOUR, -DAY, ["expired:2026-12-08"]),
        (State.EXPIRED, HOUR, 300 * DAY, ["expired:2027-10-05"]),
        (State.REVOKED, HOUR, 14 * DAY, ["revoked:2026-12-09T11:00:00+00:00"]),
        (State.CLAIMED, HOUR, -DAY, ["claimed:2026-12-09T11:00:00+00:00"]),
    ],
)
def test_what_a_state_has_to_tell(
    state: AccountState, age: timedelta, left: timedelta, expected: list[str]
) -> None:
    occasions = plan_alarms(Facts(state, NOW - age, NOW + left), NOW)

    assert [occasion.key for occasion in occasions] == expected
    assert all(occasion.key.startswith(f"{occasion.kind}:") for occasion in occasions)


# --- Once -----------------------------------------------------------------------------------------


def test_a_token_on_its_way_to_its_end_is_told_of_six_times(
    north: VppAccount, clock: time_machine.Traveller
) -> None:
    mails = []

    for _ in range(310):
        mails += subjects()
        clock.shift(DAY)

    assert mails == [
        "Example Schools North: token expires in 60 days (5 Oct 2027)",
        "Example Schools North: token expires in 30 days (5 Oct 2027)",
        "Example Schools North: token expires in 14 days (5 Oct 2027)",
        "Example Schools North: token expires in 7 days (5 Oct 2027)",
        "Example Schools North: token expires tomorrow (5 Oct 2027)",
        "Example Schools North: token has expired",
    ]


@pytest.mark.usefixtures("owner")
def test_each_occasion_is_mailed_once_and_the_next_one_again(
    north: VppAccount, clock: time_machine.Traveller
) -> None:
    health.set_state(north, State.REVOKED, "Apple has revoked the token.")
    first = [subjects(), subjects()]
    health.set_state(north, State.IN_SYNC)
    recovered = subjects()
    clock.shift(DAY)
    health.set_state(north, State.REVOKED, "Apple has revoked the token.")

    second = [subjects(), subjects()]

    revoked = ["Example Schools North: token is revoked by Apple"]
    assert (first, recovered, second) == ([revoked, []], [], [revoked, []])
    assert Alarm.objects.filter(organization=north.organization, account=north).count() == 2


def test_a_renewed_token_has_an_end_of_its_own(north: VppAccount) -> None:
    change(north, token_expires_at=NOW + 14 * DAY)
    before = subjects()
    change(north, token_expires_at=NOW + 30 * DAY)

    assert (before, subjects()) == (
        ["Example Schools North: token expires in 14 days (23 Dec 2026)"],
        ["Example Schools North: token expires in 30 days (8 Jan 2027)"],
    )


def test_two_sweeps_at_once_tell_once(north: VppAccount) -> None:
    """The other one wrote its row after this one had looked."""
    change(north, state=State.REVOKED, state_since=NOW)
    (occasion,) = plan_alarms(Facts(State.REVOKED, NOW, FAR), NOW)
    Alarm.objects.create(organization=north.organization, account=north, key=occasion.key)

    raised = raise_for(north.pk, NOW)

    assert occasion == Occasion(occasion.kind, "revoked:2026-12-09T12:00:00+00:00")
    assert (raised, OutgoingMail.objects.count()) == (0, 0)


def test_an_account_that_cannot_be_told_of_keeps_no_other_from_it(
    north: VppAccount, caplog: pytest.LogCaptureFixture
) -> None:
    change(north, state=State.REVOKED)
    other = VppAccountFactory(name="Other", state=State.REVOKED)
    Organization.objects.filter(pk=north.organization_id).update(time_zone="Nowhere/Land")

    raised = raise_alarms()

    assert raised == 1
    assert list(Alarm.objects.values_list("account", flat=True)) == [other.pk]
    assert "alarms.not_raised" in caplog.text


def test_the_sweep_asks_as_much_for_many_accounts_as_for_one(
    north: VppAccount, django_assert_num_queries: Any
) -> None:
    for account in (north, *VppAccountFactory.create_batch(5)):
        change(account, state=State.REVOKED)
    raise_alarms()

    with django_assert_num_queries(2):
        assert raise_alarms() == 0


# --- Who is told ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("outsider")
def test_the_account_and_its_admins_are_told_each_once(
    north: VppAccount, owner: Admin, reader: Admin
) -> None:
    change(north, state=State.REVOKED, email="Owner@Example.org")
    MembershipFactory(organization=north.organization, admin__is_active=False)
    MembershipFactory(organization=north.organization, wants_alarms=False)
    MembershipFactory(organization=north.organization, access="none")

    assert addresses() == [owner.email, reader.email]


def test_who_opted_out_is_not_told_by_the_accounts_own_address_either(
    north: VppAccount, owner: Admin
) -> None:
    change(north, state=State.REVOKED, email=owner.email)
    owner.memberships.update(wants_alarms=False)

    assert addresses() == []


def test_an_address_of_somebody_who_has_left_is_the_accounts_own(
    north: VppAccount, owner: Admin
) -> None:
    change(north, state=State.REVOKED, email=owner.email)
    Admin.objects.filter(pk=owner.pk).update(is_active=False)

    (mail,) = told()

    assert (mail.to, "List-Unsubscribe" in mail.extra_headers) == ([owner.email], False)


@pytest.mark.parametrize("allowed", AllowedAdmins.values)
def test_admins_are_told_by_the_rule_that_opens_the_account(
    allowed: str, north: VppAccount, network: Network
) -> None:
    people = memberships(north.organization, network)
    change(north, state=State.REVOKED, allowed_admins=allowed)
    north.allowed_networks.set([network])
    north.named_admins.set([people["named@example.org"].admin])

    may = {email for email, who in people.items() if north.may_be_used_by(who) or who.can_write}

    assert addresses() == sorted({"vpp@example.org"} | may)
    assert (
        may
        == {
            AllowedAdmins.ALL: {"full@example.org", "read@example.org", "named@example.org"},
            AllowedAdmins.NETWORKS: {"full@example.org", "network@example.org"},
            AllowedAdmins.NAMED: {"full@example.org", "named@example.org"},
        }[allowed]
    )


@pytest.fixture
def network(organization: Organization) -> Network:
    return NetworkFactory(organization=organization)


def memberships(organization: Organization, network: Network) -> dict[str, Membership]:
    access = {"full": "full", "read": "read-only", "named": "read-only", "network": "none"}
    people = {
        f"{name}@example.org": MembershipFactory(
            organization=organization, access=access, admin__email=f"{name}@example.org"
        )
        for name, access in (access | {"elsewhere": "none"}).items()
    }
    elsewhere = NetworkFactory(organization=organization)
    for name, where in (("network", network), ("elsewhere", elsewhere)):
        NetworkAccessFactory(membership=people[f"{name}@example.org"], network=where)
    return people


# --- What they read -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "subject"),
    [
        ({"token_expires_at": NOW + HOUR}, "token expires today (9 Dec 2026)"),
        ({"token_expires_at": NOW + DAY}, "token expires tomorrow (10 Dec 2026)"),
        # Midnight has passed in UTC, not in Chicago.
        (
            {"token_expires_at": datetime(2026, 12, 16, 3, 0, tzinfo=UTC)},
            "token expires in 6 days (15 Dec 2026)",
        ),
        ({"token_expires_at": NOW - HOUR}, "token has expired"),
        ({"state": State.CLAIMED}, "location is taken over by another MDM"),
        ({"state": State.SYNC_FAILED}, "sync has failed for 24 hours"),
        ({"state": State.NOT_VERIFIED}, "token not confirmed by Apple for 24 hours"),
    ],
)
def test_the_subject_says_what_happened(
    fields: dict[str, Any], subject: str, north: VppAccount
) -> None:
    change(north, state_since=NOW - DAY, **fields)

    assert subjects() == [f"Example Schools North: {subject}"]


def test_a_full_admin_reads_what_to_do_and_where(north: VppAccount, owner: Admin) -> None:
    change(north, token_expires_at=NOW + 14 * DAY, email=owner.email)

    (mail,) = told()

    base = f"http://127.0.0.1:8000/organizations/{north.organization_id}"
    off = mail.extra_headers["List-Unsubscribe"].strip("<>")
    assert mail.subject == "Example Schools North: token expires in 14 days (23 Dec 2026)"
    assert mail.body == (
        "Example Schools North has a token that expires soon."
        " Afterwards no license can be read or assigned.\n"
        "\n"
        "Organization: Example Schools\n"
        "Location at Apple: North & Co\n"
        "Token valid until: 23 Dec 2026 06:00 (America/Chicago)\n"
        "\n"
        "What to do\n"
        "Download the token of this location again in Apple Business or Apple School Manager,"
        " then update it here.\n"
        "\n"
        f"Update Token: {base}/mdm/accounts/{north.pk}/renew/\n"
        "\n"
        "--\n"
        "You get this because you are an admin of Example Schools on VPP Dashboard.\n"
        f"Stop these mails: {off}\n"
    )


def test_the_accounts_own_address_reads_where_it_is_changed(north: VppAccount) -> None:
    change(north, state=State.CLAIMED, state_since=NOW, state_reason="“Other MDM” manages it now.")

    (mail,) = told()

    base = f"http://127.0.0.1:8000/organizations/{north.organization_id}"
    assert mail.body.endswith(
        "Organization: Example Schools\n"
        "Location at Apple: North & Co\n"
        "Since: 9 Dec 2026 06:00 (America/Chicago)\n"
        "Reason: “Other MDM” manages it now.\n"
        "\n"
        "What to do\n"
        "Decide which system manages this location: remove its token there and take it over,"
        " or remove the account here.\n"
        "\n"
        f"Show the account: {base}/mdm/#account-{north.pk}\n"
        "\n"
        "--\n"
        "You get this because vpp@example.org is the e-mail of this VPP account on VPP Dashboard.\n"
        "A full admin of Example Schools changes it on Organization > MDM.\n"
    )
    assert "List-Unsubscribe" not in mail.extra_headers


def test_a_failing_sync_says_since_when_and_why(north: VppAccount) -> None:
    reason = "Apple cannot be reached from this server."
    change(north, state=State.SYNC_FAILED, state_since=NOW - DAY, state_reason=reason)

    (mail,) = told()

    assert "Since: 8 Dec 2026 06:00 (America/Chicago)\nReason: " + reason in mail.body
    assert "Last synced: never\n" in mail.body


@pytest.mark.usefixtures("owner")
def test_the_html_says_the_same_and_loads_nothing(north: VppAccount) -> None:
    change(north, state=State.REVOKED, state_reason="<b>Apple</b> has revoked it.")

    for mail in told():
        (html, kind), *others = mail.alternatives
        text = words(html)

        assert (kind, others) == ("text/html", [])
        assert "<b>Apple</b> has revoked it." in text
        assert "North & Co" in text
        assert not re.search(r"<(img|link|script|style|iframe)|url\(|src=", html)
        links = set(re.findall(r'href="([^"]+)"', html))
        assert links
        assert links == set(re.findall(r"http\S+", mail.body))


@pytest.mark.parametrize("state", [State.REVOKED, State.CLAIMED, State.SYNC_FAILED])
def test_the_links_of_a_mail_lead_somewhere(
    state: AccountState, north: VppAccount, owner_client: Client, reader_client: Client
) -> None:
    change(north, state=state, state_since=NOW - DAY)
    pages = {
        mail.to[0]: [page_of(url) for url in re.findall(r"http\S+", mail.body)] for mail in told()
    }

    statuses = {
        who: [client.get(page).status_code for page in pages[f"{who}@example.org"]]
        for who, client in (("owner", owner_client), ("reader", reader_client))
    }

    assert statuses == {"owner": [200, 200], "reader": [200, 200]}


def page_of(url: str) -> str:
    assert url.startswith(f"{settings.BASE_URL}/")
    return urlsplit(url).path


@pytest.mark.usefixtures("owner")
def test_a_mail_program_stops_the_mails_with_one_click(north: VppAccount) -> None:
    change(north, state=State.REVOKED, email="owner@example.org")
    (mail,) = told()
    headers = {k: v for k, v in mail.extra_headers.items() if k.startswith("List-")}
    page = page_of(headers["List-Unsubscribe"].strip("<>"))

    # A mail program has neither a session nor a token against forged forms.
    answer = Client(enforce_csrf_checks=True).post(page, {"List-Unsubscribe": "One-Click"})

    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert answer.status_code == 200
    health.set_state(north, State.CLAIMED, "Another MDM has it.")
    assert addresses() == []
