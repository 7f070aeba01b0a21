"""The audit log: from where, who was refused, how long it is kept, and what never stands in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import ProgrammingError, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from organizations import audit, crypto, tasks, tenancy
from organizations.audit import APPLE, Actor
from organizations.audit_log import attempts, reach, retention
from organizations.models import (
    Admin,
    ApiKey,
    AuditEvent,
    Network,
    Organization,
)
from tests import audited_secrets, factories
from tests.api.conftest import client_of
from tests.conftest import signed_in
from tests.database import serving
from tests.reading import errors_of, text_of

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def page_of(organization: Organization, name: str = "licensing:organization_activity") -> str:
    return reverse(name, args=[organization.pk])


def happened(organization: Organization, *, days_ago: float = 0, **facts: Any) -> AuditEvent:
    """Something that was recorded so many days before noon."""
    told = {"action": "network.added", "actor_kind": "system", "actor_name": "Test"} | facts
    with time_machine.travel(NOON - timedelta(days=days_ago), tick=False):
        return AuditEvent.objects.create(organization=organization, **told)


def lines_of(response: HttpResponse) -> list[dict[str, Any]]:
    body = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    return [json.loads(line) for line in body.splitlines()]


# --- From where -------------------------------------------------------------------------------------


def test_what_a_page_leads_to_is_recorded_with_address_and_request(
    owner: Admin, organization: Organization, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    client = signed_in(owner)
    add = reverse("organizations:network_add", args=[organization.pk])
    told = {"name": "Lakeside", "time_zone": "UTC"}

    client.post(add, told, headers={"X-Forwarded-For": "203.0.113.9"})

    event = AuditEvent.objects.get(action="network.added")
    assert (event.address, event.actor_kind, len(event.request_id)) == ("203.0.113.9", "admin", 36)


def test_what_a_program_leads_to_is_recorded_with_its_key(
    owner: Admin, organization: Organization
) -> None:
    api = client_of(owner)

    api.send("post", f"/organizations/{organization.pk}/networks", {"name": "Lakeside"})

    key, event = ApiKey.objects.get(), AuditEvent.objects.get()
    assert (event.address, event.actor_kind, event.actor_id, event.actor_name) == (
        "127.0.0.1",
        "api_key",
        key.pk,
        f"owner@example.org (Tests ({key.prefix}…))",
    )


def test_what_nobody_asked_for_comes_from_nowhere(
    owner_client: Client, organization: Organization
) -> None:
    owner_client.get(page_of(organization))

    audit.record("network.added", by=APPLE, organization=organization, target=organization)

    event = AuditEvent.objects.get()
    assert (event.address, event.request_id) == (None, "")


def test_a_request_id_from_outside_is_not_believed_and_never_too_long(
    owner_client: Client, organization: Organization
) -> None:
    add = reverse("organizations:network_add", args=[organization.pk])
    told = {"name": "Lakeside", "time_zone": "UTC"}

    owner_client.post(add, told, headers={"X-Request-ID": "x" * 5000})

    assert len(AuditEvent.objects.get().request_id) <= 64


# --- Refused attempts ---------------------------------------------------------------------------------


@pytest.fixture
def lakeside(organization: Organization) -> Network:
    return factories.NetworkFactory(organization=organization, name="Lakeside")


def deletion_of(network: Network) -> str:
    return reverse("organizations:network_delete", args=[network.organization_id, network.pk])


def refusals() -> list[tuple[str, str, str]]:
    events = AuditEvent.objects.filter(refused=True).order_by("pk")
    return [(event.actor_name, event.action, event.target_name) for event in events]


def test_a_refused_attempt_says_what_was_asked_and_not_what_was_sent(
    reader: Admin, organization: Organization, lakeside: Network
) -> None:
    url = deletion_of(lakeside)

    answer = signed_in(reader).post(f"{url}?page=secret-query", {"typed_name": "secret-body"})

    event = AuditEvent.objects.get()
    assert (answer.status_code, event.refused, event.action) == (403, True, "access.refused")
    assert (event.actor_kind, event.actor_id, event.address) == ("admin", reader.pk, "127.0.0.1")
    assert (event.target_kind, event.target_id) == ("network", lakeside.pk)
    assert event.target_name == f"network {lakeside.pk}"
    assert event.after == {
        "what": "organizations:network_delete",
        "method": "POST",
        "path": url,
        "why": event.after["why"],
    }
    assert "secret" not in str(vars(event))


def test_a_program_is_recorded_too(reader: Admin, lakeside: Network) -> None:
    api = client_of(reader)

    answer = api.send("delete", f"/networks/{lakeside.pk}")

    event = AuditEvent.objects.get()
    assert (answer.status_code, event.actor_kind) == (403, "api_key")
    assert (event.target_kind, event.target_id) == ("network", lakeside.pk)
    assert event.after == {
        "what": "api/v1/networks/{networkId}",
        "method": "DELETE",
        "path": f"/api/v1/networks/{lakeside.pk}",
        "why": answer.json()["errors"][0],
    }


def test_a_network_admin_who_asks_for_the_organization_is_recorded(
    organization: Organization,
) -> None:
    network_admin = factories.MembershipFactory(organization=organization, access="none").admin

    answer = client_of(network_admin).get(f"/organizations/{organization.pk}/auditEvents")

    assert answer.status_code == 403
    assert [action for _, action, _ in refusals()] == ["access.refused"]


def test_the_same_attempt_is_told_once_in_five_minutes(reader: Admin, lakeside: Network) -> None:
    counts = []
    for minute in (0, 0, 4, 6, 7):
        with time_machine.travel(NOON + timedelta(minutes=minute), tick=False):
            signed_in(reader).post(deletion_of(lakeside))
        counts.append(len(refusals()))

    assert counts == [1, 1, 1, 2, 2]


def test_another_target_method_or_admin_is_told_by_itself(
    reader: Admin, organization: Organization, lakeside: Network
) -> None:
    hillside = factories.NetworkFactory(organization=organization)
    other = factories.MembershipFactory(organization=organization, access="read-only").admin

    signed_in(reader).post(deletion_of(lakeside))
    signed_in(reader).post(deletion_of(hillside))
    signed_in(reader).get(deletion_of(lakeside))
    signed_in(other).post(deletion_of(lakeside))

    assert [(name, target) for name, _, target in refusals()] == [
        (reader.email, f"network {lakeside.pk}"),
        (reader.email, f"network {hillside.pk}"),
        (reader.email, f"network {lakeside.pk}"),
        (other.email, f"network {lakeside.pk}"),
    ]


def test_nobody_floods_the_log(
    reader: Admin, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "MOST_OF_ONE", 3)
    client = signed_in(reader)
    base = f"/organizations/{organization.pk}/networks"

    for number in range(10):
        client.post(f"{base}/{number}/delete/")

    assert [action for _, action, _ in refusals()] == [
        *["access.refused"] * 3,
        "access.refused_often",
    ]


def test_many_together_do_not_flood_it_either(
    organization: Organization, lakeside: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "MOST_READ", 4)

    for _ in range(6):
        admin = factories.MembershipFactory(organization=organization, access="read-only").admin
        signed_in(admin).post(deletion_of(lakeside))

    assert len(refusals()) == 4


def test_what_belongs_to_others_is_recorded_nowhere(
    owner: Admin, outsider: Admin, organization: Organization, lakeside: Network
) -> None:
    elsewhere = outsider.memberships.get().organization
    borrowed = reverse("organizations:network_delete", args=[elsewhere.pk, lakeside.pk])

    answers = [
        signed_in(outsider).post(deletion_of(lakeside)),
        signed_in(outsider).post(borrowed),
        client_of(outsider).send("delete", f"/networks/{lakeside.pk}"),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert not AuditEvent.objects.exists()


def test_a_row_of_others_is_not_named_to_a_reader_who_is_refused(
    outsider: Admin, lakeside: Network
) -> None:
    elsewhere = outsider.memberships.get().organization
    reader = factories.MembershipFactory(organization=elsewhere, access="read-only").admin
    borrowed = reverse("organizations:network_delete", args=[elsewhere.pk, lakeside.pk])

    signed_in(reader).post(borrowed)

    page = text_of(signed_in(outsider).get(page_of(elsewhere)))
    assert f"network {lakeside.pk}" in page
    assert "Lakeside" not in page


def test_the_page_tells_refused_attempts_in_words(
    owner_client: Client, reader: Admin, organization: Organization, lakeside: Network
) -> None:
    url = deletion_of(lakeside)
    signed_in(reader).post(url)

    page = text_of(owner_client.get(f"{page_of(organization)}?refused=Y"))

    assert f"Not allowed refused Lakeside POST {url}" in page
    assert "reader@example.org Admin" in page


# --- Filters, exports, one event ----------------------------------------------------------------------


@pytest.fixture
def events(organization: Organization) -> None:
    facts = {
        "program": {"actor_kind": "api_key", "actor_name": "olga@example.org (Nightly)"},
        "refused": {"refused": True, "action": "access.refused", "target_kind": "network"},
        "rule": {"actor_kind": "rule", "actor_name": "Rule 1", "target_kind": "licensedapp"},
    }
    for number, (name, told) in enumerate(facts.items()):
        happened(organization, days_ago=10 - number, target_name=name, **told)
    happened(factories.OrganizationFactory(), target_name="elsewhere")


def found(client: Client, organization: Organization, query: str) -> list[str]:
    answer = client.get(f"{page_of(organization)}?format=jsonl&{query}")
    return [line["target"]["name"] for line in lines_of(answer)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["rule", "refused", "program"]),
        ("who=api_key", ["program"]),
        ("who=rule", ["rule"]),
        ("actor=OLGA", ["program"]),
        ("refused=Y", ["refused"]),
        ("kind=network", ["refused"]),
        ("kind=owner", []),
        ("action=access.", ["refused"]),
        ("action=audit.", []),
        ("since=2026-11-14", ["rule", "refused"]),
        ("until=2026-11-14", ["refused", "program"]),
        ("since=2026-11-14&until=2026-11-14", ["refused"]),
        ("since=2026-11-16", []),
        ("until=2026-11-12", []),
    ],
)
def test_events_are_filtered(
    owner_client: Client, organization: Organization, events: None, query: str, expected: list[str]
) -> None:
    assert found(owner_client, organization, query) == expected


def test_json_lines_hold_all_that_is_known(
    owner_client: Client, by: Actor, organization: Organization, lakeside: Network
) -> None:
    audit.record(
        "network.edited",
        by=by,
        organization=organization,
        target=lakeside,
        before={"name": "Lake"},
        after={"name": "Lakeside", "notes": "Zoë"},
    )

    answer = owner_client.get(f"{page_of(organization)}?format=jsonl")

    event = AuditEvent.objects.get()
    assert answer["Content-Type"] == "application/jsonl; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="activity-20')
    assert lines_of(answer) == [
        {
            "id": str(event.pk),
            "at": event.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "actor": {"kind": "admin", "id": str(by.id), "name": "owner@example.org"},
            "action": "network.edited",
            "target": {"kind": "network", "id": str(lakeside.pk), "name": "Lakeside"},
            "before": {"name": "Lake"},
            "after": {"name": "Lakeside", "notes": "Zoë"},
            "refused": False,
            "requestId": "",
            "address": None,
        }
    ]


def test_the_export_is_read_in_parts(
    owner_client: Client, organization: Organization, django_assert_max_num_queries: Any
) -> None:
    AuditEvent.objects.bulk_create(
        AuditEvent(organization=organization, actor_kind="system", action="network.added")
        for _ in range(4500)
    )

    with django_assert_max_num_queries(15):
        lines = lines_of(owner_client.get(f"{page_of(organization)}?format=jsonl"))

    assert len(lines) == len({line["id"] for line in lines}) == 4500


def test_a_search_says_how_far_back_it_looked(
    owner_client: Client, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "SEARCHED", 3)
    for days_ago, name in ((9, "old needle"), (8, "c"), (7, "b"), (6, "new needle")):
        happened(organization, days_ago=days_ago, target_name=name)
    url = page_of(organization)

    everything = text_of(owner_client.get(url))
    searched = text_of(owner_client.get(f"{url}?q=needle"))
    earlier = text_of(owner_client.get(f"{url}?q=needle&until=2026-11-14"))

    told = "events were looked through, back to 14 Nov 2026 12:00."
    assert (told in everything, "old needle" in everything) == (False, True)
    assert (told in searched, "new needle" in searched, "old needle" in searched) == (
        True,
        True,
        False,
    )
    assert (told in earlier, "old needle" in earlier) == (False, True)
    assert found(owner_client, organization, "q=needle") == ["new needle", "old needle"]


def test_one_event_is_shown_with_before_and_after(
    reader: Admin, by: Actor, organization: Organization, lakeside: Network
) -> None:
    facts = {"organization": organization, "target": lakeside}
    before, after = {"name": "Lake", "tags": ["a"]}, {"name": "Lakeside", "tags": ["a"]}
    event = audit.record("network.edited", by=by, before=before, after=after, **facts)
    client = signed_in(reader)

    linked = client.get(page_of(organization)).content.decode()
    url = reverse("licensing:event_detail", args=[organization.pk, event.pk])
    page = text_of(client.get(url))

    assert f'href="{url}"' in linked
    assert "What Before After Name Lake Lakeside Tags a a" in page
    assert "network.edited" in page


def test_one_event_is_for_those_who_may_read_it(
    organization: Organization, outsider: Admin, owner_client: Client, reader_client: Client
) -> None:
    account = factories.VppAccountFactory(organization=organization, allowed_admins="named")
    title = factories.LicensedAppFactory(account=account)
    facts = {"organization": organization, "by": APPLE}
    closed = audit.record("title.found", target=title, **facts)
    of_all = audit.record("network.added", target=organization, **facts)
    network_admin = factories.MembershipFactory(organization=organization, access="none").admin
    own = outsider.memberships.get().organization_id

    def status(client: Client, event: AuditEvent, place: int = organization.pk) -> int:
        return client.get(f"/organizations/{place}/activity/{event.pk}/").status_code

    outside = signed_in(outsider)
    assert (status(owner_client, closed), status(reader_client, closed)) == (404, 404)
    assert (status(owner_client, of_all), status(reader_client, of_all)) == (200, 200)
    assert status(signed_in(network_admin), of_all) == 404
    assert (status(outside, of_all), status(outside, of_all, own)) == (404, 404)


# --- How long it is kept ------------------------------------------------------------------------------


@pytest.fixture
def old_and_new(organization: Organization) -> Organization:
    """Three events older than three months, and one that is not; one as old elsewhere."""
    for days_ago in (100, 99, 93, 30):
        happened(organization, days_ago=days_ago)
    happened(factories.OrganizationFactory(), days_ago=100)
    return organization


def keep(organization: Organization, months: int | None) -> None:
    Organization.objects.filter(pk=organization.pk).update(audit_kept_months=months)


def swept(at: datetime = NOON) -> int:
    with time_machine.travel(at, tick=False):
        return tasks.expire_audit_events()


def day(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T00:00:00+00:00")


@pytest.mark.parametrize(
    ("moment", "months", "before"),
    [
        (day("2026-05-31"), 3, day("2026-02-28")),
        (day("2028-05-31"), 3, day("2028-02-29")),
        (day("2026-01-15"), 12, day("2025-01-15")),
        (day("2026-12-01"), 120, day("2016-12-01")),
        (day("2026-01-01"), 1, day("2025-12-01")),
    ],
)
def test_months_are_those_of_the_calendar(moment: datetime, months: int, before: datetime) -> None:
    assert retention.months_before(moment, months) == before


def test_nothing_goes_where_nobody_asked_for_it(old_and_new: Organization) -> None:
    assert swept() == 0
    assert AuditEvent.objects.count() == 5


def test_what_is_too_old_goes_and_says_so(old_and_new: Organization) -> None:
    keep(old_and_new, 3)

    first, second = swept(), swept()

    left = AuditEvent.objects.filter(organization=old_and_new).order_by("pk")
    event = left.last()
    assert (first, second, AuditEvent.objects.count()) == (3, 0, 3)
    assert [each.action for each in left] == ["network.added", "audit.expired"]
    assert (event.actor_kind, event.after) == (
        "system",
        {"before": "2026-08-23T00:00:00+00:00", "number": 3},
    )


def test_a_day_begins_at_the_organizations_midnight(organization: Organization) -> None:
    Organization.objects.update(time_zone="Pacific/Auckland", audit_kept_months=3)
    border = datetime(2026, 8, 23, 12, 0, tzinfo=UTC)  # midnight of the 24th there
    for moment in (border - timedelta(seconds=1), border):
        with time_machine.travel(moment, tick=False):
            AuditEvent.objects.create(organization=organization, action="network.added")

    swept(NOON)

    assert AuditEvent.objects.filter(at__lte=border).count() == 1


def test_a_sweep_that_is_killed_has_told_the_truth(
    old_and_new: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(old_and_new, 3)
    monkeypatch.setattr(retention, "AT_ONCE", 1)
    remove_some, calls = retention.remove_some, iter(range(10))

    def killed(*args: Any) -> int:
        gone = remove_some(*args)
        if next(calls) == 2:
            raise KeyboardInterrupt  # in the middle of the third part
        return gone

    monkeypatch.setattr(retention, "remove_some", killed)
    with pytest.raises(KeyboardInterrupt):
        swept()

    assert numbers() == [2]
    assert AuditEvent.objects.filter(organization=old_and_new, action="network.added").count() == 2
    monkeypatch.setattr(retention, "remove_some", remove_some)
    assert (swept(), numbers()) == (1, [2, 1])


def numbers() -> list[int]:
    told = AuditEvent.objects.filter(action="audit.expired").order_by("pk")
    return [event.after["number"] for event in told]


def test_one_organization_that_fails_does_not_keep_the_others(
    old_and_new: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    Organization.objects.update(audit_kept_months=3)
    remove_some = retention.remove_some

    def failing(organization: Organization, before: datetime) -> int:
        if organization == old_and_new:
            raise ValueError
        return remove_some(organization, before)

    monkeypatch.setattr(retention, "remove_some", failing)

    assert swept() == 1


def test_the_log_can_be_added_to_only_and_swept_by_the_system_role(
    organization: Organization,
) -> None:
    event = happened(organization)
    forbidden: list[Callable[[], object]] = [
        lambda: AuditEvent.objects.filter(pk=event.pk).update(action="other"),
        lambda: AuditEvent.objects.filter(pk=event.pk).delete(),
    ]

    for act in forbidden:
        with pytest.raises(ProgrammingError, match="permission denied"), as_application(event):
            act()
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        AuditEvent.objects.using("system").filter(pk=event.pk).update(action="other")

    assert AuditEvent.objects.get().action == "network.added"
    AuditEvent.objects.using("system").filter(pk=event.pk).delete()
    assert not AuditEvent.objects.exists()


@contextmanager
def as_application(event: AuditEvent) -> Iterator[None]:
    with serving(), tenancy.inside(event.organization_id), transaction.atomic():
        yield


# --- The setting --------------------------------------------------------------------------------------


def retention_page(organization: Organization) -> str:
    return page_of(organization, "organizations:audit_retention")


def test_what_removes_nothing_is_saved_at_once(
    owner_client: Client, organization: Organization
) -> None:
    answer = owner_client.post(retention_page(organization), {"months": "12"})

    organization.refresh_from_db()
    event = AuditEvent.objects.get()
    assert (answer.status_code, organization.audit_kept_months) == (302, 12)
    assert (event.action, event.before, event.after) == (
        "organization.audit_retention_set",
        {"keptMonths": None},
        {"keptMonths": 12},
    )
    page = owner_client.get(page_of(organization))
    assert "it is kept for 12 months." in text_of(page)


def test_what_removes_events_says_how_many_and_is_typed(
    owner: Admin, old_and_new: Organization
) -> None:
    url = retention_page(old_and_new)
    with time_machine.travel(NOON, tick=False):
        client = signed_in(owner)
        asked = client.post(url, {"months": "3"})
        wrong = client.post(url, {"months": "3", "typed_name": "Other Schools"})
        old_and_new.refresh_from_db()
        kept = old_and_new.audit_kept_months
        done = client.post(url, {"months": "3", "typed_name": "Example  Schools"})

    old_and_new.refresh_from_db()
    assert "3 events from before 23 Aug 2026 are removed within a day" in text_of(asked)
    assert errors_of(asked) == []
    assert errors_of(wrong) == [
        "That is not the organization's name. Type “Example Schools” exactly."
    ]
    assert (kept, done.status_code, old_and_new.audit_kept_months) == (None, 302, 3)
    assert AuditEvent.objects.latest("pk").after == {"keptMonths": 3, "goes": 3}
    assert AuditEvent.objects.count() == 6


def test_keeping_longer_is_never_asked_twice_and_the_same_leaves_no_trace(
    owner_client: Client, old_and_new: Organization
) -> None:
    keep(old_and_new, 3)
    url = retention_page(old_and_new)

    answers = [owner_client.post(url, {"months": months}) for months in ("3", "for-good")]

    assert [answer.status_code for answer in answers] == [302, 302]
    changes = AuditEvent.objects.filter(action="organization.audit_retention_set")
    assert [event.after for event in changes] == [{"keptMonths": None}]


@pytest.mark.parametrize("months", ["1", "-3", "x", "9999"])
def test_only_the_offered_times_can_be_chosen(
    owner_client: Client, organization: Organization, months: str
) -> None:
    page = owner_client.post(retention_page(organization), {"months": months})

    assert errors_of(page) == [
        "Events can be kept for 3, 6, 12, 24, 36, 60, 84 or 120 months, or for good."
    ]


def test_the_setting_is_for_full_admins(
    reader_client: Client, outsider_client: Client, organization: Organization
) -> None:
    url = retention_page(organization)

    assert (reader_client.get(url).status_code, reader_client.post(url).status_code) == (403, 403)
    assert outsider_client.get(url).status_code == 404
    assert 'aria-disabled="true"' in reader_client.get(page_of(organization)).content.decode()


# --- No secret ----------------------------------------------------------------------------------------


def test_every_test_is_watched_for_secrets_in_the_log(
    owner: Admin, by: Actor, organization: Organization, client: Client
) -> None:
    """Planted here, and found: so the watch of all other tests means something."""
    _, key = ApiKey.objects.issue(admin=owner, name="Tests")
    owner.set_password("their new password")
    client.force_login(owner)
    crypto.encrypt("an sToken of Apple", bound_to="row")
    secrets = [key, "their new password", client.session.session_key, "an sToken of Apple"]

    for secret in secrets:
        facts = {"by": by, "organization": organization, "target": organization}
        audit.record("network.edited", before={"x": ["y", {"z": f"…{secret}…"}]}, **facts)
    audit.record("network.edited", after={"x": "harmless"}, **facts)
    noticed = audited_secrets.leaks()

    audited_secrets.forget()
    assert len(noticed) == len(secrets)
