"""A closed organization: suspended by the operator, or deleted by an admin and not gone yet.

Nobody works in it and nothing is begun for it (`organizations.models.OF_OPEN`). What is stored stays
as it is, so that resuming it, or undoing its deletion, goes on where everything stopped.

doors       what those who knock are told
suspension  by the operator of the installation
deletion    by a full admin; 30 days to undo it
letters     the mails to full admins, which alone go out meanwhile
erasing     what is left after 30 days goes for good
"""

from organizations.closing.deletion import (
    DAYS_TO_UNDO,
    ask_deletion,
    remind_of_deletions,
    undo_deletion,
)
from organizations.closing.doors import answer_if_closed, refuse_key_if_closed, why_closed
from organizations.closing.suspension import resume, suspend

__all__ = [
    "DAYS_TO_UNDO",
    "answer_if_closed",
    "ask_deletion",
    "refuse_key_if_closed",
    "remind_of_deletions",
    "resume",
    "suspend",
    "undo_deletion",
    "why_closed",
]
