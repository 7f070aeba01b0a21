"""Pausing automatic licensing of an organization, on VPP > Settings."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from licensing.models import Automation, AutomationChange
from organizations.models import Admin, AuditEvent, Organization

pytestmark = pytest.mark.django_db
PAUSE, RESUME = "licensing:automation_pause", "licensing:automation_resume"


def url(name: str, organization: Organization) -> str:
    return reverse(name, args=[organization.pk])


def text_of(client: Client, organization: Organization) -> str:
    return " ".join(client.get(url("licensing:settings", organization)).content.decode().split())


def test_a_full_admin_pauses_and_resumes(
    owner: Admin, owner_client: Client, organization: Organization
) -> None:
    owner_client.post(url(PAUSE, organization))
    paused = (Automation.objects.get().paused_by, text_of(owner_client, organization))
    owner_client.post(url(RESUME, organization))

    assert paused[0] == owner.email
    assert f"Paused by {owner.email} since" in paused[1]
    assert "Resume automatic licensing" in paused[1]
    assert Automation.objects.get().paused_at is None
    assert "Pause automatic licensing" in text_of(owner_client, organization)
    causes = AutomationChange.objects.order_by("pk").values_list("cause", flat=True)
    assert list(causes) == ["paused", "resumed"]


def test_pausing_twice_is_one_event(owner_client: Client, organization: Organization) -> None:
    for _ in range(2):
        owner_client.post(url(PAUSE, organization))

    assert AuditEvent.objects.filter(action="automation.paused").count() == 1


def test_a_reader_sees_it_and_cannot_change_it(
    reader_client: Client, organization: Organization
) -> None:
    answers = [reader_client.post(url(name, organization)).status_code for name in (PAUSE, RESUME)]

    assert answers == [403, 403]
    assert 'aria-disabled="true"' in text_of(reader_client, organization)
    assert not Automation.objects.exists()


def test_an_outsider_finds_nothing(outsider_client: Client, organization: Organization) -> None:
    answers = [
        outsider_client.post(url(name, organization)).status_code for name in (PAUSE, RESUME)
    ]

    assert answers == [404, 404]
