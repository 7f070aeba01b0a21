"""What the tests of single sign-on have in common: providers set up, and a browser's way through."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urlsplit

import requests
from django.http import HttpResponse
from django.test import Client

from organizations.models import IdentityProvider, Organization
from tests.oidc_provider import SECRET, OidcProvider
from tests.reading import text_of


def oidc_row(organization: Organization, provider: OidcProvider, **fields: Any) -> IdentityProvider:
    row = IdentityProvider(
        organization=organization,
        kind="oidc",
        name="Directory",
        issuer=provider.issuer,
        client_id=provider.client_id,
        **fields,
    )
    row.client_secret = provider.client_secret
    row.save()
    return row


def oidc_form(provider: OidcProvider, **changes: str) -> dict[str, str]:
    return {
        "name": "Directory",
        "issuer": provider.issuer,
        "client_id": "vpp-dashboard",
        "client_secret": SECRET,
        "email_domains": "Example.org, @example.edu",
        "is_enabled": "on",
    } | changes


def begin(client: Client, row: IdentityProvider, **data: str) -> str:
    """Press the button at the organization's sign-in address; the address to which one is sent."""
    return sent_to(client.post(f"/accounts/sso/{row.uuid}/", data))


def sent_to(answer: HttpResponse) -> str:
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.content.decode())
    assert found, text_of(answer)
    return html.unescape(found[1])


def way_back(url: str) -> str:
    """What the provider's page answers the browser: our path, with the query."""
    answer = requests.get(url, allow_redirects=False, timeout=5)
    place = urlsplit(answer.headers["Location"])
    return f"{place.path}?{place.query}"


def sign_in(client: Client, row: IdentityProvider, **data: str) -> HttpResponse:
    """All the way through an OpenID provider."""
    return client.get(way_back(begin(client, row, **data)))


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def failed_check(answer: HttpResponse) -> str:
    found = re.search(r"<code>(\w+)</code>", answer.content.decode())
    return found[1] if found and answer.status_code == 403 else f"HTTP {answer.status_code}"
