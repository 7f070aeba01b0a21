"""What programs are told about the demo, and what it remembers of its last start: one JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings

from licensing.demo.blueprint import AdminPlan
from licensing.demo.refusals import START_ANEW, CannotSeed
from licensing.demo.tenant import PASSWORD
from organizations import tenancy
from organizations.models import Admin, ApiKey, Network, Organization
from vpp_accounts.models import VppAccount

KEY_NAME = "Demo"

Facts = dict[str, Any]


def read_facts(path: Path) -> Facts:
    """Those of the last start; none when there was no last start that came to its end."""
    try:
        facts = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def write_facts(path: Path, facts: Facts) -> None:
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps(facts, indent=2) + "\n")
    beside.replace(path)


def facts_of_tenant(organization: Organization) -> Facts:
    with tenancy.inside(organization.pk):
        networks = list(Network.objects.filter(organization=organization).order_by("pk"))
    return {
        "organization_id": str(organization.pk),
        "network_ids": [str(network.pk) for network in networks],
    }


def ids_of_accounts(organization: Organization) -> list[str]:
    with tenancy.inside(organization.pk):
        accounts = list(VppAccount.objects.filter(organization=organization).order_by("pk"))
    return [str(account.pk) for account in accounts]


def facts_of_admin(plan: AdminPlan, before: Facts, *, read_only_key: bool = False) -> Facts:
    """How to be this admin. A key's text is known from its making only, so the last one is kept."""
    admin = Admin.objects.filter(email=plan.email, is_active=True).first()
    if admin is None:
        raise CannotSeed(f"The admin {plan.email} of the demo is gone. {START_ANEW}")
    text = before.get("api_key", "")
    digest = ApiKey.digest_of(text) if isinstance(text, str) else ""
    if not ApiKey.objects.usable().filter(admin=admin, digest=digest).exists():
        text = _new_key(admin, read_only=read_only_key)
    return {"email": plan.email, "password": PASSWORD, "api_key": text}


def facts_of_addresses(apple_url: str) -> Facts:
    return {
        "url": f"{settings.BASE_URL}/",
        "api_base_url": f"{settings.BASE_URL}/api/v1",
        "apple_url": apple_url,
    }


def _new_key(admin: Admin, *, read_only: bool) -> str:
    """Instead of those whose text nobody knows any more."""
    ApiKey.objects.filter(admin=admin, name=KEY_NAME).delete()
    _, text = ApiKey.objects.all().issue(admin=admin, name=KEY_NAME, read_only=read_only)
    return text
