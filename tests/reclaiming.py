"""Licenses that could be freed, and the worker that takes them back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.test import TestCase
from django.utils import timezone

from licensing import tasks
from licensing.models import Assignment, LicensedApp, Reclaim, ReclaimRule
from organizations.models import Device, Organization
from tests import factories
from tests.draining import drain, synced
from tests.test_sync import KEYNOTE, PAGES
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

DAY = timedelta(days=1)
Found = tuple[str, str, str, str]  # title, holder, cause, state


def bought(
    fake: FakeApple, account: VppAccount, keynote: Iterable[str], pages: Iterable[str] = ()
) -> dict[str, LicensedApp]:
    """Two titles, held at Apple by these serial numbers."""
    for title, serials in ((KEYNOTE, list(keynote)), (PAGES, list(pages))):
        fake.purchase(account.uid, title, quantity=100)
        if serials:
            fake.assign(account.uid, title, serial_numbers=serials)
    return synced(account)


def rule(organization: Organization, cause: str, **fields: Any) -> ReclaimRule:
    values = {"is_enabled": True, "days": 30, "grace_days": 7} | fields
    return ReclaimRule.objects.create(organization=organization, cause=cause, **values)


def unenrolled(organization: Organization, serial: str, **fields: Any) -> Device:
    values = {"enrollment": "none", "unenrolled_at": timezone.now() - DAY} | fields
    return factories.DeviceFactory(organization=organization, serial_number=serial, **values)


def look(organization: Organization) -> None:
    """The hourly look, as the worker does it."""
    with TestCase.captureOnCommitCallbacks(execute=True):
        tasks.find_reclaims(organization_id=organization.pk)


def work(organization: Organization) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        tasks.take_back_due(organization_id=organization.pk)


def work_through(organization: Organization, account: VppAccount, fake: FakeApple) -> None:
    """Until what is due is back at Apple, and known to be."""
    work(organization)
    drain(account, fake)
    work(organization)


def reclaims(organization: Organization) -> list[Found]:
    rows = Reclaim.objects.filter(organization=organization)
    ordered = rows.order_by("licensed_app__adam_id", "holder", "pk")
    return list(ordered.values_list("licensed_app__adam_id", "holder", "cause", "state"))


def held(account: VppAccount) -> set[tuple[str, str]]:
    licenses = Assignment.objects.filter(account=account)
    return set(licenses.values_list("licensed_app__adam_id", "holder"))
