"""Random passwords and keys of the embedded servers and the demo."""

import base64
import json
import os
import secrets
from pathlib import Path

from tools.state import read_json, write_atomically

ROLES = ("postgres", "vpp_owner", "vpp_app", "vpp_system")


def new_credentials() -> dict[str, str]:
    passwords = {name: secrets.token_urlsafe(24) for name in (*ROLES, "valkey")}
    return passwords | {
        "SECRET_KEY": secrets.token_urlsafe(50),
        # a Fernet key
        "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
    }


def kept_credentials(path: Path) -> dict[str, str]:
    """Those of an earlier start, or new ones, in a file that only we can read."""
    kept = read_json(path)
    if not kept:
        kept = new_credentials()
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(kept, indent=2), mode=0o600)
    return kept
