"""After a batch: how people get what they were given, as a text to copy or to mail; and what follows
once people are registered, invited or retired.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from licensing.holders import USER
from licensing.models import Batch, BatchItem, BatchKind, ItemState, LicensedApp
from licensing.titles import name_of
from licensing.views.batch_summary import given_to_people
from users.models import VppUser

SHOWN_TITLES = 10
MOST_ADDRESSED = 50  # a mailto: link has no room for more
IN_APP_STORE = (
    "Open the App Store, tap your picture (on a Mac: your name) and choose Purchased. You find the"
    " app there, free of charge."
)
IN_BOOKS = (
    "Open Books, tap your picture (on a Mac: Account) and choose Purchased. You find the book"
    " there; it is yours for good."
)


@dataclass(frozen=True, slots=True)
class After:
    """What the people see now, and what an admin sees or does then."""

    what: str
    then: str


AFTER = {
    BatchKind.REGISTER: After(
        "Apple knows these people now. Whoever has a Managed Apple Account is associated already.",
        "Everybody else needs an invitation before they can use a license: send it under",
    ),
    BatchKind.INVITE: After(
        "The people find a mail with a link of their own. Its page says who invites them and what is"
        " shared, and leads on to Apple, where they sign in with their Apple Account and accept."
        " Nobody here learns their Apple ID.",
        "Their user status changes to Associated by itself. Who has not accepted can be sent the"
        " invitation again, or be handed the link, under",
    ),
    BatchKind.RETIRE: After(
        "The people keep nothing of what can be taken back; an app that is installed keeps working"
        " for up to 30 days. Their licenses are free again after about two minutes, and who waits"
        " gets them first. Books stay with them.",
        "To bring somebody back, register them again and invite them under",
    ),
}


def after_of(batch: Batch) -> After | None:
    return AFTER.get(BatchKind(batch.kind)) if batch.succeeded else None


@dataclass(frozen=True, slots=True)
class Handover:
    titles: str  # “Keynote, Pages”
    text: str
    mailto: str
    is_addressed: bool


def handover_of(batch: Batch) -> Handover | None:
    """Two statements, three where there is room for addresses."""
    given = given_to_people(batch)
    if not given:
        return None
    found = LicensedApp.objects.filter(pk__in=list(given)[:SHOWN_TITLES]).select_related("app")
    titles = sorted(found, key=name_of)
    names = ", ".join(map(name_of, titles))
    if len(given) > len(titles):
        names += f" and {len(given) - len(titles):,} more"
    text = _text(names, {title.is_book for title in titles})
    people = _addresses(batch) if max(given.values()) <= MOST_ADDRESSED else []
    subject = f"For you: {names}"
    return Handover(names, text, _mailto(people, subject, text), bool(people))


def _addresses(batch: Batch) -> list[str]:
    given = BatchItem.objects.filter(batch=batch, holder_kind=USER, state=ItemState.SUCCEEDED)
    people = VppUser.objects.filter(
        account=batch.account_id, client_user_id__in=given.values("holder")
    )
    rows = people.select_related("owner").order_by("pk")[:MOST_ADDRESSED]
    found = [user.email or (user.owner.email if user.owner else "") for user in rows]
    return list(dict.fromkeys(filter(None, found)))


def _text(names: str, are_books: set[bool]) -> str:
    where = [
        words
        for is_book, words in ((False, IN_APP_STORE), (True, IN_BOOKS))
        if is_book in are_books
    ]
    lines = [
        "Hello,",
        f"you have been given {names}.",
        "Sign in on your device with the Apple Account with which you accepted our invitation.",
        *where,
        "If you have not accepted the invitation yet, do that first.",
    ]
    return "\n\n".join(lines)


def _mailto(people: list[str], subject: str, text: str) -> str:
    fields = {"subject": subject, "body": text.replace("\n", "\r\n")}
    if people:
        fields = {"bcc": ",".join(people)} | fields
    return "mailto:?" + urlencode(fields, quote_via=quote)
