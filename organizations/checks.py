"""What `manage.py check` says of an installation beside Django's own: see docs/security.md.

With `--deploy` whatever would make a production installation unsafe; with `--database default` also
what the role may do as which web and workers sign in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core import checks
from django.db import connections

SOURCE = "docs/production.md"
POWERS = """
    SELECT rolsuper, rolbypassrls, rolcreaterole,
           (SELECT count(*) FROM pg_tables
            WHERE tableowner = current_user AND schemaname = 'public'),
           (SELECT count(*) FROM pg_auth_members WHERE member = role.oid)
    FROM pg_roles AS role WHERE rolname = current_user
"""


def connect() -> None:
    checks.register(check_settings, checks.Tags.security, deploy=True)
    checks.register(check_role, checks.Tags.database)


def check_settings(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    return [*_keys(), *_addresses(), *_demo()]


def _keys() -> Iterator[checks.CheckMessage]:
    for number, key in enumerate(settings.FIELD_ENCRYPTION_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            yield checks.Error(
                f"Key {number} of FIELD_ENCRYPTION_KEYS is no Fernet key.",
                hint=".env.example says how to make one.",
                id="vpp.E001",
            )


def _addresses() -> Iterator[checks.CheckMessage]:
    if urlsplit(settings.BASE_URL).scheme != "https":
        yield checks.Error(
            f"BASE_URL is {settings.BASE_URL}: passwords and cookies would travel in the clear.",
            hint=f"Put a proxy that ends TLS in front, as {SOURCE} says.",
            id="vpp.E002",
        )
    if any(host.startswith("*") for host in settings.ALLOWED_HOSTS):
        yield checks.Error(
            "ALLOWED_HOSTS lets any host name through.",
            hint="Leave it unset: the host of BASE_URL is enough.",
            id="vpp.E003",
        )
    if any(proxy.endswith("/0") for proxy in settings.TRUSTED_PROXIES):
        yield checks.Error(
            "TRUSTED_PROXIES trusts the whole internet: anybody could claim any address.",
            hint="Name the addresses of your proxies.",
            id="vpp.E004",
        )


def _demo() -> Iterator[checks.CheckMessage]:
    if settings.DEMO_INBOX:
        yield checks.Error(
            "The inbox of the demo shows every mail to everybody.",
            hint="Set VPP_ENVIRONMENT=production.",
            id="vpp.E005",
        )
    if settings.APPLE_VPP_CLIENT != "http":
        yield checks.Error(
            "APPLE_VPP_CLIENT is not `http`: nothing would reach Apple.", id="vpp.E006"
        )


def check_role(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """The walls between organizations hold only a role that cannot step over them."""
    if "default" not in (databases or ()):
        return []
    with connections["default"].cursor() as cursor:
        cursor.execute(POWERS)
        return list(_powers(*cursor.fetchone()))


def _powers(
    is_superuser: bool, bypasses: bool, makes_roles: bool, tables: int, roles: int
) -> Iterator[checks.CheckMessage]:
    told = {
        "is a superuser": is_superuser,
        "bypasses row-level security": bypasses,
        "may make roles": makes_roles,
        f"owns {tables:,} tables": tables,
        "is a member of other roles": roles,
    }
    if powers := [words for words, is_so in told.items() if is_so]:
        yield checks.Error(
            f"The role of DATABASE_URL {', '.join(powers)}: the walls between organizations would"
            " not hold it.",
            hint=f"{SOURCE} has the three roles and what each may do.",
            id="vpp.E007",
        )
