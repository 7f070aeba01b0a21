"""Doors of the worker for accounts."""

from __future__ import annotations

from celery import shared_task


@shared_task
def check_token_dates() -> None:
    """Accounts whose token has run out, or will within 30 days, say so without being asked."""
    from vpp_accounts.health import note_token_dates

    note_token_dates()
