"""People of VPP accounts for the tests of their pages."""

from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone

from organizations.models import Organization, Owner
from tests import factories
from users.models import VppUser
from vpp_accounts.models import VppAccount


def person(
    account: VppAccount,
    name: str,
    status: str = "Associated",
    *,
    owner: Owner | None = None,
    **values: Any,
) -> VppUser:
    """An owner called so, and their record in the account."""
    email = values.pop("email", f"{name.lower()}@example.org")
    owner = owner or factories.OwnerFactory(
        organization=account.organization,
        name=name,
        email=email,
        username=values.pop("username", ""),
        missing_since=values.pop("missing_since", None),
    )
    user: VppUser = factories.VppUserFactory(
        account=account, owner=owner, name=name, email=email, apple_status=status, **values
    )
    return user


def list_url(organization: Organization, query: str = "") -> str:
    return f"{reverse('licensing:user_list', args=[organization.pk])}?{query}"


def days_ago(number: float) -> datetime:
    return timezone.now() - timedelta(days=number)
