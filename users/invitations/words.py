"""What the mail of an invitation says, in the language that is active. HTML and text say the same."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from vpp_accounts.models import VppAccount


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a mail is for, or the places where that is to be filled in."""

    name: str
    address: str
    link: str


@dataclass(frozen=True, slots=True)
class Words:
    subject: str
    greeting: str
    lead: str
    button: str
    steps_title: str
    steps: list[str]
    shared_title: str
    shared: list[str]
    until: str
    why: str
    questions: str


def words(account: VppAccount, person: Person, *, until: str, reminder: bool) -> Words:
    told = {
        "account": account.name,
        "organization": account.organization.name,
        "email": account.email,
        "name": person.name,
        "address": person.address,
        "until": until,
    }
    return Words(
        subject=_subject(reminder=reminder) % told,
        greeting=(_("Hello %(name)s,") if person.name else _("Hello,")) % told,
        lead=_lead(reminder=reminder) % told,
        button=_("Open the invitation"),
        steps_title=_("What happens then"),
        steps=_steps(),
        shared_title=_("What is shared"),
        shared=[fact % told for fact in _shared()],
        until=_("This invitation is for you alone. It is valid until %(until)s.") % told,
        why=_(
            "You get this mail because an admin of %(organization)s has invited %(address)s. If you"
            " did not expect it, you need not do anything."
        )
        % told,
        questions=_("Questions? Reply to this mail; your reply goes to %(email)s.") % told,
    )


def _subject(*, reminder: bool) -> str:
    if reminder:
        return _("Reminder: your invitation from %(account)s")
    return _("Your invitation from %(account)s")


def _lead(*, reminder: bool) -> str:
    if reminder:
        return _(
            "%(account)s has invited you to receive apps and books for your iPhone, iPad or Mac."
            " You have not accepted yet."
        )
    return _("%(account)s invites you to receive apps and books for your iPhone, iPad or Mac.")


def _steps() -> list[str]:
    return [
        _("The button shows you the invitation, and leads on to Apple from there."),
        _("At Apple you sign in with your Apple Account (Apple ID) and agree to Apple's terms."),
        _(
            "Apps and books that are given to you can then be downloaded from the App Store and"
            " from Apple Books, under “Purchased”."
        ),
    ]


def _shared() -> list[str]:
    return [
        _(
            "%(organization)s learns that you have accepted, and never which Apple Account is yours."
        ),
        _("Apps belong to %(organization)s, which can take them back. Books are yours to keep."),
    ]
