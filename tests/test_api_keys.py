"""Your account > API keys: made once, shown once, told of, and ended."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.db import connections
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from organizations import keys, tasks
from organizations.audit import Actor
from organizations.models import Admin, ApiKey, AuditEvent, Membership, Organization, OutgoingMail
from organizations.refusals import Refusal
from organizations.signin import limits
from tests import factories
from tests.api.conftest import ApiClient
from tests.conftest import signed_in
from tests.reading import errors_of, text_of

LIST = "/accounts/api-keys/"
ADD = "/accounts/api-keys/create/"
WANTED = {"name": "Nightly", "organization": "all", "scope": "read", "lifetime": "365"}
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def made(client: Client, **wanted: str) -> tuple[str, HttpResponse]:
    """The key's text as the page shows it."""
    page = client.post(ADD, WANTED | wanted)
    assert page.status_code == 200, errors_of(page)
    return page.context["text"], page


def make(admin: Admin, **facts: Any) -> tuple[ApiKey, str]:
    told = {"name": "Nightly", "read_only": True, "expires_at": None} | facts
    return keys.create(by=Actor.of_admin(admin), admin=admin, **told)


def status_with(text: str, path: str = "/organizations") -> int:
    return ApiClient(headers={"Authorization": f"Bearer {text}"}).get(path).status_code


def revoke_url(key: ApiKey) -> str:
    return reverse("organizations:api_key_revoke", args=[key.pk])


@pytest.fixture
def second(owner: Admin) -> Organization:
    """Another organization of the owner."""
    organization = factories.OrganizationFactory(name="Second Schools")
    factories.MembershipFactory(organization=organization, admin=owner)
    return organization


@pytest.fixture
def limited(owner: Admin, organization: Organization) -> Client:
    """The owner, come in through the single sign-on of one organization."""
    client = signed_in(owner)
    session = client.session
    session[limits.KEY] = organization.pk
    session.save()
    return client


# --- Making -----------------------------------------------------------------------------------------


def test_a_key_is_shown_once_and_nowhere_again(owner: Admin, owner_client: Client) -> None:
    text, page = made(owner_client)

    again = owner_client.get(LIST)
    stored = [str(vars(key)) for key in ApiKey.objects.all()]
    sessions = [str(session.get_decoded()) for session in Session.objects.all()]
    mails = [mail.text + mail.html for mail in OutgoingMail.objects.all()]
    assert text in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert not any(text in told for told in [again.content.decode(), *stored, *sessions, *mails])
    assert status_with(text) == 200


def test_a_new_key_is_told_to_its_owner_and_in_the_log(
    owner: Admin, owner_client: Client, organization: Organization
) -> None:
    with time_machine.travel(NOON, tick=False):
        made(signed_in(owner))

    (key,) = ApiKey.objects.all()
    (mail,) = OutgoingMail.objects.all()
    (event,) = AuditEvent.objects.all()
    assert (key.admin, key.read_only, key.expires_at) == (owner, True, NOON + timedelta(days=365))
    assert (mail.to, mail.subject) == (owner.email, "A new API key acts as you: Nightly")
    assert f"Begins with: {key.prefix}" in mail.text
    assert (event.organization, event.action, event.target_name) == (
        organization,
        "api_key.created",
        f"Nightly ({key.prefix}…)",
    )
    assert event.after == {
        "admin": owner.email,
        "readOnly": True,
        "expires": (NOON + timedelta(days=365)).isoformat(),
        "opens": "all",
    }


def test_each_organization_that_a_key_opens_hears_of_it(
    owner: Admin, organization: Organization, second: Organization
) -> None:
    make(owner, name="All")
    make(owner, name="One", organization=second)

    told = AuditEvent.objects.values_list("organization__name", "target_name", "after__opens")
    assert sorted((place, name.partition(" ")[0], opens) for place, name, opens in told) == [
        ("Example Schools", "All", "all"),
        ("Second Schools", "All", "all"),
        ("Second Schools", "One", "this"),
    ]
    assert "Second" not in str(
        list(AuditEvent.objects.filter(organization=organization).values_list())
    )


