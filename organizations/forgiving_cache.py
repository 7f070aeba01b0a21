"""A Redis cache that answers as if it were empty while Redis is away.

What it holds may be lost at any time anyway: rate limits, held uploads, the pace of calls. Sign-in
and pages go on without it.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import structlog
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)
R = TypeVar("R")


def forgiving(method: Callable[..., R], otherwise: R) -> Callable[..., R]:
    @wraps(method)
    def wrapper(*args: Any, **kwargs: Any) -> R:
        try:
            return method(*args, **kwargs)
        except RedisError as error:
            log.warning("cache.unavailable", error=type(error).__name__)
            return otherwise

    return wrapper


class ForgivingCache(RedisCache):
    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return forgiving(super().get, default)(key, default, version)

    add = forgiving(RedisCache.add, otherwise=True)
    set = forgiving(RedisCache.set, otherwise=None)
    touch = forgiving(RedisCache.touch, otherwise=False)
    delete = forgiving(RedisCache.delete, otherwise=False)
    has_key = forgiving(RedisCache.has_key, otherwise=False)
    incr = forgiving(RedisCache.incr, otherwise=1)
    get_many = forgiving(RedisCache.get_many, otherwise={})
    set_many = forgiving(RedisCache.set_many, otherwise=[])
    delete_many = forgiving(RedisCache.delete_many, otherwise=None)
    clear = forgiving(RedisCache.clear, otherwise=None)
