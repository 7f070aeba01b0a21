"""The first organization, and the first key."""

import re
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from organizations.models import Admin, ApiKey, AuditEvent, Membership, Organization
from tests import factories
from tests.api.conftest import ApiClient

PASSWORD = "correct horse battery staple"
OUTPUT = re.compile(
    r"organization (\d+)\nadmin (\d+)\nSet a password within 3 days, once, at:\n"
    r"http://127\.0\.0\.1:8000(/\S+)\n"
)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def set_password(client: Client, link: str) -> int:
    """Walk the link as a browser does; the status of the page where the password is typed."""
    page = client.get(link, follow=True)
    form = page.redirect_chain[-1][0] if page.redirect_chain else link
    answer = client.post(form, {"password1": PASSWORD, "password2": PASSWORD}, follow=False)
    return answer.status_code


def test_a_new_organization_has_an_admin_who_can_set_a_password(db: None) -> None:
    printed = run(
        "create_organization", "Example  Schools", "--admin", "Olga@Example.org",
        "--time-zone", "Europe/Vienna",
    )  # fmt: skip

    organization_id, admin_id, link = OUTPUT.fullmatch(printed).groups()
    organization = Organization.objects.get(pk=organization_id)
    membership = Membership.objects.get(admin_id=admin_id, organization=organization)
    assert (organization.name, organization.time_zone) == ("Example Schools", "Europe/Vienna")
    assert (membership.access, membership.admin.email) == ("full", "olga@example.org")
    assert AuditEvent.objects.get().action == "organization.created"
    assert set_password(Client(), link) == 302
    assert Admin.objects.get().check_password(PASSWORD)


def test_the_link_works_once(db: None) -> None:
    link = OUTPUT.fullmatch(run("create_organization", "A", "--admin", "a@example.org"))[3]

    set_password(Client(), link)
    set_again = set_password(Client(), link)

    assert set_again != 302


def test_the_link_expires(db: None) -> None:
    link = OUTPUT.fullmatch(run("create_organization", "A", "--admin", "a@example.org"))[3]

    with time_machine.travel(timezone.now() + timedelta(days=3, seconds=2)):
        status = set_password(Client(), link)

    assert status != 302
    assert not Admin.objects.get().has_usable_password()


def test_an_admin_who_is_known_keeps_their_password(db: None) -> None:
    admin = factories.AdminFactory(email="olga@example.org")

    printed = run("create_organization", "Second", "--admin", "OLGA@example.org")

    organization = Organization.objects.get()
    assert printed == (
        f"organization {organization.pk}\nadmin {admin.pk}\n"
        "olga@example.org keeps the password that is set already.\n"
    )
    assert admin.memberships.get().organization == organization


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("  ", "--admin", "a@example.org"),
            "An organization needs a name of 1 to 200 characters.",
        ),
        (("A", "--admin", "nonsense"), "“nonsense” is not an e-mail address."),
        (
            ("A", "--admin", "a@example.org", "--time-zone", "Mars"),
            "“Mars” is no time zone. Give its name, for example Europe/Vienna.",
        ),
    ],
)
def test_bad_input_makes_nothing(db: None, arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(CommandError) as refused:
        run("create_organization", *arguments)

    assert str(refused.value) == sentence
    assert (Organization.objects.count(), Admin.objects.count()) == (0, 0)


def test_a_key_is_printed_once_and_works(owner: Admin) -> None:
    text = run("create_api_key", "--email", "OWNER@example.org", "--name", "Nightly").strip()

    key = ApiKey.objects.get()
    answer = ApiClient(headers={"Authorization": f"Bearer {text}"}).get("/organizations")
    assert (key.admin, key.name, key.read_only) == (owner, "Nightly", False)
    assert text not in str(vars(key))
    assert answer.status_code == 200
    assert AuditEvent.objects.get().action == "api_key.created"


def test_a_read_only_key_is_marked(owner: Admin) -> None:
    run("create_api_key", "--email", "owner@example.org", "--read-only")

    assert ApiKey.objects.get().read_only


def test_a_key_for_nobody_is_refused(db: None) -> None:
    with pytest.raises(CommandError) as refused:
        run("create_api_key", "--email", "nobody@example.org")

    assert "No active admin has the e-mail address nobody@example.org." in str(refused.value)
