"""Everything that is stored about one person, in one object; docs/personal-data.md names its fields.

Of other people there is nothing: admins appear by their kind. Nor does anything that opens something,
such as the link or the code of an invitation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps_catalog.codes.forgetting import codes_of
from apps_catalog.models import RedemptionCode
from licensing.holders import USER
from licensing.models import Assignment, BatchItem
from licensing.models.events import events_visible_to
from licensing.personal_data.traces import mails_of
from licensing.personal_data.whose import accounts_but, users_of
from licensing.titles import name_of
from organizations import audit
from organizations.audit import Actor
from organizations.models import AuditEvent, Device, Membership, OutgoingMail, Owner
from organizations.models.audit import PERSON
from users.invitations.letters import invitation_of
from users.models import ImportRow, Invitation, VppUser
from users.services.owners import tag_names
from users.states import status_of
from vpp_accounts.models import VppAccount

FORMAT = "vpp-dashboard/personal-data/1"
MOST_EVENTS = 10_000
CODE_OF = ("managed_app__app", "managed_app__network")

Json = dict[str, Any]


@transaction.atomic
def export(*, by: Actor, membership: Membership, owner: Owner) -> Json:
    opened = VppAccount.objects.open_to(membership)
    users = list(users_of(owner).filter(account__in=opened).select_related("account"))
    told = {
        "format": FORMAT,
        "exportedAt": wire(timezone.now()),
        "owner": _owner(owner),
        "devices": [_device(each) for each in owner.devices.select_related("network")],
        "accounts": _records(users),
        # Their people are shown to their allowed admins only, who can export those records.
        "recordsInClosedAccounts": len(accounts_but(owner, opened)),
        "redemptionCodes": [_code(each) for each in codes_of(owner).select_related(*CODE_OF)],
        "importRows": [_import_row(row) for row in _rows_of(owner)],
        "events": [_event(each) for each in _events(owner, users, membership)],
    }
    audit.record("owner.data_exported", by=by, organization=owner.organization, target=owner)
    return told


def wire(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def _owner(owner: Owner) -> Json:
    return {
        "id": str(owner.pk),
        "name": owner.name,
        "email": owner.email,
        "username": owner.username,
        "managedAppleAccount": owner.managed_apple_account,
        "language": owner.language or None,
        "tags": tag_names(owner),
        "source": owner.source,
        "createdAt": wire(owner.created_at),
        "missingSince": wire(owner.missing_since),
    }


def _device(device: Device) -> Json:
    return {
        "serialNumber": device.serial_number,
        "name": device.name,
        "model": device.model,
        "platform": device.platform,
        "osVersion": device.os_version,
        "network": device.network.name,
        "lastConnectedAt": wire(device.last_connected_at),
    }


def _code(code: RedemptionCode) -> Json:
    """That one was handed over, and not which: whoever reads it could redeem it."""
    return {
        "app": str(code.managed_app),
        "network": code.managed_app.network.name,
        "email": code.email,
        "state": code.state,
        "handedOutAt": wire(code.handed_out_at),
        "redeemedAt": wire(code.redeemed_at),
    }


def _records(users: list[VppUser]) -> list[Json]:
    invitations, licenses, history = _invitations(users), _licenses(users), _history(users)
    return [
        {
            "vppAccount": user.account.name,
            "appleLocation": user.account.location_name,
            "clientUserId": user.client_user_id,
            "name": user.name,
            "email": user.email,
            "status": str(status_of(user)),
            "failure": user.failure or None,
            "appleStatus": user.apple_status or None,
            "appleIdHash": user.id_hash or None,
            "firstSeenAt": wire(user.first_seen_at),
            "registeredAt": wire(user.registered_at),
            "invitedAt": wire(user.invited_at),
            "associatedAt": wire(user.associated_at),
            "retiredAt": wire(user.retired_at),
            "invitations": invitations[user.pk],
            "licenses": licenses[user.account_id, user.client_user_id],
            "history": history[user.account_id, user.client_user_id],
        }
        for user in users
    ]


def _invitations(users: list[VppUser]) -> dict[int, list[Json]]:
    found: dict[int, list[Json]] = defaultdict(list)
    invitations = Invitation.objects.filter(user__in=users).order_by("pk")
    mails = _mails(invitations.values_list("pk", flat=True))
    for each in invitations:
        found[each.user_id].append(
            {
                "createdAt": wire(each.created_at),
                "sentAt": wire(each.sent_at),
                "lastSentAt": wire(each.last_sent_at),
                "reminders": each.reminders,
                "bouncedAt": wire(each.bounced_at),
                "openedAt": wire(each.opened_at),
                "wentOnAt": wire(each.went_on_at),
                "askedAgainAt": wire(each.asked_again_at),
                "expiresAt": wire(each.expires_at),
                "endedAt": wire(each.ended_at),
                "ending": each.ending or None,
                "mails": mails[each.pk],
            }
        )
    return found


def _mails(invitation_ids: Iterable[int]) -> dict[int, list[Json]]:
    found: dict[int, list[Json]] = defaultdict(list)
    for mail in OutgoingMail.objects.filter(mails_of(invitation_ids)).order_by("pk"):
        found[invitation_of(mail) or 0].append(
            {"to": mail.to, "subject": mail.subject, "sentAt": wire(mail.sent_at)}
        )
    return found


def _licenses(users: list[VppUser]) -> dict[tuple[int, str], list[Json]]:
    found: dict[tuple[int, str], list[Json]] = defaultdict(list)
    for each in Assignment.objects.filter(**_of(users)).select_related("licensed_app__app"):
        found[each.account_id, each.holder].append(
            {**_title(each), "since": wire(each.since), "origin": each.origin}
        )
    return found


def _history(users: list[VppUser]) -> dict[tuple[int, str], list[Json]]:
    """What our batches did for them, as long as batches are kept."""
    found: dict[tuple[int, str], list[Json]] = defaultdict(list)
    items = BatchItem.objects.filter(**_of(users)).select_related("licensed_app__app")
    for item in items.order_by("pk"):
        told = {"at": wire(item.changed_at), "kind": item.kind, "state": item.state}
        title = _title(item) if item.licensed_app else {}
        found[item.account_id, item.holder].append(told | title | {"message": item.message or None})
    return found


def _of(users: list[VppUser]) -> dict[str, Any]:
    return {
        "organization__in": {user.organization_id for user in users},
        "account__in": {user.account_id for user in users},
        "holder_kind": USER,
        "holder__in": {user.client_user_id for user in users},
    }


def _title(row: Assignment | BatchItem) -> Json:
    title = row.licensed_app
    assert title is not None  # noqa: S101  for the type checker
    return {
        "title": name_of(title),
        "adamId": title.adam_id,
        "pricingParam": title.pricing_param,
    }


def _rows_of(owner: Owner) -> Iterable[ImportRow]:
    theirs = Q(owner_id=owner.pk)
    if owner.email:
        theirs |= Q(email__iexact=owner.email)
    rows = ImportRow.objects.filter(theirs, organization=owner.organization_id)
    return rows.select_related("people_import").order_by("pk")


def _import_row(row: ImportRow) -> Json:
    return {
        "file": row.people_import.file_name,
        "importedAt": wire(row.people_import.created_at),
        "row": row.number,
        "name": row.name,
        "email": row.email,
        "username": row.username,
        "tags": row.tags,
        "managedAppleAccount": row.managed_apple_account,
        "verdict": row.verdict,
    }


def _events(owner: Owner, users: list[VppUser], membership: Membership) -> Iterable[AuditEvent]:
    about = Q(target_kind="owner", target_id=owner.pk)
    about |= Q(target_kind=PERSON, target_id__in=[user.pk for user in users])
    return events_visible_to(membership).filter(about).order_by("-pk")[:MOST_EVENTS]


def _event(event: AuditEvent) -> Json:
    return {
        "at": wire(event.at),
        "action": event.action,
        "byKind": event.actor_kind,
        "before": event.before,
        "after": event.after,
    }
