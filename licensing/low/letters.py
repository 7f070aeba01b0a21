"""The mail about titles that ran low: one per account and occasion, whatever number of titles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from licensing.models import LicensedApp
from organizations.models import Membership
from organizations.outbox import Letter
from vpp_accounts.alarms import alarms_off_url, may_manage, recipients
from vpp_accounts.models import VppAccount

MOST_NAMED = 50

Told = Sequence[tuple[LicensedApp, int]]  # each with the threshold that it fell below


def letters(account: VppAccount, told: Told) -> Iterator[Letter]:
    one = len(told) == 1
    what = str(told[0][0].app) if one else f"{len(told):,} titles"
    subject = f"{account.name}: {what} {'is' if one else 'are'} low on licenses"
    for address, membership in readers(account).items():
        context = {
            "subject": subject,
            "account": account,
            "told": told[:MOST_NAMED],
            "more": max(0, len(told) - MOST_NAMED),
            "contact": address,
            "membership": membership,
            "link_label": "Show these titles",
            "link": link(account),
        }
        headers = {}
        if membership:
            context["alarms_off"] = off = alarms_off_url(membership)
            headers["List-Unsubscribe"] = f"<{off}>"
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        text = render_to_string("mail/low.txt", context)
        yield Letter(address, subject, text, render_to_string("mail/low.html", context), headers)


def readers(account: VppAccount) -> dict[str, Membership | None]:
    """Those who are told of the account's alarms, but of its licenses only its allowed admins."""
    everybody = recipients(account)
    members = [membership.pk for membership in everybody.values() if membership]
    allowed = set(
        Membership.objects.filter(may_manage(account), pk__in=members).values_list("pk", flat=True)
    )
    return {to: who for to, who in everybody.items() if who is None or who.pk in allowed}


def link(account: VppAccount) -> str:
    url = reverse("licensing:licensed_app_list", args=[account.organization_id])
    return f"{settings.BASE_URL}{url}?account={account.pk}&licenses=low"
