"""How an organization writes to the people it invites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from organizations import audit, logo
from organizations.audit import Actor
from organizations.models import Logo, Organization
from organizations.refusals import Refusal
from users.models import InvitationSettings

LONGEST_WORDING = 1000
MOST_DAYS = 60


class LanguageNotOffered(Refusal):
    code = "language_not_offered"
    field = "language"

    def __init__(self, code: str) -> None:
        offered = ", ".join(name for _, name in settings.PEOPLE_LANGUAGES)
        super().__init__(f"Mails are not written in “{code[:20]}”. Choose one of: {offered}.")


class WordingTooLong(Refusal):
    code = "wording_too_long"
    field = "wording"

    def __init__(self, length: int) -> None:
        super().__init__(
            f"The wording has {length:,} characters; at most {LONGEST_WORDING:,} are possible."
            " Shorten it."
        )


class DaysOutOfRange(Refusal):
    code = "reminder_days_out_of_range"

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(f"Choose a number from 1 to {MOST_DAYS}, or leave it empty.")


class SecondNeedsFirst(Refusal):
    code = "second_reminder_needs_first"
    field = "second_reminder_days"

    def __init__(self) -> None:
        super().__init__(
            "There is no second reminder without a first one. Fill in the first, or leave both empty."
        )


@dataclass(frozen=True, slots=True)
class InvitationDetails:
    """What an admin says; `logo` is the content of a picture's file, where another was chosen."""

    language: str = "en"
    wording: str = ""
    first_reminder_days: int | None = None
    second_reminder_days: int | None = None
    logo: bytes | None = None
    remove_logo: bool = False


@transaction.atomic
def edit_settings(*, by: Actor, organization: Organization, details: InvitationDetails) -> None:
    """Asking for what is so already leaves no trace."""
    said = checked(details)
    picture = logo.drawn(details.logo) if details.logo is not None else None
    InvitationSettings.objects.get_or_create(organization=organization)
    ours = InvitationSettings.objects.select_for_update().get(organization=organization)
    before = facts(ours, logo_of(organization))
    for name, value in said.items():
        setattr(ours, name, value)
    ours.save()
    if picture:
        logo.keep(organization, picture)
    elif details.remove_logo:
        Logo.objects.filter(organization=organization).delete()
    after = facts(ours, logo_of(organization))
    changed = [name for name in after if after[name] != before[name]]
    if picture and "logo" not in changed:
        changed.append("logo")  # another picture of the same size
    if changed:
        audit.record(
            "invitation_settings.edited",
            by=by,
            organization=organization,
            target=ours,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )


def logo_of(organization: Organization) -> Logo | None:
    return Logo.objects.filter(organization=organization).first()


def checked(details: InvitationDetails) -> dict[str, Any]:
    """What was said, by the fields of the settings."""
    if details.language not in dict(settings.PEOPLE_LANGUAGES):
        raise LanguageNotOffered(details.language)
    wording = "\n".join(details.wording.splitlines()).strip()
    if len(wording) > LONGEST_WORDING:
        raise WordingTooLong(len(wording))
    days = {
        "first_reminder_days": details.first_reminder_days,
        "second_reminder_days": details.second_reminder_days,
    }
    for field, value in days.items():
        if value is not None and not 1 <= value <= MOST_DAYS:
            raise DaysOutOfRange(field)
    if details.second_reminder_days and not details.first_reminder_days:
        raise SecondNeedsFirst
    return {"language": details.language, "wording": wording, **days}


def facts(ours: InvitationSettings, picture: Logo | None) -> dict[str, Any]:
    size = f"{picture.width} by {picture.height} pixels" if picture else ""
    return {
        "language": dict(settings.PEOPLE_LANGUAGES).get(ours.language, ours.language),
        "wording": ours.wording,
        "logo": size,
        "firstReminderDays": ours.first_reminder_days,
        "secondReminderDays": ours.second_reminder_days,
    }
