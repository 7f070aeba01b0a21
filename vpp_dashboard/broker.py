"""The broker, asked directly: whether it answers, and how much waits in it."""

from __future__ import annotations

import redis
from django.conf import settings

QUICK = 2  # seconds


def broker() -> redis.Redis:
    """To be closed by whoever asks."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=QUICK, socket_connect_timeout=QUICK
    )
