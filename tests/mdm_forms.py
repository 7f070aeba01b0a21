"""What the tests of Organization > MDM type into its windows, and the wrong files people choose."""

import base64
import json
import re

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from organizations.models import Organization
from vpp_accounts.models import VppAccount

DETAILS = {
    "name": "Example Schools",
    "email": "vpp@example.org",
    "allowed_admins": "all",
    "assignable_networks": "all",
}
WHERE = "Download the content token of the location at Apple and add that file unchanged."


def token_file(content: str | bytes, name: str = "sToken_for_North (1).vpptoken"):
    data = content.encode() if isinstance(content, str) else content
    return SimpleUploadedFile(name, data)


def token_text(**changes: object) -> str:
    content = {
        "token": "bG9jYXRpb24=",
        "expDate": "2031-05-01T10:11:12+0000",
        "orgName": "Example Schools",
    } | changes
    kept = {key: value for key, value in content.items() if value is not None}
    return base64.b64encode(json.dumps(kept).encode()).decode()


def add(client: Client, organization: Organization, **fields: object):
    return client.post(reverse("licensing:account_add", args=[organization.pk]), DETAILS | fields)


def at(name: str, account: VppAccount) -> str:
    return reverse(f"licensing:{name}", args=[account.organization_id, account.pk])


def handle_in(response) -> str:
    return re.search(r'name="token_handle" value="([^"]+)"', response.content.decode())[1]


FILES = {
    "no file": (None, "VPP service token can't be blank"),
    "an empty file": (
        b"",
        "VPP service token can't be blank: this file is empty. Download the token again.",
    ),
    "not Base64": (
        b"Hello, this is a letter!",
        f"This is not a service token: it is not Base64 text. {WHERE}",
    ),
    "not JSON": (
        base64.b64encode(b"hello there"),
        f"This is not a service token, or it is cut off: there is no JSON in it. {WHERE}",
    ),
    "no secret": (token_text(token=None), f"This service token has no “token” in it. {WHERE}"),
    "no expiry": (token_text(expDate=None), f"This service token has no “expDate” in it. {WHERE}"),
    "an enrollment token": (
        b'Content-Type: application/pkcs7-mime; name="smime.p7m"\r\n\r\nMIIB',
        "This is a server token of Automated Device Enrollment (.p7m), not a VPP service token. "
        "Download the content token under Payments and Billing > Apps and Books instead.",
    ),
    "a push certificate": (
        b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "This is a push certificate or key (.pem), not a VPP service token. "
        "Download the content token under Payments and Billing > Apps and Books instead.",
    ),
    "expired": (
        token_text(expDate="2025-03-04T10:00:00+0000"),
        "This service token expired on 4 March 2025. Download a new one at Apple and add it.",
    ),
    "too large": (
        b"A" * (64 * 1024 + 1),
        "This file is 65 kB; a service token is far below 64 kB. Choose the .vpptoken file that "
        "Apple gave you.",
    ),
}
