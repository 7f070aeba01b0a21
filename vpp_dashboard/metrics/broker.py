"""What Redis knows: how much waits for the workers, and what became of calls to Apple."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from vpp_accounts.call_counts import call_counts
from vpp_dashboard.broker import broker
from vpp_dashboard.celery import ROUTES


def queues() -> Iterator[Metric]:
    depth = GaugeMetricFamily(
        "vpp_queue_depth", "Tasks that wait for a worker, by queue.", labels=["queue"]
    )
    names = sorted({route["queue"] for route in ROUTES.values()} | {default_queue()})
    with broker() as connection, connection.pipeline(transaction=False) as asked:
        for name in names:
            asked.llen(name)
        for name, waiting in zip(names, asked.execute(), strict=True):
            depth.add_metric([name], waiting)
    yield depth


def default_queue() -> str:
    return str(settings.CELERY_TASK_DEFAULT_QUEUE)


def apple_calls() -> Iterator[Metric]:
    calls = CounterMetricFamily(
        "vpp_apple_calls",
        "Calls to Apple, by endpoint and by what came of them: ok, or the name of the error.",
        labels=["endpoint", "result"],
    )
    for (endpoint, result), count in sorted(call_counts.read().items()):
        calls.add_metric([endpoint, result], count)
    yield calls
