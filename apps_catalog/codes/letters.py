"""The mail that brings a code, in the person's language, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from apps_catalog.codes.opening import code_text
from apps_catalog.models import ManagedApp, RedemptionCode
from organizations.models import OutgoingMail
from organizations.outbox import Letter

KEY = "redemption_code:"
REDEEM = "https://apps.apple.com/redeem"


def key_of(code: RedemptionCode) -> str:
    """Of the mail of its present hand-out; an earlier one had another moment."""
    moment = code.handed_out_at.timestamp() if code.handed_out_at else 0
    return f"{KEY}{code.pk}:{moment:.6f}"


class Writer:
    """The letters of one app."""

    def __init__(self, managed_app: ManagedApp) -> None:
        self.managed_app = managed_app
        self.organization = managed_app.organization
        drawn = managed_app.accounts.select_related("account").first()
        self.account = drawn.account if drawn else None

    def letter(self, code: RedemptionCode, *, name: str, language: str) -> Letter:
        known = dict(settings.PEOPLE_LANGUAGES)
        with translation.override(language if language in known else "en"):
            context = self._context(code, name)
            return Letter(
                code.email,
                context["subject"],
                render_to_string("mail/redemption_code.txt", context),
                render_to_string("mail/redemption_code.html", context),
                headers=self._headers(),
                from_name=self.account.name if self.account else self.organization.name,
            )

    def _headers(self) -> Mapping[str, str]:
        return {"Reply-To": self.account.email} if self.account and self.account.email else {}

    def _context(self, code: RedemptionCode, name: str) -> dict[str, Any]:
        text = code_text(code)
        told = {
            "app": str(self.managed_app),
            "organization": self.organization.name,
            "name": name,
        }
        return {
            "subject": _("Your code for %(app)s") % told,
            "greeting": (_("Hello %(name)s,") if name else _("Hello,")) % told,
            "lead": _("%(organization)s gives you a code with which you get %(app)s from Apple.")
            % told,
            "code": text,
            "link": f"{REDEEM}?{urlencode({'code': text})}",
            "button": _("Redeem the code"),
            "steps": [
                _(
                    "Open the link on the device that is to have the app. Or open the App Store, choose"
                    " your picture and “Redeem Gift Card or Code”, and type the code."
                ),
                _(
                    "Sign in with your Apple Account (Apple ID); the app belongs to it from then on."
                ),
            ],
            "once": _("The code works once. Do not pass it on."),
            "why": _("You get this mail because an admin of %(organization)s has given you a code.")
            % told,
        }


def note_mails(mails: Iterable[OutgoingMail]) -> None:
    """What was given up marks its code, unless that was taken back meanwhile; sent ones are well."""
    ours = {mail.key: mail for mail in mails if mail.key.startswith(KEY)}
    ids = [int(key.split(":")[1]) for key in ours]
    for code in RedemptionCode.objects.filter(pk__in=ids, state=RedemptionCode.State.HANDED_OUT):
        mail = ours.get(key_of(code))
        if mail is not None:
            problem = "" if mail.sent_at else mail.error[:300]
            same = RedemptionCode.objects.filter(pk=code.pk, handed_out_at=code.handed_out_at)
            same.update(mail_problem=problem)


def mails_of(code_ids: Iterable[int]) -> Q:
    found = Q(pk=None)
    for pk in code_ids:
        found |= Q(key__startswith=f"{KEY}{pk}:")
    return found
