"""What every answer tells browsers, as in production: headers, cookies, redirects, errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.checks import Error
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from organizations import checks
from organizations.models import Admin, Organization
from tests import factories
from tests.database import serving
from tests.sweep.addresses import ARGUMENT, Address, addresses
from tools import paths
from tools.variables import for_production_checks
from vpp_accounts.models import VppAccount
from vpp_dashboard import health
from vpp_dashboard.headers import PERMISSIONS

POLICY = {
    "base-uri 'none'",
    "default-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "img-src 'self' data: https://*.mzstatic.com",
    "object-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
}
ALWAYS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS,
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
    "X-Content-Type-Options": "nosniff",
}
# A mail inside of a page: shown without scripts, forms or anything of ours.
FRAMED = {"users:invitation_preview", "demo_mail_html"}
# Whose addresses open something: they are told to nobody at all.
SILENT = {"users:invitation", "users:invitation_ask", "users:invitation_go"}
IMPORTED = """
import json, django
from django.conf import settings
names = [name for name in dir(settings) if name.split("_")[0] in ("SECURE", "SESSION", "CSRF")]
told = {name: getattr(settings, name) for name in [*names, "X_FRAME_OPTIONS"]}
print(json.dumps(told, default=str))
"""


@pytest.fixture(scope="module")
def production_settings() -> dict[str, Any]:
    """What the product's own settings become where BASE_URL is https."""
    env = (
        os.environ | for_production_checks() | {"DJANGO_SETTINGS_MODULE": "vpp_dashboard.settings"}
    )
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED],
        env=env,
        cwd=paths.ROOT,
        capture_output=True,
        check=True,
        timeout=60,
    )
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


@pytest.fixture
def production(settings: Any, production_settings: dict[str, Any]) -> None:
    for name, value in production_settings.items():
        setattr(settings, name, value)


def over_https(admin: Admin | None = None) -> Client:
    client = Client(raise_request_exception=False)
    if admin:
        client.force_login(admin)
    return client


# --- Headers ----------------------------------------------------------------------------------------

SOME = {"str": "some", "slug": "some", "path": "some", "adam": "361309726", "pricing": "STDQ"}


def filled(address: Address, rows: dict[str, object]) -> str:
    """Rows that exist where the name tells of which; else something that fits."""
    if "(?" in address.pattern:
        return {"account_reset_password_from_key": "/accounts/password/reset/key/1-some-key/"}.get(
            address.name, "/api/nothing/here"
        )

    def fill(match: Any) -> str:
        kind = match[0].strip("<>").partition(":")[0]
        if kind == "uuid":
            return "00000000-0000-4000-8000-000000000000"
        return str(rows.get(match[1], SOME.get(kind, 1)))

    return "/" + ARGUMENT.sub(fill, address.pattern)


def wrong_with(response: HttpResponse, name: str = "") -> list[str]:
    """What is missing of an answer, in words."""
    always = ALWAYS | ({"Referrer-Policy": "no-referrer"} if name in SILENT else {})
    wrong = [
        f"{header}: {response.headers.get(header)}"
        for header, value in always.items()
        if response.headers.get(header) != value
    ]
    policy = set(response.headers.get("Content-Security-Policy", "").split("; "))
    if name in FRAMED and response.status_code == 200:
        wrong += [] if {"default-src 'none'", "sandbox"} <= policy else [str(policy)]
    else:
        frame = response.headers.get("X-Frame-Options")
        wrong += [] if frame == "DENY" else [f"X-Frame-Options: {frame}"]
        wrong += [] if policy == POLICY else [f"policy: {sorted(policy ^ POLICY)}"]
    if name != "users:invitation_logo" and "no-store" not in response.headers["Cache-Control"]:
        wrong.append(f"Cache-Control: {response.headers['Cache-Control']}")
    return wrong


def test_every_address_answers_with_every_header(
    production: None, owner: Admin, organization: Organization, account: VppAccount
) -> None:
    """Whatever it answers: a page, a redirect, JSON, an error."""
    owner_client, nobody = over_https(owner), over_https()
    rows = {"organization_id": organization.pk, "account_id": account.pk}
    wrong, statuses, broken = {}, set(), set()

    for address in addresses():
        url = filled(address, rows | {"organizationId": organization.pk})
        for client in (owner_client, nobody):
            response = client.get(url, secure=True)
            statuses.add(response.status_code)
            broken |= {address.name} if response.status_code >= 500 else set()
            if found := wrong_with(response, address.name):
                wrong[address.name, response.status_code] = found

    assert wrong == {}
    assert {200, 302, 401, 404, 405} <= statuses
    assert broken - {"health_ready"} == set()  # no broker here


