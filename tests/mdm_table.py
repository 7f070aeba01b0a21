"""The table on Organization > MDM as the tests read it."""

import re

from django.test import Client
from django.urls import reverse

from organizations.models import Organization
from tests.reading import words
from vpp_accounts.models import SyncRun, VppAccount


def page_of(organization: Organization) -> str:
    return reverse("licensing:mdm", args=[organization.pk])


def row_of(account: VppAccount, run: SyncRun | None = None) -> str:
    url = reverse("licensing:account_row", args=[account.organization_id, account.pk])
    return f"{url}?run={run.pk}" if run else url


def cells_of(client: Client, account: VppAccount) -> dict[str, str]:
    """The account's row as a person reads it, by column."""
    page = client.get(row_of(account)).content.decode()
    found = re.findall(r'<td data-label="([^"]+)"[^>]*>(.*?)</td>', page, re.DOTALL)
    return {label: words(cell) for label, cell in found}
