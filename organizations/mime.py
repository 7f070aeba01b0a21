"""Mails of the outbox as the mail server gets them."""

from __future__ import annotations

from collections.abc import Iterable
from email.mime.image import MIMEImage
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend

from organizations.models import Logo, OutgoingMail


class Message(EmailMultiAlternatives):
    mixed_subtype = "related"  # what is attached is a part of the HTML


def message_of(
    mail: OutgoingMail, connection: BaseEmailBackend, logo: Logo | None = None
) -> Message:
    sender = sender_of(mail.from_name)
    domain = sender[1].rpartition("@")[2] or "localhost"
    headers = {
        # Always the same, so that a mail sent twice by a crash is recognised as one.
        "Message-ID": f"<outbox-{mail.pk}-{mail.created_at:%Y%m%d%H%M%S}@{domain}>",
        "Auto-Submitted": "auto-generated",
        **mail.headers,
    }
    message = Message(
        mail.subject,
        mail.text,
        formataddr(sender),
        to=[mail.to],
        headers=headers,
        connection=connection,
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    if mail.with_logo and logo:
        message.attach(part_of(logo))
    return message


def sender_of(name: str) -> tuple[str, str]:
    """The installation's address, under this name where there is one."""
    standard, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return name or standard, address


def logos_of(mails: Iterable[OutgoingMail]) -> dict[int, Logo]:
    """By organization; a mail keeps none of its own, there may be a hundred thousand of them."""
    wanted = {mail.organization_id for mail in mails if mail.with_logo}
    if not wanted:
        return {}
    logos = Logo.objects.using("system").filter(organization__in=wanted)
    return {logo.organization_id: logo for logo in logos}


def part_of(logo: Logo) -> MIMEImage:
    part = MIMEImage(bytes(logo.png), "png")
    part.add_header("Content-ID", "<logo>")
    part.add_header("Content-Disposition", "inline", filename="logo.png")
    return part
