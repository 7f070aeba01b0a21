"""Every command of ours, as the role that sees one organization at a time, beside another one.

A command that forgot to say in whose organization it works would say that nothing is there. A new
command without a line in `COMMANDS` fails here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command, get_commands

from organizations.models import ApiKey, AuditEvent, Device, Membership, Organization, Owner
from tests import factories
from tests.database import serving
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import SyncRun, VppAccount

pytestmark = pytest.mark.django_db
OURS = {"organizations", "vpp_accounts", "apps_catalog", "users", "licensing"}
ELSEWHERE = {
    "migrate": "the owner's work: every test database is made by it",
    "fake_apple": "asks no database; tests/management and the demo start it",
    "seed_demo": "tests/test_demo.py runs it against a fake Apple over HTTP",
}
Command = Callable[[VppAccount, Path, FakeApple], tuple[list[str], Callable[[str], Any], Any]]
COMMANDS: dict[str, Command] = {}


def command(function: Command) -> Command:
    """Its arguments, how to look at what it did with what it printed, and what is seen then."""
    COMMANDS[function.__name__] = function
    return function


@command
def create_organization(account: VppAccount, path: Path, fake: FakeApple) -> Any:
    def look(told: str) -> Any:
        found = Organization.objects.get(name="Third")
        full = Membership.objects.filter(organization=found).values_list("admin__email", "access")
        return f"organization {found.pk}" in told, list(full)

    return ["Third", "--admin", "first@example.org"], look, (True, [("first@example.org", "full")])


@command
def list_organizations(account: VppAccount, path: Path, fake: FakeApple) -> Any:
    def look(told: str) -> Any:
        return [(each["name"], each["accounts"]) for each in json.loads(told)]

    return ["--json"], look, [("Here", 1), ("There", 1)]


@command
def suspend_organization(account: VppAccount, path: Path, fake: FakeApple) -> Any:
    organization = str(account.organization_id)
    return [organization, "--reason", "Unpaid"], lambda told: open_ones(), ["There"]


@command
def resume_organization(account: VppAccount, path: Path, fake: FakeApple) -> Any:
    organization = str(account.organization_id)
    call_command("suspend_organization", organization, "--reason", "Unpaid", stdout=StringIO())
    return [organization], lambda told: open_ones(), ["Here", "There"]


def open_ones() -> list[str]:
    return list(Organization.objects.open().order_by("pk").values_list("name", flat=True))


@command
def add_admin(account: VppAccount, path: Path, fake: FakeApple) -> Any:
    def look(told: str) -> Any:
        members = Membership.objects.filter(admin__email="second@example.org")
        return list(members.values_list("organization__name", "access"))

    organization = str(account.organization_id)
    arguments = ["--organization", organization, "--email", "second@example.org"]
    return arguments, look, [("Here", "full")]


@command
def create_api_key(account: VppAccount, path: Path, fake: FakeApple) -> Any:
    admin = factories.MembershipFactory(organization=account.organization).admin

    def look(told: str) -> Any:
        key = ApiKey.objects.get(digest=ApiKey.digest_of(told.strip()))
        events = AuditEvent.objects.filter(action="api_key.created")
        return key.admin, list(events.values_list("organization__name", flat=True))

    return ["--email", admin.email], look, (admin, ["Here"])


@command
def add_vpp_account(account: VppAccount, path: Path, fake: FakeApple) -> Any:
    file = path / "token.vpptoken"
    file.write_text(fake.create_location(name="South", org_name="S", country="US").issue_token())

    def look(told: str) -> Any:
        return VppAccount.objects.values_list("name", "organization__name").get(pk=int(told))

    organization = str(account.organization_id)
    arguments = ["--organization", organization, "--name", "South", "--email", "a@example.org"]
    return [*arguments, "--token-file", str(file)], look, ("South", "Here")


@command
def sync_vpp(account: VppAccount, path: Path, fake: FakeApple) -> Any:
    def look(told: str) -> Any:
        runs = SyncRun.objects.order_by("account")
        return list(runs.values_list("organization__name", "outcome"))

    return ["--all", "--wait"], look, [("Here", "succeeded"), ("There", "succeeded")]


@command
def import_owners(account: VppAccount, path: Path, fake: FakeApple) -> Any:
    file = path / "people.csv"
    file.write_text("name,email\nAda,ada@example.org\n")

    def look(told: str) -> Any:
        return list(Owner.objects.values_list("name", "organization__name"))

    return ["--organization", str(account.organization_id), str(file)], look, [("Ada", "Here")]


@command
def import_devices(account: VppAccount, path: Path, fake: FakeApple) -> Any:
    for organization in Organization.objects.all():
        factories.NetworkFactory(organization=organization)
    file = path / "devices.csv"
    file.write_text("serial,model\nDMQ1,iPad Air\n")

    def look(told: str) -> Any:
        return list(Device.objects.values_list("serial_number", "organization__name"))

    return ["--organization", str(account.organization_id), str(file)], look, [("DMQ1", "Here")]


@command
def rotate_encryption_keys(account: VppAccount, path: Path, fake: FakeApple) -> Any:
    """The tokens of both are read back."""
    return [], lambda told: ": 2 stored" in told, True


@pytest.fixture
def account(fake: FakeApple) -> VppAccount:
    """Here; and another one there."""
    here, _ = (_account(fake, name) for name in ("Here", "There"))
    return here


def _account(fake: FakeApple, name: str) -> VppAccount:
    location = fake.create_location(name=name, org_name=name, country="US")
    account: VppAccount = factories.VppAccountFactory(
        organization__name=name, name=name, uid=location.uid, token=location.issue_token()
    )
    return account


def commands() -> list[str]:
    paths = {apps.get_app_config(label).name for label in OURS}
    return sorted(name for name, app in get_commands().items() if app in paths)


@pytest.mark.parametrize("name", [name for name in commands() if name not in ELSEWHERE])
def test_it_does_its_work_in_the_right_organization(
    name: str, account: VppAccount, tmp_path: Path, fake: FakeApple
) -> None:
    assert name in COMMANDS, f"{name}: say above how it is called, and what is to be seen then."
    arguments, look, done = COMMANDS[name](account, tmp_path, fake)
    out = StringIO()

    with serving():
        call_command(name, *arguments, stdout=out, stderr=StringIO())

    assert look(out.getvalue()) == done


def test_no_line_is_left_of_a_command_that_is_gone() -> None:
    assert sorted({*COMMANDS, *ELSEWHERE}) == commands()
