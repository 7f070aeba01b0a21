"""The profile with which devices enroll, as a template: it is not signed, and its SCEP values are
those of whoever runs the certificate authority (device-channel reference 1.5).
"""

from __future__ import annotations

import plistlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from django.utils.text import slugify

from apps_catalog.channels import addresses

PROFILE = "application/x-apple-aspen-config"
ALL_RIGHTS = 8191
# Without the first, a Mac has no channel of its user, and a Shared iPad none at all.
CAPABILITIES = ("com.apple.mdm.per-user-connections", "com.apple.mdm.bootstraptoken")
KEY_BITS = 2048
SIGN_AND_ENCRYPT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileDetails:
    """`network_id` stands in the server's address, and the server repeats it to us."""

    organization: str
    network: str
    network_id: int
    server_url: str
    topic: str
    scep_url: str
    scep_name: str = ""
    scep_challenge: str = field(default="", repr=False)


def problem_of_server(url: str) -> str:
    """Devices accept no other than https."""
    is_fit = url.startswith("https://") and not addresses.problem_of(url)
    return "" if is_fit else "Devices enroll over https only. Enter such an address."


def problem_of_scep(url: str) -> str:
    is_fit = url.startswith(("https://", "http://"))
    return "" if is_fit else "Enter an address that begins with https:// or http://."


def proposed_server(base_url: str) -> str:
    """Where devices probably find the server whose API has this address."""
    origin = addresses.origin(base_url)
    return f"{origin.removesuffix(':443')}/mdm" if origin else ""


def file_name(network_name: str, network_id: int) -> str:
    return f"enroll-{slugify(network_name) or network_id}.mobileconfig"


def enrollment_profile(details: ProfileDetails) -> bytes:
    """The same details make the same profile: installed again, it replaces itself."""
    scep = _scep(details)
    return plistlib.dumps(
        {
            **_payload("Configuration", details, ""),
            "PayloadDisplayName": f"Device management of {details.organization}",
            "PayloadDescription": f"Enrolls this device in {details.network}.",
            "PayloadOrganization": details.organization,
            "PayloadScope": "System",
            "PayloadContent": [scep, _mdm(details, scep["PayloadUUID"])],
        }
    )


def _scep(details: ProfileDetails) -> dict[str, Any]:
    content: dict[str, Any] = {
        "URL": details.scep_url,
        "Key Type": "RSA",
        "Keysize": KEY_BITS,
        "Key Usage": SIGN_AND_ENCRYPT,
        "Subject": [[["O", details.organization]], [["CN", "MDM identity %HardwareUUID%"]]],
    }
    if details.scep_name:
        content["Name"] = details.scep_name
    if details.scep_challenge:
        content["Challenge"] = details.scep_challenge
    return {**_payload("com.apple.security.scep", details, "scep"), "PayloadContent": content}


def _mdm(details: ProfileDetails, identity: str) -> dict[str, Any]:
    query = urlencode({"network": details.network_id})
    return {
        **_payload("com.apple.mdm", details, "mdm"),
        "ServerURL": f"{details.server_url}?{query}",
        "Topic": details.topic,
        "IdentityCertificateUUID": identity,
        "SignMessage": True,
        "AccessRights": ALL_RIGHTS,
        "CheckOutWhenRemoved": True,
        "ServerCapabilities": list(CAPABILITIES),
    }


def _payload(kind: str, details: ProfileDetails, part: str) -> dict[str, Any]:
    host = urlsplit(settings.BASE_URL).hostname or "localhost"
    name = ".".join(filter(None, (host, "enrollment", str(details.network_id), part)))
    uuid: UUID = uuid5(NAMESPACE_URL, f"{name} {details.server_url}")
    return {
        "PayloadType": kind,
        "PayloadVersion": 1,
        "PayloadIdentifier": name,
        "PayloadUUID": str(uuid).upper(),
    }
