"""VPP > Reclaim: the list and what is done with it, the rules, and who is protected."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from celery.app.task import Task
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from licensing.models import (
    BatchPlan,
    LicensedApp,
    LicensingSettings,
    ProtectedHolder,
    Reclaim,
    ReclaimRule,
)
from licensing.reclaim.protection import is_protected, protected
from organizations.models import Admin, AuditEvent, Network, Organization
from tests import factories
from tests.conftest import signed_in
from tests.draining import at_apple, drain
from tests.reading import errors_of, text_of
from tests.reclaiming import DAY, bought, look, reclaims, rule, unenrolled, work
from tests.test_sync import KEYNOTE, PAGES
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount


@pytest.fixture(autouse=True)
def bells(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    rung: list[str] = []
    monkeypatch.setattr(Task, "apply_async", lambda task, *args, **options: rung.append(task.name))
    return rung


@pytest.fixture
def title(account: VppAccount) -> LicensedApp:
    return factories.LicensedAppFactory(
        account=account, app__name="Keynote", app__price=Decimal("4.99"), app__price_text="$4.99"
    )


def page_of(organization: Organization, name: str = "reclaim", **query: Any) -> str:
    pairs = "&".join(f"{key}={value}" for key, value in query.items())
    return reverse(f"licensing:{name}", args=[organization.pk]) + (f"?{pairs}" if pairs else "")


def row(title: LicensedApp, serial: str, **fields: Any) -> Reclaim:
    values = {"cause": "unenrolled", "state": "found"} | fields
    return Reclaim.objects.create(
        organization=title.organization,
        account=title.account,
        licensed_app=title,
        holder_kind="device",
        holder=serial,
        **values,
    )


def planned(title: LicensedApp, serial: str, **fields: Any) -> Reclaim:
    return row(title, serial, state="planned", due_at=timezone.now() + 5 * DAY, **fields)


def serials(client: Client, organization: Organization, **query: Any) -> list[str]:
    answer = client.get(page_of(organization, format="csv", sort="holder", **query))
    lines = csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig")))
    return [line["Serial number"] for line in lines]


def state_of(reclaim: Reclaim) -> str:
    return Reclaim.objects.get(pk=reclaim.pk).state


# --- The list -------------------------------------------------------------------------------------


def test_reclaim_says_how_much_could_be_freed_and_what_it_cost(
    owner_client: Client, organization: Organization, title: LicensedApp
) -> None:
    free = factories.LicensedAppFactory(account=title.account, app__name="Pages")
    for serial in ("S1", "S2"):
        row(title, serial)
    planned(free, "S1", cause="missing")
    row(free, "S9", state="done")
    LicensingSettings.objects.create(organization=organization, reclaims_as_of=timezone.now())

    text = text_of(owner_client.get(page_of(organization)))

    assert "You could free 3 licenses" in text
    assert (
        "held by 2 devices that no longer need them; at the store's prices that is $9.98." in text
    )
    assert "Device unenrolled 2" in text
    assert "Keynote · Example Schools North 2 · $9.98" in text
    assert "Pages · Example Schools North 1" in text
    assert "1 will be taken back by a rule or a person's choice." in text


def test_reclaim_before_anything_was_looked_for(
    owner_client: Client, organization: Organization, bells: list[str]
) -> None:
    assert "Not looked for yet" in text_of(owner_client.get(page_of(organization)))

    answer = owner_client.post(page_of(organization, "reclaim_look"), follow=True)

    assert "It is being looked for." in text_of(answer)


def test_reclaim_is_filtered_by_cause_title_account_state_and_words(
    owner_client: Client, organization: Organization, title: LicensedApp
) -> None:
    south = factories.VppAccountFactory(organization=organization)
    other = factories.LicensedAppFactory(account=south, app__name="Pages")
    row(title, "A1", holder_name="Cart 1")
    row(other, "A2", cause="missing")
    planned(title, "A3")
    planned(title, "A4", waits_since=timezone.now())
    row(title, "A5", state="done")
    row(title, "A6", state="undone")
    row(title, "A7", state="void")
    queries: list[dict[str, Any]] = [
        {},
        {"cause": "missing"},
        {"title": title.pk},
        {"account": south.pk},
        {"q": "cart"},
        {"q": "pages"},
        {"state": "planned"},
        {"state": "decision"},
        {"state": "done"},
        {"state": "kept"},
        {"state": "over"},
    ]

    found = [serials(owner_client, organization, **query) for query in queries]

    assert found == [
        ["A1", "A2", "A3", "A4"],
        ["A2"],
        ["A1", "A3", "A4"],
        ["A2"],
        ["A1"],
        ["A2"],
        ["A3", "A4"],
        ["A4"],
        ["A5"],
        ["A6"],
        ["A7"],
    ]


def test_reclaim_costs_the_same_queries_for_one_row_and_for_many(
    owner_client: Client,
    organization: Organization,
    title: LicensedApp,
    django_assert_max_num_queries: Any,
) -> None:
    def queries() -> int:
        with django_assert_max_num_queries(60) as captured:
            owner_client.get(page_of(organization))
        return len(captured)

    row(title, "S0")
    queries()
    one = queries()
    for number in range(1, 4):
        other = factories.LicensedAppFactory(account=title.account)
        row(other, f"S{number}")

    assert queries() == one


# --- Doing ----------------------------------------------------------------------------------------


def test_taking_back_now_shows_the_plan_of_exactly_these(
    fake: FakeApple, owner_client: Client, account: VppAccount, organization: Organization
) -> None:
    titles = bought(fake, account, keynote=["S1", "S2"], pages=["S1", "S2"])
    chosen = [row(titles[KEYNOTE], "S1"), row(titles[PAGES], "S2")]

    answer = owner_client.post(
        page_of(organization), {"kind": "take", "holder": [each.pk for each in chosen]}
    )
    plan = BatchPlan.objects.get()
    assert answer.url.startswith(reverse("licensing:plan_detail", args=[organization.pk, plan.pk]))
    assert parse_qs(urlsplit(answer.url).query)["back"] == [page_of(organization) + "?"]
    assert plan.summary["go"] == 2
    owner_client.post(answer.url)
    drain(account, fake)
    work(organization)

    assert at_apple(fake, account) == {(KEYNOTE, "S2"), (PAGES, "S1")}
    assert [state_of(each) for each in chosen] == ["done", "done"]


def test_licenses_of_several_accounts_are_taken_back_one_account_at_a_time(
    owner_client: Client, organization: Organization, title: LicensedApp
) -> None:
    south = factories.VppAccountFactory(organization=organization, name="South")
    row(title, "S1")
    row(factories.LicensedAppFactory(account=south), "S2")

    answer = owner_client.post(page_of(organization), {"kind": "take", "all": "1"}, follow=True)

    assert (
        "These licenses are of several VPP accounts: Example Schools North, South. Filter the list"
        " by VPP account, and take back those of one at a time." in text_of(answer)
    )
    assert not BatchPlan.objects.exists()


def test_keeping_undoes_what_is_planned_and_found(
    owner_client: Client, organization: Organization, title: LicensedApp
) -> None:
    kept = [planned(title, "S1"), row(title, "S2")]
    started = row(title, "S3", state="started")

    answer = owner_client.post(
        page_of(organization),
        {"kind": "keep", "holder": [each.pk for each in (*kept, started)]},
        follow=True,
    )

    assert "2 kept. Rules pass over them until the same happens again." in text_of(answer)
    assert [state_of(each) for each in (*kept, started)] == ["undone", "undone", "started"]
    event = AuditEvent.objects.get(action="reclaim.kept")
    assert (event.target_name[:8], event.after) == (
        "Adam ID " if not title.app.name else str(title)[:8],
        {"holders": ["S1", "S2"], "count": 2},
    )


def test_it_is_too_late_to_keep_what_is_being_taken(
    owner_client: Client, organization: Organization, title: LicensedApp
) -> None:
    started = row(title, "S1", state="started")

    answer = owner_client.post(
        page_of(organization), {"kind": "keep", "holder": [started.pk]}, follow=True
    )

    assert "Choose at least one license: tick the boxes, or all that match." in text_of(answer)


def test_protecting_from_the_list_is_for_this_title(
    owner_client: Client, organization: Organization, title: LicensedApp
) -> None:
    chosen = planned(title, "S1", holder_name="Cart 1")
    other = planned(factories.LicensedAppFactory(account=title.account), "S1")

    owner_client.post(page_of(organization), {"kind": "protect", "holder": [chosen.pk]})

    assert [state_of(each) for each in (chosen, other)] == ["void", "planned"]
    known = protected(organization.pk)
    assert known == {("device", "S1", title.adam_id)}
    assert is_protected(known, "device", "S1", title.adam_id)
    assert not is_protected(known, "device", "S1", other.licensed_app.adam_id)


def test_a_button_that_is_none_of_ours_does_nothing(
    owner_client: Client, organization: Organization, title: LicensedApp
) -> None:
    chosen = planned(title, "S1")

    answer = owner_client.post(
        page_of(organization),
        {"kind": "burn", "holder": [chosen.pk, "x", "99999999999999999999"]},
        follow=True,
    )

    assert "Press one of the buttons" in text_of(answer)
    assert state_of(chosen) == "planned"


# --- Decisions ------------------------------------------------------------------------------------


def waiting(title: LicensedApp, number: int) -> None:
    for each in range(number):
        factories.AssignmentFactory(licensed_app=title, holder=f"S{each}")
        row(title, f"S{each}", state="planned", due_at=timezone.now(), waits_since=timezone.now())


@pytest.mark.parametrize(
    ("decision", "left"), [("allow", ["started"] * 6), ("keep", ["undone"] * 6)]
)
def test_much_at_once_is_decided_on_the_page(
    owner_client: Client,
    organization: Organization,
    title: LicensedApp,
    decision: str,
    left: list[str],
) -> None:
    waiting(title, 6)
    page = text_of(owner_client.get(page_of(organization)))
    assert (
        "6 of 6 licenses of Keynote in Example Schools North would be taken back at once." in page
    )
    place = [organization.pk, title.account_id, title.adam_id, title.pricing_param]

    owner_client.post(
        reverse("licensing:reclaim_decide", args=place), {"decision": decision, "shown": "6"}
    )
    # What of it is no cause any more would end as void: nobody of these is in the inventory.
    work(organization)

    assert [state for *_, state in reclaims(organization)] == left


def test_no_more_is_let_go_than_was_shown(
    owner_client: Client, organization: Organization, title: LicensedApp
) -> None:
    waiting(title, 7)
    place = [organization.pk, title.account_id, title.adam_id, title.pricing_param]

    answer = owner_client.post(
        reverse("licensing:reclaim_decide", args=place),
        {"decision": "allow", "shown": "6"},
        follow=True,
    )

    assert "By now 7 licenses of this title would be taken back" in text_of(answer)
    assert 'name="shown" value="7"' in answer.content.decode()
    assert not Reclaim.objects.exclude(allowed_by="").exists()


def test_a_decision_is_made_once(
    owner_client: Client, organization: Organization, title: LicensedApp
) -> None:
    place = [organization.pk, title.account_id, title.adam_id, title.pricing_param]

    answer = owner_client.post(
        reverse("licensing:reclaim_decide", args=place), {"decision": "allow"}, follow=True
    )

    assert "Nothing of this title waits for a decision any more." in text_of(answer)


# --- Rights ---------------------------------------------------------------------------------------


@pytest.fixture
def network(organization: Organization) -> Network:
    return factories.NetworkFactory(organization=organization, name="Oakmont")


@pytest.fixture
def network_admin(account: VppAccount, network: Network) -> Admin:
    access = factories.NetworkAccessFactory(
        membership__organization=account.organization, network=network
    )
    VppAccount.objects.filter(pk=account.pk).update(allowed_admins="networks")
    account.allowed_networks.set([network])
    admin: Admin = access.membership.admin
    return admin


def test_an_admin_of_a_network_has_its_devices_only(
    organization: Organization,
    network: Network,
    network_admin: Admin,
    title: LicensedApp,
) -> None:
    theirs = planned(title, "OURS")
    factories.DeviceFactory(organization=organization, network=network, serial_number="OURS")
    others = planned(title, "ELSEWHERE")
    factories.DeviceFactory(organization=organization, serial_number="ELSEWHERE")
    client = signed_in(network_admin)
    assert serials(client, organization) == ["OURS"]
    assert "You could free 1 license" in text_of(client.get(page_of(organization)))

    client.post(page_of(organization), {"kind": "keep", "holder": [theirs.pk, others.pk]})
    refused = client.post(page_of(organization), {"kind": "protect", "holder": [others.pk]})

    assert [state_of(each) for each in (theirs, others)] == ["undone", "planned"]
    assert refused.status_code == 403
    assert protected(organization.pk) == frozenset()


def test_nobody_sees_the_licenses_of_an_account_that_is_closed_to_them(
    owner_client: Client, organization: Organization, title: LicensedApp
) -> None:
    VppAccount.objects.update(allowed_admins="named")
    row(title, "S1")

    page = owner_client.get(page_of(organization))

    assert serials(owner_client, organization) == []
    assert "Keynote" not in text_of(page)


def test_a_reader_sees_everything_and_changes_nothing(
    reader_client: Client, organization: Organization, title: LicensedApp
) -> None:
    chosen = planned(title, "S1")
    kept = ProtectedHolder.objects.create(
        organization=organization, holder_kind="device", holder="S2", by_name="owner@example.org"
    )
    assert serials(reader_client, organization) == ["S1"]
    for name in ("reclaim", "reclaim_rules", "reclaim_protected", "reclaim_preview"):
        assert reader_client.get(page_of(organization, name)).status_code == 200
    remove = reverse("licensing:reclaim_unprotect", args=[organization.pk, kept.pk])

    answers = [
        reader_client.post(page_of(organization), {"kind": "keep", "holder": [chosen.pk]}),
        reader_client.post(page_of(organization, "reclaim_rules"), {}),
        reader_client.post(page_of(organization, "reclaim_look")),
        reader_client.post(page_of(organization, "reclaim_protected"), {"holder": "S1"}),
        reader_client.post(remove),
    ]

    assert [answer.status_code for answer in answers] == [403] * 5
    assert state_of(chosen) == "planned"


def test_an_outsider_finds_nothing(outsider_client: Client, organization: Organization) -> None:
    names = ("reclaim", "reclaim_rules", "reclaim_protected", "reclaim_preview")

    assert {outsider_client.get(page_of(organization, name)).status_code for name in names} == {404}


# --- Rules ----------------------------------------------------------------------------------------


def rules_form(**values: Any) -> dict[str, Any]:
    form: dict[str, Any] = {"departure_choice": "now", "departure_days": "7"}
    for cause in (
        "deleted",
        "wiped",
        "unenrolled",
        "retired_owner",
        "missing",
        "moved",
        "never_installed",
    ):
        form[f"{cause}_grace"] = "7"
    return form | {"missing_days": "30", "never_installed_days": "30"} | values


def test_rules_are_previewed_with_the_list_before_they_are_saved(
    owner_client: Client, organization: Organization, title: LicensedApp
) -> None:
    missing = timezone.now() - 20 * DAY
    factories.DeviceFactory(
        organization=organization, serial_number="S1", name="Cart 1", missing_since=missing
    )
    factories.AssignmentFactory(licensed_app=title, holder="S1")

    answer = owner_client.post(
        page_of(organization, "reclaim_rules"),
        rules_form(missing_enabled="on", missing_days="10", preview="1"),
    )
    listed = owner_client.get(page_of(organization, "reclaim_preview", cause="missing", days=10))

    assert "Would find 1 license of 1 device now: see it" in text_of(answer)
    assert "Cart 1 S1 Keynote" in text_of(listed)
    assert not ReclaimRule.objects.exists()


def test_saving_the_rules_makes_them_and_is_told(
    owner_client: Client,
    organization: Organization,
    title: LicensedApp,
    bells: list[str],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = owner_client.post(
            page_of(organization, "reclaim_rules"),
            rules_form(
                missing_enabled="on",
                missing_days="14",
                missing_grace="3",
                departure_choice="later",
                departure_days="10",
            ),
        )

    assert answer.url == page_of(organization)
    saved = ReclaimRule.objects.get(cause="missing")
    assert (saved.is_enabled, saved.days, saved.grace_days) == (True, 14, 3)
    assert ReclaimRule.objects.filter(is_enabled=True).count() == 1
    settings = LicensingSettings.objects.get()
    assert (settings.departure_choice, settings.departure_days) == ("later", 10)
    events = AuditEvent.objects.filter(action__startswith="reclaim.").order_by("pk")
    assert [(event.action, event.before, event.after) for event in events] == [
        (
            "reclaim.rule_set",
            {"takesBack": False, "graceDays": 7, "days": 30},
            {"takesBack": True, "graceDays": 3, "days": 14},
        ),
        (
            "reclaim.departure_set",
            {"licenses": "Take them back now", "days": 7},
            {"licenses": "Take them back after some days", "days": 10},
        ),
    ]
    assert bells == ["licensing.tasks.find_reclaims"]


def test_what_is_saved_is_done(
    owner_client: Client, organization: Organization, title: LicensedApp
) -> None:
    unenrolled(organization, "S1")
    factories.AssignmentFactory(licensed_app=title, holder="S1")
    owner_client.post(page_of(organization, "reclaim_rules"), rules_form(unenrolled_enabled="on"))

    look(organization)

    assert "Will be taken back" in text_of(owner_client.get(page_of(organization)))


@pytest.mark.parametrize(
    "wrong", [{"missing_days": "400"}, {"moved_grace": ""}, {"departure_days": "0"}]
)
def test_days_that_cannot_be(
    owner_client: Client, organization: Organization, wrong: dict[str, str]
) -> None:
    page = page_of(organization, "reclaim_rules")

    answers = [
        owner_client.post(page, rules_form(**wrong)),
        owner_client.post(page, rules_form(preview="1", **wrong)),
    ]

    assert [errors_of(answer) for answer in answers] == [
        ["Choose a number of days from 0 to 365."]
    ] * 2
    assert not ReclaimRule.objects.exists()


@pytest.mark.parametrize(
    "query", [{"cause": "boredom"}, {"days": "many"}, {"days": "366"}, {"days": "99999"}]
)
def test_a_preview_of_nothing_that_there_is(
    owner_client: Client, organization: Organization, query: dict[str, str]
) -> None:
    assert owner_client.get(page_of(organization, "reclaim_preview", **query)).status_code == 404


# --- Who is protected -----------------------------------------------------------------------------


def test_whoever_is_protected_is_found_by_no_rule_until_the_protection_is_taken_away(
    owner_client: Client, organization: Organization, title: LicensedApp
) -> None:
    unenrolled(organization, "S1", name="Cart 1")
    factories.AssignmentFactory(licensed_app=title, holder="S1")
    rule(organization, "unenrolled")
    page = page_of(organization, "reclaim_protected")
    owner_client.post(page, {"holder": "s1", "reason": "Loaned to the museum"})
    look(organization)
    assert reclaims(organization) == []
    assert "Cart 1 S1 All titles Loaned to the museum" in text_of(owner_client.get(page))

    kept = ProtectedHolder.objects.get()
    owner_client.post(reverse("licensing:reclaim_unprotect", args=[organization.pk, kept.pk]))
    look(organization)

    assert [state for *_, state in reclaims(organization)] == ["planned"]
    told = AuditEvent.objects.filter(action__contains="protected").order_by("pk")
    assert [event.action for event in told] == ["reclaim.protected", "reclaim.unprotected"]


def test_a_person_is_protected_in_every_account_by_their_address(
    owner_client: Client, organization: Organization, account: VppAccount, title: LicensedApp
) -> None:
    south = factories.VppAccountFactory(organization=organization)
    people = [
        factories.VppUserFactory(account=each, email="ann@example.org") for each in (account, south)
    ]

    owner_client.post(
        page_of(organization, "reclaim_protected"),
        {"holder": "Ann@example.org", "adam_id": title.adam_id},
    )

    assert protected(organization.pk) == {
        ("user", each.client_user_id, title.adam_id) for each in people
    }
    page = text_of(owner_client.get(page_of(organization, "reclaim_protected")))
    assert f"ann@example.org {people[0].client_user_id} Keynote" in page


def test_who_is_in_a_closed_account_is_not_told(
    owner_client: Client, organization: Organization, account: VppAccount
) -> None:
    ann = factories.VppUserFactory(account=account, name="Ann Lee", email="ann@example.org")
    page = page_of(organization, "reclaim_protected")
    owner_client.post(page, {"holder": ann.email})

    before, _ = owner_client.get(page), VppAccount.objects.update(allowed_admins="named")

    told = [text_of(answer) for answer in (before, owner_client.get(page))]
    assert ["Ann Lee" in text for text in told] == [True, False]


def test_nobody_unheard_of_is_protected(owner_client: Client, organization: Organization) -> None:
    factories.DeviceFactory(serial_number="ELSEWHERE")

    answer = owner_client.post(page_of(organization, "reclaim_protected"), {"holder": "ELSEWHERE"})

    assert errors_of(answer) == [
        "No device has this serial number, and no person of a VPP account this e-mail address."
        " Check how it is spelled."
    ]


def test_admins_of_networks_have_no_page_of_the_protected(
    organization: Organization, network_admin: Admin
) -> None:
    answer = signed_in(network_admin).get(page_of(organization, "reclaim_protected"))

    assert answer.status_code == 404
