"""Structured logs: one line per event, JSON in production, colours on a terminal."""

import logging.config
import re
from typing import Any

import structlog

# Who reads one of these addresses may use it: to set a password, to accept an invitation.
KEYS = re.compile(r"(/password/reset/key/|/invitation/|/i/)[^/\s?]+")


def without_keys(
    logger: Any, name: str, event: structlog.types.EventDict
) -> structlog.types.EventDict:
    for field in ("request", "event", "referrer"):
        if isinstance(event.get(field), str):
            event[field] = KEYS.sub(r"\1…", event[field])
    return event


def configure_logging(*, level: str, colours: bool) -> None:
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        without_keys,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer = structlog.dev.ConsoleRenderer() if colours else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "structured": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.processors.format_exc_info,
                        renderer,
                    ],
                }
            },
            "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
            "root": {"handlers": ["console"], "level": level},
            "loggers": {"django.server": {"level": "INFO"}, "urllib3": {"level": "WARNING"}},
        }
    )
