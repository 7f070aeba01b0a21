"""What a person is told of batches wherever they are: that one has begun, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.urls import reverse
from django.utils.html import format_html

from licensing.models import Batch
from licensing.tables.batches import BatchRow, began_by
from organizations.access import AdminRequest

MOST_ASKED_FOR = 20


@dataclass(frozen=True, slots=True)
class News:
    row: BatchRow
    url: str


def url_of(batch: Batch) -> str:
    return reverse("licensing:batch_detail", args=[batch.organization_id, batch.pk])


def tell_started(request: AdminRequest, batch: Batch) -> None:
    """The message on the next page, whichever that is."""
    messages.success(
        request,
        format_html(
            '{} has begun. <a class="alert-link" href="{}">See how far it is</a>',
            BatchRow(batch).name,
            url_of(batch),
        ),
    )


def ended_meanwhile(request: AdminRequest) -> list[News]:
    """Of the batches that were running on the screen (`?batch=`), this admin's that are over."""
    asked = [text for text in request.GET.getlist("batch") if _is_id(text)][:MOST_ASKED_FOR]
    if not asked:
        return []
    ours = Batch.objects.visible_to(request.membership).filter(began_by(request.membership))
    over = ours.filter(pk__in=[int(text) for text in asked], finished_at__isnull=False)
    return [News(BatchRow(batch), url_of(batch)) for batch in over.order_by("pk")]


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
