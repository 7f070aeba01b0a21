"""Is the process alive, and can it work? For load balancers, compose and `./dev demo`."""

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

QUICK = 2  # seconds


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers; says nothing about what it needs."""
    return JsonResponse({"status": "ok"})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when database and broker answer, 503 with what does not."""
    checks = {"database": _database_answers(), "broker": _broker_answers()}
    ok = all(checks.values())
    return JsonResponse(
        {"status": "ok" if ok else "unavailable", "checks": checks}, status=200 if ok else 503
    )


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _broker_answers() -> bool:
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=QUICK, socket_connect_timeout=QUICK
        ) as broker:
            return bool(broker.ping())
    except redis.RedisError:
        return False
