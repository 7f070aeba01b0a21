"""The environment variables that the product's own programs get from us."""

import os
from pathlib import Path

from tools import paths


def for_programs(variables: dict[str, str]) -> dict[str, str]:
    """Ours, the servers' and the person's own; PYTHONUNBUFFERED so that output comes at once."""
    return os.environ | {"PYTHONUNBUFFERED": "1"} | variables


def for_demo(*, port: int, apple_port: int, var: Path | None = None) -> dict[str, str]:
    """Everything but the servers: a demo that talks to the fake Apple and mails to files."""
    var = var or paths.VAR
    apple = f"http://127.0.0.1:{apple_port}"
    fixed = {
        "VPP_ENVIRONMENT": "demo",
        "BASE_URL": f"http://127.0.0.1:{port}",
        "APPLE_VPP_CLIENT": "http",
        "APPLE_VPP_BASE_URL": f"{apple}/mdm/v2/",
        "APPLE_METADATA_URL": f"{apple}/WebObjects/MZStorePlatform.woa/wa/lookup",
        "APPLE_STORE_URL": apple,
        "APPLE_ICON_HOSTS": apple,
        "APPLE_NOTIFICATIONS": "on",
    }
    yours = {
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "EMAIL_URL": f"filemail://{var / 'mail'}",
        "DEVICE_CHANNEL": "simulated",
        "WEBHOOK_PRIVATE_ADDRESSES": "on",
        "LOG_LEVEL": "WARNING",
    }
    return fixed | {name: os.environ.get(name, value) for name, value in yours.items()}


def for_production_checks() -> dict[str, str]:
    """What `check --deploy` has to see: a production installation, only without its servers."""
    nowhere = "127.0.0.1:1"  # nothing listens there, so that nothing can be reached by mistake
    return {
        "VPP_ENVIRONMENT": "production",
        "SECRET_KEY": "a-long-and-random-looking-key-that-is-used-for-these-checks-only-0123456789",
        "FIELD_ENCRYPTION_KEYS": "b25seS1mb3ItdGhlLWNoZWNrcy1vZi0uL2Rldi1jaGU=",
        "BASE_URL": "https://vpp.example.com",
        "ALLOWED_HOSTS": "vpp.example.com",
        "DATABASE_URL": f"postgres://vpp_app@{nowhere}/vpp",
        "DATABASE_OWNER_URL": f"postgres://vpp_owner@{nowhere}/vpp",
        "DATABASE_SYSTEM_URL": f"postgres://vpp_system@{nowhere}/vpp",
        "REDIS_URL": f"redis://{nowhere}/0",
    }