def test_a_key_for_one_organization_is_offered_and_made(
    owner_client: Client, organization: Organization, second: Organization
) -> None:
    choices = owner_client.get(ADD).context["form"].fields["organization"].choices

    text, page = made(owner_client, organization=str(second.pk), scope="write", lifetime="never")

    assert choices == [
        ("all", "All my organizations"),
        (str(organization.pk), "Example Schools"),
        (str(second.pk), "Second Schools"),
    ]
    (key,) = ApiKey.objects.all()
    assert (key.organization, key.read_only, key.expires_at) == (second, False, None)
    assert "Opens Second Schools Scope Read and write Expires never" in text_of(page)
    assert status_with(text, f"/organizations/{second.pk}") == 200
    assert status_with(text, f"/organizations/{organization.pk}") == 404


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": " "}, "An API key needs a name: say what it is for."),
        (
            {"name": "n" * 101},
            "The name has 101 characters; at most 100 are possible. Shorten it.",
        ),
        (
            {"organization": "{elsewhere}"},
            "This key would open no organization. Choose one that this admin may enter.",
        ),
        ({"lifetime": "5000"}, "Select a valid choice. 5000 is not one of the available choices."),
        ({"scope": "all"}, "Select a valid choice. all is not one of the available choices."),
    ],
)
def test_what_makes_no_sense_makes_no_key(
    owner_client: Client, outsider: Admin, wrong: dict[str, str], sentence: str
) -> None:
    elsewhere = outsider.memberships.get().organization_id
    told = {name: value.format(elsewhere=elsewhere) for name, value in wrong.items()}

    page = owner_client.post(ADD, WANTED | told)

    assert (errors_of(page), ApiKey.objects.count()) == ([sentence], 0)


@pytest.mark.parametrize("expires_at", [NOON, NOON - timedelta(days=1), NOON + timedelta(days=732)])
def test_a_key_ends_in_the_future_and_not_after_two_years(
    owner: Admin, expires_at: datetime
) -> None:
    with time_machine.travel(NOON, tick=False), pytest.raises(keys.ExpiryWrong):
        make(owner, expires_at=expires_at)

    assert not ApiKey.objects.exists()


def test_who_belongs_nowhere_makes_no_key(db: None) -> None:
    client = signed_in(factories.AdminFactory())

    page, answer = client.get(LIST), client.post(ADD, WANTED)

    assert "You belong to no organization, so a key would open nothing." in page.content.decode()
    assert "A key would open nothing" in text_of(answer)
    assert not ApiKey.objects.exists()


def test_an_invitation_opens_nothing_to_a_key(owner: Admin, organization: Organization) -> None:
    _, text = make(owner)
    Membership.objects.update(accepted_at=None)

    assert status_with(text, f"/organizations/{organization.pk}") == 404


def test_an_admin_has_no_more_than_twenty_usable_keys(owner: Admin, owner_client: Client) -> None:
    first, _ = make(owner)
    for _ in range(19):
        make(owner)

    refused = errors_of(owner_client.post(ADD, WANTED)) or text_of(owner_client.post(ADD, WANTED))
    keys.revoke(by=Actor.of_admin(owner), key=first)
    made(owner_client)

    assert "There are 20 usable API keys already. Revoke one that nobody needs first." in refused
    assert ApiKey.objects.usable().count() == 20


@pytest.mark.django_db(transaction=True, databases=["default", "system", "owner"])
def test_two_requests_do_not_both_take_the_last_place(owner: Admin) -> None:
    for _ in range(19):
        make(owner)

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda _: attempt(lambda: make(owner)), range(2)))

    assert sorted(outcomes) == ["", "too_many_api_keys"]


def attempt(act: Callable[[], object]) -> str:
    try:
        act()
    except Refusal as refusal:
        return refusal.code
    finally:
        connections.close_all()
    return ""


def test_a_sign_in_of_long_ago_is_asked_again_before_a_key_is_made(owner: Admin) -> None:
    client = signed_in(owner)
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        looked, sent = client.get(ADD), client.post(ADD, WANTED)
        listed = client.get(LIST)

    assert [answer.status_code for answer in (looked, sent, listed)] == [302, 302, 200]
    assert looked["Location"].startswith(reverse("account_reauthenticate"))
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("page", [LIST, ADD, "/accounts/api-keys/1/revoke/"])
def test_nobody_is_sent_to_sign_in(db: None, client: Client, page: str) -> None:
    for answer in (client.get(page), client.post(page)):
        assert answer.status_code in (302, 405)
        assert answer.get("Location", "/accounts/login/").startswith("/accounts/login/")


# --- The list ---------------------------------------------------------------------------------------


def test_the_list_tells_what_each_key_opens_and_when_it_was_used(
    owner: Admin, owner_client: Client, organization: Organization, second: Organization
) -> None:
    with time_machine.travel(NOON, tick=False):
        key, text = make(owner, organization=second, expires_at=NOON + timedelta(days=30))
        ApiClient(headers={"Authorization": f"Bearer {text}"}).get("/organizations")
        page = text_of(signed_in(owner).get(LIST))

    told = (
        f"Nightly {key.prefix}… Second Schools Read-only 23 Nov 2026 23 Dec 2026 today 12:00"
        " from 127.0.0.1 Usable"
    )
    assert told in page


def test_the_list_shows_nobody_elses_keys(
    owner: Admin, reader: Admin, outsider: Admin, owner_client: Client
) -> None:
    make(reader, name="Reader's")
    make(outsider, name="Outsider's")

    assert "No API keys yet" in text_of(owner_client.get(LIST))


