"""Values of one organization in what another one is told: exports, searches, refusals, mails."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.apps import apps
from django.core import mail as django_mail
from django.db import connection
from django.test import TestCase

from organizations.tasks import send_mail
from tests.sweep import knocking
from tests.sweep.addresses import Address, addresses
from tests.sweep.conftest import World
from tests.sweep.knocking import Answer, Knocker, seen_in
from tests.sweep.table import LICENSES, ORGANIZATION_PAGES
from tests.sweep.tables import strangers_in
from tests.sweep.tenant import SECRET, Tenant

pytestmark = pytest.mark.django_db
PAGES = [
    address
    for address in addresses()
    if (ORGANIZATION_PAGES | LICENSES).get(address.name) and not address.is_rest
]
EXPORTS = 9  # lists that can be had as a file
CSRF_TOKEN = re.compile("[A-Za-z0-9]{64}")


def stranger(world: World, *, with_key: bool = False) -> Knocker:
    """A full admin elsewhere, asking for rows of their own."""
    who = (world.program if with_key else world.browser)(knocking.OUTSIDER)
    return replace(who, rows=world.elsewhere.rows)


def phrases(tenant: Tenant) -> list[str]:
    """What this organization calls things, in words that nobody sends by chance."""
    names = [f"{tenant.mark} {each}" for each in ("schools", "full", "reader", "annexe")]
    return [*names, tenant.inner, *tenant.values]


# --- Lists ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_file_holds_rows_of_ones_own_organization_alone(kind: str, world: World) -> None:
    files: list[str] = []
    told: list[str] = []

    for address in PAGES:
        for who in (stranger(world), world.browser(knocking.APART)):
            answer = who.ask("GET", f"{address.url(who.rows)}?format={kind}")
            told += [f"{address} to {who}: {leak}" for leak in leaks(answer, who, world)]
            if f'.{kind}"' in answer.headers:
                files.append(answer.body)

    assert told == []
    assert len(files) >= (EXPORTS if kind == "csv" else 1)
    assert any(world.elsewhere.mark in each.lower() for each in files)


@pytest.mark.parametrize("address", PAGES, ids=str)
def test_a_search_finds_nothing_of_others(address: Address, world: World) -> None:
    """For the beginning of what is theirs: whatever shows the whole word has found it."""
    who = stranger(world)
    beginning = world.ours.mark[:-1]

    answers = [
        who.ask("GET", f"{address.url(who.rows)}?{name}={beginning}")
        for name in ("search", "q", "holder")
    ]

    assert [leaks(answer, who, world) for answer in answers] == [[], [], []]


def test_the_choice_of_organizations_offers_ones_own(world: World) -> None:
    found = stranger(world).ask("GET", "/organizations/search?q=schools")

    assert world.elsewhere.mark in found.body
    assert world.ours.mark not in found.body


def leaks(answer: Answer, who: Knocker, world: World) -> list[str]:
    return seen_in(answer, (*who.hidden, *world.ours.secrets, *world.elsewhere.secrets))


# --- What is refused because it is somebody else's ------------------------------------------------

Sent = Callable[[World], tuple[str, str, dict[str, Any]]]
DETAILS = {"name": "Mine", "email": "mine@example.org", "allowed_admins": "all"}
DETAILS |= {"assignable_networks": "all"}


def page(path: str, **sent: Any) -> Sent:
    def build(world: World) -> tuple[str, str, dict[str, Any]]:
        own = f"/organizations/{world.elsewhere.organization.pk}/"
        return "POST", own + path.format(**world.elsewhere.rows), filled(sent, world.ours)

    return build


def rest(method: str, path: str, **sent: Any) -> Sent:
    def build(world: World) -> tuple[str, str, dict[str, Any]]:
        return method, "/api/v1" + path.format(**world.elsewhere.rows), filled(sent, world.ours)

    return build


def filled(sent: Any, ours: Tenant) -> Any:
    """With the values of the other organization where they are named."""
    if isinstance(sent, dict):
        return {name: filled(value, ours) for name, value in sent.items()}
    if isinstance(sent, list):
        return [filled(value, ours) for value in sent]
    return sent(ours) if callable(sent) else sent


def token(ours: Tenant) -> str:
    return ours.token


def email(ours: Tenant) -> str:
    return ours.admins["full"].email


def row(name: str) -> Callable[[Tenant], Any]:
    return lambda ours: ours.rows[name]


ACCOUNT = "/organizations/{organization_id}/sm/vppAccounts/{account_id}"
TRIES = {
    "a token whose location they use": page(
        "mdm/accounts/add/", token_text=token, **DETAILS, assignable_network_list=[]
    ),
    "a token for my account": page("mdm/accounts/{account_id}/renew/", token_text=token),
    "a look at a token": page("mdm/accounts/token-preview/", token_text=token),
    "their admin for my account": page(
        "mdm/accounts/{account_id}/edit/",
        **DETAILS | {"allowed_admins": "named"},
        named_admins=[lambda ours: ours.admins["full"].pk],
    ),
    "their network for my account": page(
        "mdm/accounts/{account_id}/edit/",
        **DETAILS | {"assignable_networks": "some"},
        assignable_network_list=[row("network_id")],
    ),
    "their admin as mine": page("admins/add/", email=email, access="full"),
    "their person as an owner": page(
        "configure/owners/add/", name="Mine", email=lambda ours: f"person@{ours.inner}.example"
    ),
    "their person of an owner of mine": page(
        "manage/vpp/users/{user_id}/link/", owner=row("owner_id")
    ),
    "merging with their person": page(
        "configure/owners/{owner_id}/merge/", other=row("owner_id"), confirmed="on"
    ),
    "choosing their network": page("networks/choose/", network=row("network_id")),
    "their titles in a batch": page(
        "manage/vpp/users/", action="grant", titles=row("adam_id"), user=[row("user_id")]
    ),
    "their admin at my provider": page(
        "sign-in/providers/{provider_id}/reset/",
        admin=lambda ours: ours.admins["full"].pk,
    ),
    "their key": page("admins/{own_membership_id}/keys/{key_id}/revoke/"),
    "a token over REST": rest(
        "POST",
        "/organizations/{organization_id}/sm/vppAccounts",
        name="Mine",
        email="mine@example.org",
        contentToken=token,
    ),
    "a renewal over REST": rest(
        "POST", f"{ACCOUNT}/renew", name="Mine", email="mine@example.org", contentToken=token
    ),
    "their admins over REST": rest(
        "PUT", ACCOUNT, allowedAdmins={"type": "named", "ids": [row("admin_id")]}
    ),
    "their titles over REST": rest(
        "POST",
        f"{ACCOUNT}/batches",
        kind="grant",
        assets=[{"adamId": row("adam_id"), "pricingParam": "STDQ"}],
        serialNumbers=[row("holder")],
        userIds=[lambda ours: str(ours.rows["user_id"])],
        dryRun=True,
    ),
    "their plan": rest("POST", f"{ACCOUNT}/batches", planId=lambda ours: str(ours.rows["plan_id"])),
    "their person over REST": rest(
        "POST", f"{ACCOUNT}/users", ownerId=lambda ours: str(ours.rows["owner_id"])
    ),
    "inviting their people": rest(
        "POST", f"{ACCOUNT}/users/invite", userIds=[lambda ours: str(ours.rows["user_id"])]
    ),
    "their person in a merge over REST": rest(
        "POST",
        "/organizations/{organization_id}/sm/owners/{owner_id}/merge",
        fromOwnerId=lambda ours: str(ours.rows["owner_id"]),
        dryRun=True,
    ),
    "a test mail of their account": rest(
        "POST",
        "/organizations/{organization_id}/sm/invitationSettings/testMail",
        vppAccountId=lambda ours: str(ours.rows["account_id"]),
    ),
    "their admin over REST": rest(
        "POST",
        "/organizations/{organization_id}/admins",
        email=email,
        name="Mine",
        orgAccess="none",
        networks=[{"id": lambda ours: str(ours.rows["network_id"]), "access": "full"}],
    ),
    "a key for their organization": rest(
        "POST",
        "/administered/identities/me/api/keys/generate",
        name="Theirs",
        organizationId=lambda ours: str(ours.organization.pk),
    ),
}


@pytest.mark.parametrize("what", TRIES)
def test_who_tries_with_values_of_others_learns_nothing_of_them(what: str, world: World) -> None:
    """Neither from the answer, nor from the log, nor from the rows and mails that it leaves."""
    send_mail()
    django_mail.outbox.clear()  # what waited before
    method, url, sent = TRIES[what](world)
    who = stranger(world, with_key=url.startswith("/api/"))
    secrets = [text for text in world.ours.secrets if text not in sent.values()]

    with TestCase.captureOnCommitCallbacks(execute=True):
        answer = who.ask(method, url, sent)
    send_mail()

    asked = f"{url} {sent}".lower()
    theirs = [word for word in phrases(world.ours) if word.lower() not in asked]
    assert answer.verdict in (knocking.IN, knocking.NOT_FOUND), answer.body
    assert seen_in(answer, [*theirs, *secrets]) == []
    assert strangers_in(world.elsewhere.organization.pk, theirs) == []
    assert [each.subject for each in django_mail.outbox if is_about(each, theirs)] == []


def is_about(mail: Any, words: list[str]) -> bool:
    text = str(mail.message()).lower()
    return any(word.lower() in text for word in words)


SAME = {
    "inviting": ("/organizations/{}/admins/add/", {"email": "{}", "access": "full"}),
    "signing in": ("/accounts/login/", {"login": "{}", "password": "not the right one"}),
    "a new password": ("/accounts/password/reset/", {"email": "{}"}),
    "single sign-on": ("/accounts/sso/", {"email": "{}"}),
}


@pytest.mark.parametrize("what", SAME)
def test_whether_an_address_is_known_cannot_be_told(what: str, world: World) -> None:
    path, sent = SAME[what]
    url = path.format(world.elsewhere.organization.pk)
    who = stranger(world) if "{}" in path else world.browser(knocking.NOBODY)
    unknown = "nobody@unknown.example"

    answers = [
        who.ask("POST", url, {name: each.format(address) for name, each in sent.items()})
        for address in (world.ours.admins["full"].email, unknown)
    ]

    bodies = [
        CSRF_TOKEN.sub("", answer.body).replace(address, "…")
        for answer, address in zip(answers, (world.ours.admins["full"].email, unknown), strict=True)
    ]
    assert bodies[0] == bodies[1]
    assert answers[0].status == answers[1].status


# --- Secrets --------------------------------------------------------------------------------------


def test_no_table_holds_a_secret_in_plain_text(world: World) -> None:
    """What is only compared is stored as a digest; what has to be read again is encrypted."""
    tables = [model._meta.db_table for model in apps.get_models()]
    plain = [each for each in world.ours.secrets if each not in world.ours.digests]
    parts = [
        f"SELECT '{table}' FROM {table} t WHERE strpos(to_jsonb(t)::text, %s) > 0"
        for table in tables
    ]

    with connection.cursor() as cursor:
        found = []
        for text in plain:
            cursor.execute(" UNION ".join(parts), [text] * len(parts))
            found += [(table, text[:9]) for (table,) in cursor.fetchall()]

    assert SECRET in plain
    assert found == []
