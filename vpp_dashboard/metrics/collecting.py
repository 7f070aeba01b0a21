"""All metrics of a scrape. A part that cannot be read is missing, and says so; the others are there."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator

import django
import structlog
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from vpp_dashboard import __version__
from vpp_dashboard.metrics import broker, database

log = structlog.get_logger(__name__)

Part = Callable[[], Iterable[Metric]]
PARTS: dict[str, Part] = {
    "accounts": database.accounts,
    "syncs": database.syncs,
    "batch_items": database.batch_items,
    "mail": database.mail,
    "webhooks": database.webhooks,
    "notifications": database.notifications,
    "installations": database.installations,
    "queues": broker.queues,
    "apple_calls": broker.apple_calls,
}


class InstallationCollector(Collector):
    def collect(self) -> Iterator[Metric]:
        yield build()
        read = GaugeMetricFamily(
            "vpp_metrics_part_read",
            "1 where this part of the metrics could be read, 0 where it is missing.",
            labels=["part"],
        )
        for name, part in PARTS.items():
            found = metrics_of(name, part)
            yield from found or ()
            read.add_metric([name], float(found is not None))
        yield read


def metrics_of(name: str, part: Part) -> list[Metric] | None:
    try:
        return list(part())
    except Exception:  # the other parts are worth having
        log.exception("metrics.part_not_read", part=name)
        return None


def build() -> Metric:
    info = {"version": __version__, "python": platform.python_version()}
    return InfoMetricFamily(
        "vpp_build", "What is running.", info | {"django": django.get_version()}
    )
