"""Doors of the worker for people: their files, reminders, and housekeeping."""

from __future__ import annotations

from celery import shared_task


@shared_task
def work_on_import(*, import_id: str) -> None:
    """Whichever stage is next: both leave at once where there is nothing to do."""
    from users import imports, lookups

    with lookups.people_import.inside(import_id):
        imports.check(import_id)
        imports.apply(import_id)


@shared_task
def ring_waiting_imports() -> None:
    """Imports whose bell was not heard, or whose worker died."""
    from users import imports

    for import_id in imports.waiting():
        work_on_import.delay(import_id=str(import_id))


@shared_task
def forget_old_imports() -> int:
    """After a week nobody looks at the rows of a file any more."""
    from users import imports

    return imports.forget_old()


@shared_task
def remind_due() -> int:
    """Write again to people who have not accepted, where their organization wants that."""
    from users.invitations import reminders

    return reminders.remind_due()
