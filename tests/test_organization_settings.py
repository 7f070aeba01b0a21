"""Organization > Settings: its name and time zone, on the page and over REST."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from organizations.models import AuditEvent, Organization
from tests.api.conftest import client_of
from tests.conftest import signed_in
from tests.factories import MembershipFactory
from tests.reading import errors_of, text_of


def page(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/settings/"


def facts(organization: Organization) -> tuple[str, str]:
    organization.refresh_from_db()
    return organization.name, organization.time_zone


def test_name_and_time_zone_are_changed_and_recorded(
    organization: Organization, owner_client: Client
) -> None:
    told = {"name": "  Lakeside   Schools ", "time_zone": "Europe/Vienna"}

    answers = [owner_client.post(page(organization), told) for _ in range(2)]

    event = AuditEvent.objects.get(action="organization.edited")
    assert [answer.status_code for answer in answers] == [302, 302]
    assert facts(organization) == ("Lakeside Schools", "Europe/Vienna")
    assert (event.before, event.after) == (
        {"organizationName": "Example Schools", "timeZone": "UTC"},
        {"organizationName": "Lakeside Schools", "timeZone": "Europe/Vienna"},
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": " "}, "An organization needs a name."),
        ({"name": "x" * 201}, "An organization needs a name of 1 to 200 characters."),
        ({"time_zone": "Mars/Olympus"}, "“Mars/Olympus” is no time zone. Give its name"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(
    organization: Organization, owner_client: Client, changes: dict[str, str], sentence: str
) -> None:
    told = {"name": "Lakeside", "time_zone": "UTC", **changes}

    answer = owner_client.post(page(organization), told)

    (error,) = errors_of(answer)
    assert error.startswith(sentence)
    assert facts(organization) == ("Example Schools", "UTC")


def test_a_reader_looks_and_changes_nothing(
    organization: Organization, reader_client: Client
) -> None:
    looked = reader_client.get(page(organization))
    changed = reader_client.post(page(organization), {"name": "Mine", "time_zone": "UTC"})

    assert (looked.status_code, changed.status_code) == (200, 403)
    assert "aria-disabled" in looked.content.decode()
    assert "settings/delete/" not in looked.content.decode()
    assert facts(organization) == ("Example Schools", "UTC")


def test_others_do_not_find_it(organization: Organization, outsider_client: Client) -> None:
    network_admin = signed_in(MembershipFactory(organization=organization, access="none").admin)

    codes = [
        client.get(page(organization)).status_code for client in (network_admin, outsider_client)
    ]

    assert codes == [404, 404]


def test_the_page_leads_to_the_deletion(organization: Organization, owner_client: Client) -> None:
    answer = owner_client.get(page(organization))

    assert f'href="{page(organization)}delete/"' in answer.content.decode()
    assert "after 30 days all that is stored of it is gone for good" in text_of(answer)


def test_a_program_renames_it(organization: Organization, owner: Any, reader: Any) -> None:
    address = f"/organizations/{organization.pk}"
    full = client_of(owner)

    renamed = full.send("PUT", address, {"name": "Lakeside"})
    empty = full.send("PUT", address, {})
    wrong = full.send("PUT", address, {"name": "   "})
    refused = client_of(reader).send("PUT", address, {"name": "Mine"})

    assert (renamed.status_code, renamed.json()["name"]) == (200, "Lakeside")
    assert [each.status_code for each in (empty, wrong, refused)] == [200, 400, 403]
    assert facts(organization)[0] == "Lakeside"