def names_in(client: Client, query: str = "") -> list[str]:
    answer = client.get(f"{LIST}?format=csv{query}")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return [row["Name"] for row in csv.DictReader(io.StringIO(text))]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("&sort=name", ["ended", "lasting", "taken back"]),
        ("&state=usable", ["lasting"]),
        ("&state=expired", ["ended"]),
        ("&state=revoked", ["taken back"]),
        ("&q=LAST", ["lasting"]),
        ("&q=nothing", []),
        ("&sort=expires", ["ended", "taken back", "lasting"]),
    ],
)
def test_keys_are_sought_and_sorted(
    owner: Admin, owner_client: Client, query: str, expected: list[str]
) -> None:
    make(owner, name="lasting")
    ended, _ = make(owner, name="ended")
    taken, _ = make(owner, name="taken back", expires_at=timezone.now() + timedelta(days=5))
    ApiKey.objects.filter(pk=ended.pk).update(expires_at=timezone.now())
    keys.revoke(by=Actor.of_admin(owner), key=taken)

    assert names_in(owner_client, query) == expected


def test_the_list_costs_the_same_for_any_number_of_keys(
    owner: Admin,
    owner_client: Client,
    second: Organization,
    django_assert_max_num_queries: Any,
) -> None:
    costs = []
    for number in (1, 4):
        for _ in range(number):
            make(owner, organization=second)
        with django_assert_max_num_queries(12) as queries:
            owner_client.get(LIST)
        costs.append(len(queries))

    assert costs[0] == costs[1]


def test_a_key_of_an_organization_that_was_left_does_not_tell_its_name(
    owner: Admin, owner_client: Client, second: Organization
) -> None:
    make(owner, organization=second)
    Membership.objects.filter(organization=second).delete()

    page = text_of(owner_client.get(LIST))

    assert "An organization that you have left" in page
    assert "Second Schools" not in page


# --- Ending -----------------------------------------------------------------------------------------


def test_a_revoked_key_opens_nothing_from_that_moment_on(
    owner: Admin, owner_client: Client, organization: Organization
) -> None:
    key, text = make(owner)

    asked = text_of(owner_client.get(revoke_url(key)))
    before, answer = status_with(text), owner_client.post(revoke_url(key))

    key.refresh_from_db()
    event = AuditEvent.objects.get(action="api_key.revoked")
    assert "programs that use it are answered “Invalid API key”" in asked
    assert (before, status_with(text)) == (200, 401)
    assert (answer.status_code, answer["Location"]) == (302, LIST)
    assert (key.revoked_by, key.state) == (owner.email, ApiKey.State.REVOKED)
    assert (event.organization, event.target_id, event.actor_name) == (
        organization,
        key.pk,
        owner.email,
    )


def test_revoking_twice_is_told_once(owner: Admin, owner_client: Client) -> None:
    key, _ = make(owner)
    owner_client.post(revoke_url(key))
    revoked_at = ApiKey.objects.get().revoked_at

    page, answer = owner_client.get(revoke_url(key)), owner_client.post(revoke_url(key))

    assert "It was revoked already" in text_of(page)
    assert answer.status_code == 302
    assert ApiKey.objects.get().revoked_at == revoked_at
    assert AuditEvent.objects.filter(action="api_key.revoked").count() == 1


def test_keys_of_others_cannot_be_revoked_nor_renewed(
    owner_client: Client, reader: Admin, outsider: Admin
) -> None:
    for admin in (reader, outsider):
        key, text = make(admin)

        answers = [
            owner_client.get(revoke_url(key)),
            owner_client.post(revoke_url(key)),
            owner_client.get(f"{ADD}?renew={key.pk}"),
            owner_client.post(f"{ADD}?renew={key.pk}", WANTED),
        ]

        assert [answer.status_code for answer in answers] == [404] * 4
        assert status_with(text) == 200


def test_renewing_makes_a_key_alike_and_leaves_the_old_one(
    owner: Admin, owner_client: Client, second: Organization
) -> None:
    old, old_text = make(owner, name="Inventory", organization=second)

    form = owner_client.get(f"{ADD}?renew={old.pk}").context["form"]
    answer = owner_client.post(f"{ADD}?renew={old.pk}", {**form.initial, "lifetime": "90"})

    new = ApiKey.objects.exclude(pk=old.pk).get()
    assert form.initial == {
        "name": "Inventory",
        "organization": str(second.pk),
        "scope": "read",
    }
    assert (new.name, new.organization, new.read_only) == ("Inventory", second, True)
    assert f'href="{revoke_url(old)}"' in answer.content.decode()
    assert (status_with(old_text), status_with(answer.context["text"])) == (200, 200)


