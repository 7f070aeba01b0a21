"""The mails that tell full admins; the outbox sends them though the organization is closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from organizations.closing.doors import day
from organizations.models import Membership, Organization
from organizations.outbox import TELLS_OF_CLOSING, Letter, post_letters

Link = tuple[str, str]  # its label, and the name of its address


def tell_of_suspension(organization: Organization) -> int:
    since = organization.suspended_at
    return _tell(
        organization,
        key=f"suspended:{since and since.isoformat()}",
        subject=f"{organization.name} is suspended",
        paragraphs=[
            f"The operator of this installation has suspended {organization.name}.",
            f"The reason: {organization.suspended_reason}",
            "Nobody can work in it now, and nothing runs for it: no sync, no batch, no mail."
            " Nothing is lost, and licenses at Apple stay as they are.",
            "Ask the operator to resume it.",
        ],
    )


def tell_of_resumption(organization: Organization, since: datetime) -> int:
    return _tell(
        organization,
        key=f"resumed:{since.isoformat()}",
        subject=f"{organization.name} is no longer suspended",
        paragraphs=[
            f"The operator of this installation has resumed {organization.name}.",
            "Syncs, batches and mails go on where they stopped.",
        ],
        link=("Open the dashboard", "licensing:overview"),
    )


def tell_of_deletion(organization: Organization) -> int:
    return _tell(
        organization,
        key=_of_deletion(organization),
        subject=f"{organization.name} is deleted on {_end(organization)}",
        paragraphs=[
            f"{organization.deletion_asked_by} has deleted {organization.name}.",
            "Nobody can work in it now, and nothing runs for it."
            f" On {_end(organization)} all that is stored of it is gone for good.",
            "Until then you or another full admin can undo that.",
        ],
        link=UNDO,
    )


def remind_of_deletion(organization: Organization, days: int) -> int:
    when = "tomorrow" if days == 1 else f"in {days} days"
    return _tell(
        organization,
        key=f"{_of_deletion(organization)}:{days}",
        subject=f"{organization.name} is gone for good {when}",
        paragraphs=[
            f"{organization.deletion_asked_by} has deleted {organization.name}."
            f" On {_end(organization)} all that is stored of it is gone for good.",
            "Until then you or another full admin can undo that.",
        ],
        link=UNDO,
    )


def tell_of_undoing(organization: Organization, by: str, asked_at: datetime) -> int:
    return _tell(
        organization,
        key=f"undone:{asked_at.isoformat()}",
        subject=f"{organization.name} is not deleted any more",
        paragraphs=[
            f"{by} has undone the deletion of {organization.name}.",
            "Syncs go on by themselves. What was cancelled when it was deleted, or taken back at"
            " Apple, has to be begun anew.",
        ],
        link=("Open the dashboard", "licensing:overview"),
    )


UNDO: Link = ("Show it or undo it", "organizations:organization_deleted")


def _of_deletion(organization: Organization) -> str:
    asked_at = organization.deletion_asked_at
    return f"deletion:{asked_at and asked_at.isoformat()}"


def _end(organization: Organization) -> str:
    return day(organization, organization.deletes_at)


def _tell(
    organization: Organization,
    *,
    key: str,
    subject: str,
    paragraphs: Sequence[str],
    link: Link | None = None,
) -> int:
    context = {"subject": subject, "organization": organization, "paragraphs": paragraphs}
    if link:
        url = reverse(link[1], args=[organization.pk])
        context |= {"link_label": link[0], "link": f"{settings.BASE_URL}{url}"}
    text = render_to_string("mail/closing.txt", context)
    html = render_to_string("mail/closing.html", context)
    admins = Membership.objects.filter(organization=organization).full()
    addresses = admins.values_list("admin__email", flat=True)
    return post_letters(
        organization=organization,
        key=f"{TELLS_OF_CLOSING}{key}",
        letters=[Letter(address, subject, text, html) for address in addresses],
    )
