"""What is sent, and how it is signed: as https://www.standardwebhooks.com has it.

`webhook-id` is the event's and the same in every attempt; `webhook-timestamp` is the attempt's.
`webhook-signature` is `v1,` and the Base64 of the HMAC-SHA256 of `id.timestamp.body`; after a rotation
there are two of them, divided by a space.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Any

import orjson

from organizations.models import Webhook, WebhookEvent

FORMAT = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS
PREFIX = "whsec_"
AGENT = "VPP-Dashboard-Webhooks/1"


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def envelope(event: WebhookEvent) -> dict[str, Any]:
    return {
        "id": event.wire_id,
        "type": event.kind,
        "timestamp": event.at,
        "organizationId": str(event.organization_id),
        "data": event.payload,
    }


def body_of(event: WebhookEvent) -> bytes:
    """The same bytes in every attempt."""
    return orjson.dumps(envelope(event), option=FORMAT)


def headers_of(webhook: Webhook, event: WebhookEvent, body: bytes, now: datetime) -> dict[str, str]:
    seconds = int(now.timestamp())
    signatures = [signature(key, event.wire_id, seconds, body) for key in keys_of(webhook)]
    return {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "webhook-id": event.wire_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(signatures),
    }


def keys_of(webhook: Webhook) -> list[str]:
    """The secrets that sign now."""
    previous = [webhook.previous_secret] if webhook.previous_is_valid else []
    return [webhook.secret, *previous]


def signature(secret: str, event_id: str, seconds: int, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{event_id}.{seconds}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