def test_who_leaves_an_organization_leaves_the_keys_made_for_it(
    owner: Admin, by: Actor, organization: Organization, second: Organization
) -> None:
    make(owner, name="All")
    make(owner, name="First", organization=organization)
    make(owner, name="Second", organization=second)

    ended = keys.revoke_limited(by=by, admin=owner, organization_id=second.pk)

    usable = ApiKey.objects.usable().order_by("name").values_list("name", flat=True)
    assert (ended, list(usable)) == (1, ["All", "First"])


# --- A session that opens one organization ------------------------------------------------------------


def test_a_limited_session_sees_and_makes_keys_for_its_organization_only(
    owner: Admin, limited: Client, organization: Organization, second: Organization
) -> None:
    whole, _ = make(owner, name="All")
    elsewhere, _ = make(owner, name="Second", organization=second)
    make(owner, name="Here", organization=organization)

    listed = names_in(limited)
    choices = limited.get(ADD).context["form"].fields["organization"].choices
    hidden = [limited.post(revoke_url(key)).status_code for key in (whole, elsewhere)]

    assert listed == ["Here"]
    assert choices == [(str(organization.pk), "Example Schools")]
    assert hidden == [404, 404]
    assert ApiKey.objects.filter(revoked_at=None).count() == 3


@pytest.mark.parametrize("which", ["all", "second"])
def test_a_limited_session_makes_no_key_that_opens_more(
    limited: Client, second: Organization, which: str
) -> None:
    told = {"all": "all", "second": str(second.pk)}[which]

    page = limited.post(ADD, WANTED | {"organization": told})

    assert len(errors_of(page)) == 1
    assert not ApiKey.objects.exists()


def test_a_session_makes_no_key_that_opens_what_it_could_not_enter_itself(
    owner: Admin, owner_client: Client, organization: Organization, second: Organization
) -> None:
    second.requires_single_sign_on = True
    second.save()

    page = owner_client.get(ADD)
    refused = [
        owner_client.post(ADD, WANTED | {"organization": which}) for which in ("all", second.pk)
    ]
    made(owner_client, organization=str(organization.pk))

    choices = page.context["form"].fields["organization"].choices
    assert choices == [(str(organization.pk), "Example Schools")]
    assert "ask for another sign-in than yours" in text_of(page)
    assert [len(errors_of(each)) for each in refused] == [1, 1]
    assert ApiKey.objects.get().organization == organization


def test_who_may_skip_single_sign_on_makes_keys_for_all(
    owner: Admin, owner_client: Client, second: Organization
) -> None:
    second.requires_single_sign_on = True
    second.save()
    Membership.objects.filter(organization=second).update(may_skip_single_sign_on=True)

    made(owner_client, organization="all")

    assert ApiKey.objects.get().organization is None


# --- Before the end -----------------------------------------------------------------------------------


@pytest.fixture
def in_a_year(owner: Admin) -> Iterator[ApiKey]:
    with time_machine.travel(NOON, tick=False):
        yield make(owner, expires_at=NOON + timedelta(days=365))[0]


def told_on(day: int) -> int:
    with time_machine.travel(NOON + timedelta(days=day), tick=False):
        return tasks.tell_of_expiring_keys()


def test_the_owner_is_told_two_weeks_before_a_key_ends_and_once(
    owner: Admin, in_a_year: ApiKey
) -> None:
    told = [told_on(350), told_on(351), told_on(352), told_on(366)]

    mail = OutgoingMail.objects.get(key=f"api_key_expires:{in_a_year.pk}")
    assert told == [0, 1, 0, 0]
    assert (mail.to, mail.subject) == (owner.email, "Your API key expires soon: Nightly")
    assert "After 23 November 2027, 12:00 UTC the key opens nothing" in mail.text


def test_a_key_that_is_over_or_made_for_days_is_not_told_of(owner: Admin, by: Actor) -> None:
    with time_machine.travel(NOON, tick=False):
        make(owner, expires_at=NOON + timedelta(days=10))
        make(owner)
        revoked, _ = make(owner, expires_at=NOON + timedelta(days=30))
        keys.revoke(by=by, key=revoked)

    assert (told_on(1), told_on(20)) == (0, 0)


def test_one_mail_that_fails_does_not_keep_the_others(
    owner: Admin, reader: Admin, in_a_year: ApiKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    with time_machine.travel(NOON, tick=False):
        make(reader, expires_at=NOON + timedelta(days=365))
    post = keys.post

    def failing(*, to: list[str], **letter: Any) -> int:
        if to == [owner.email]:
            raise ValueError
        return post(to=to, **letter)

    monkeypatch.setattr(keys, "post", failing)

    assert told_on(351) == 1
    monkeypatch.undo()
    assert told_on(351) == 1