def test_errors_have_them_too_and_tell_nothing(
    production: None, owner: Admin, organization: Organization, reader: Admin, monkeypatch
) -> None:
    def breaks() -> bool:
        raise RuntimeError("the inside of the program")

    monkeypatch.setattr(health, "_database_answers", breaks)
    client = over_https(owner)
    add = reverse("organizations:network_add", args=[organization.pk])

    answers = {
        500: client.get("/health/ready", secure=True),
        404: client.get("/nothing/here", secure=True),
        403: over_https(reader).get(add, secure=True),
        301: client.get("/"),
    }

    assert {status: answer.status_code for status, answer in answers.items()} == {
        status: status for status in answers
    }
    assert {status: wrong_with(answers[status]) for status in (500, 404, 403)} == {
        500: [],
        404: [],
        403: [],
    }
    assert answers[301]["Location"] == "https://testserver/"
    told = answers[500].content.decode()
    assert "Something broke on our side" in told
    assert [
        word for word in ("inside of the program", "RuntimeError", "Traceback") if word in told
    ] == []


def test_a_form_of_another_page_is_refused_with_every_header(
    production: None, owner: Admin
) -> None:
    client = Client(enforce_csrf_checks=True)

    answer = client.post("/accounts/login/", {"login": owner.email, "password": "x"}, secure=True)

    assert (answer.status_code, wrong_with(answer)) == (403, [])


def test_files_say_what_they_are_and_nothing_else_of_the_machine(production: None) -> None:
    answer = over_https().get("/static/js/app.js", secure=True)
    answer.close()

    assert answer.status_code == 200
    assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS


# --- Cookies ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_cookies_are_for_this_host_and_for_https_only(production: None, settings: Any) -> None:
    admin = factories.AdminFactory()
    factories.MembershipFactory(admin=admin)
    client = over_https()
    client.get("/accounts/login/", secure=True)

    answer = client.post(
        "/accounts/login/",
        {"login": admin.email, "password": "a long enough password"},
        secure=True,
    )

    assert answer.status_code == 302
    flags = {
        name: (
            morsel["secure"],
            morsel["httponly"],
            morsel["samesite"],
            morsel["path"],
            morsel["domain"],
        )
        for name, morsel in client.cookies.items()
    }
    assert {"__Host-sessionid", "__Host-csrftoken"} <= set(flags)
    assert set(flags.values()) == {(True, True, "Lax", "/", "")}


# --- Redirects --------------------------------------------------------------------------------------

ELSEWHERE = (
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "https:evil.example",
    "javascript:alert(1)",
    "\t//evil.example",
)


@pytest.mark.parametrize("place", ELSEWHERE)
def test_nobody_is_sent_elsewhere(
    place: str, owner: Admin, organization: Organization, account: VppAccount
) -> None:
    """Every address that goes on to where it was told to."""
    client = over_https(owner)
    ours = [organization.pk]
    posts = {
        reverse("account_login"): {"login": owner.email, "password": "x", "next": place},
        reverse("account_reauthenticate"): {"password": "a long enough password", "next": place},
        reverse("licensing:account_sync", args=[*ours, account.pk]): {"next": place},
        reverse("licensing:foreign_changes_seen", args=ours): {"next": place},
        reverse("organizations:network_choose", args=ours): {"next": place},
        reverse("account_logout"): {"next": place},
    }

    answers = [client.post(f"{url}", data) for url, data in posts.items()]
    answers += [client.get(reverse("account_login"), {"next": place})]

    gone = [answer["Location"] for answer in answers if answer.status_code in (301, 302)]
    assert len(gone) >= 4
    assert [url for url in gone if not url.startswith("/") or url[:2] in ("//", "/\\")] == []


# --- manage.py check --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "id"),
    [
        ("FIELD_ENCRYPTION_KEYS", ["no key"], "vpp.E001"),
        ("BASE_URL", "http://vpp.example.com", "vpp.E002"),
        ("ALLOWED_HOSTS", ["*"], "vpp.E003"),
        ("TRUSTED_PROXIES", ["0.0.0.0/0"], "vpp.E004"),
        ("DEMO_INBOX", True, "vpp.E005"),
        ("APPLE_VPP_CLIENT", "fake", "vpp.E006"),
    ],
)
def test_an_unsafe_installation_is_told_so(settings: Any, name: str, value: Any, id: str) -> None:
    settings.BASE_URL, settings.ALLOWED_HOSTS = "https://vpp.example.com", ["vpp.example.com"]
    settings.APPLE_VPP_CLIENT = "http"
    safe = checks.check_settings(None)
    setattr(settings, name, value)

    told = checks.check_settings(None)

    assert (safe, [message.id for message in told]) == ([], [id])


def test_a_role_that_the_walls_do_not_hold_is_told(db: None) -> None:
    with_powers: list[Error] = checks.check_role(None, databases=["default"])  # a test's own role
    unasked = checks.check_role(None, databases=["system"])

    assert [
        (message.id, "bypasses row-level security" in message.msg) for message in with_powers
    ] == [("vpp.E007", True)]
    assert unasked == []


def test_the_role_of_web_and_workers_passes(db: None) -> None:
    with serving():
        assert checks.check_role(None, databases=["default"]) == []
