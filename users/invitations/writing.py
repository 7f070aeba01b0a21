"""Writing the letters of one account.

A hundred thousand people get the same mail but for their name, address and link: it is rendered
once for each language and day, with places for these, and the places are filled in for each person.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import formats, translation
from django.utils.html import escape

from organizations.models import Logo
from organizations.outbox import Letter
from users.invitations.words import Person, words
from users.models import InvitationSettings, VppUser
from vpp_accounts.models import VppAccount

SHOWN_LOGO = (240, 80)  # in a mail; the picture is larger for screens with fine dots
# Nobody can guess them, so they stand nowhere else.
_NONCE = secrets.token_hex(8)
_PLACES = Person(*(f"{_NONCE}-{name}-" for name in ("name", "address", "link")))
_PLACE = re.compile(rf"{_NONCE}-(name|address|link)-")


def language_of(user: VppUser, chosen: InvitationSettings) -> str:
    """Their own, else the organization's; only one that mails are written in."""
    known = dict(settings.PEOPLE_LANGUAGES)
    theirs = user.owner.language if user.owner else ""
    return next((code for code in (theirs, chosen.language) if code in known), "en")


@dataclass(frozen=True, slots=True)
class _Form:
    """One mail with places for what differs from person to person."""

    subject: str
    text: str
    html: str

    def text_for(self, person: Person) -> str:
        return _filled(self.text, asdict(person))

    def html_for(self, person: Person) -> str:
        return _filled(self.html, {name: escape(text) for name, text in asdict(person).items()})


class Writer:
    def __init__(
        self, account: VppAccount, chosen: InvitationSettings, *, reminder: bool = False
    ) -> None:
        self.account = account
        self.chosen = chosen
        self.reminder = reminder
        ours = Logo.objects.defer("png").filter(organization=account.organization_id)
        self.logo = ours.first()
        self._forms: dict[tuple[str, str, bool], _Form] = {}

    def letter(self, person: Person, *, language: str, until: datetime) -> Letter:
        person = Person(" ".join(person.name.split()), person.address, person.link)
        with translation.override(language):
            day = formats.date_format(until.astimezone(self.account.organization.zone))
            form = self._form(language, day, has_name=bool(person.name))
        return Letter(
            person.address,
            form.subject,
            form.text_for(person),
            form.html_for(person),
            headers={"Reply-To": self.account.email},
            from_name=self.account.name,
            with_logo=self.logo is not None,
        )

    def _form(self, language: str, day: str, *, has_name: bool) -> _Form:
        kind = (language, day, has_name)
        if kind not in self._forms:
            self._forms[kind] = self._rendered(day, has_name=has_name)
        return self._forms[kind]

    def _rendered(self, day: str, *, has_name: bool) -> _Form:
        places = _PLACES if has_name else Person("", _PLACES.address, _PLACES.link)
        told = words(self.account, places, until=day, reminder=self.reminder)
        context = {
            "subject": told.subject,
            "words": told,
            "paragraphs": paragraphs(self.chosen.wording),
            "link": places.link,
            "organization": self.account.organization,
            "logo": shown(self.logo) if self.logo else None,
        }
        text = render_to_string("mail/invitation.txt", context)
        return _Form(told.subject, text, render_to_string("mail/invitation.html", context))


def paragraphs(wording: str) -> list[str]:
    """Divided by empty lines."""
    return [part.strip() for part in re.split(r"\n\s*\n", wording) if part.strip()]


def shown(logo: Logo) -> dict[str, int]:
    """As wide and high as it is shown: smaller than the picture, never larger."""
    scale = min(1, SHOWN_LOGO[0] / logo.width, SHOWN_LOGO[1] / logo.height)
    return {
        "width": max(1, round(logo.width * scale)),
        "height": max(1, round(logo.height * scale)),
    }


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda found: values[found[1]], text)
