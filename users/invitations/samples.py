"""The mail as it would reach somebody: for admins to look at, and to send to themselves."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from organizations.logo import data_url
from organizations.models import Admin, Logo, Organization
from organizations.outbox import Letter, post_keyed
from users.invitations.links import sample_token
from users.invitations.words import Person
from users.invitations.writing import Writer
from users.models import InvitationSettings
from users.models.invitations import end_of_validity
from vpp_accounts.models import VppAccount


def sample(account: VppAccount, admin: Admin, *, language: str, reminder: bool = False) -> Letter:
    """What an invited person of the admin's name and address would get now."""
    chosen = InvitationSettings.of(account.organization_id)
    person = Person(admin.name, admin.email, link_to_sample(account))
    writer = Writer(account, chosen, reminder=reminder)
    return writer.letter(person, language=language, until=end_of_validity())


def send_sample(
    account: VppAccount, admin: Admin, *, language: str, reminder: bool = False
) -> bool:
    """Mail it to the admin; once a minute at most, however often the button is pressed."""
    letter = sample(account, admin, language=language, reminder=reminder)
    letter = replace(letter, subject=f"Test: {letter.subject}")
    minute = f"{timezone.now():%Y%m%d%H%M}"
    key = f"invitation_test:{account.pk}:{language}:{reminder:d}:{minute}"
    return bool(post_keyed(organization=account.organization, letters=[(key, letter)]))


def with_logo_inside(html: str, organization: Organization) -> str:
    """The HTML of a mail by itself: what is a part of the mail is a part of it."""
    logo = Logo.objects.filter(organization=organization).first()
    return html.replace("cid:logo", data_url(logo) if logo else "")


def link_to_sample(account: VppAccount) -> str:
    path = reverse("users:invitation", args=[sample_token(account)])
    return f"{settings.BASE_URL}{path}"
