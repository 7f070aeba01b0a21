"""What full admins decide of their organization's way to its devices."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from apps_catalog import hooks
from apps_catalog.channels import addresses
from apps_catalog.channels.choosing import effective
from apps_catalog.models import ChannelKind, ChannelSettings
from organizations import audit
from organizations.audit import Actor
from organizations.models import Network, Organization
from organizations.refusals import Conflict, Refusal

CONNECTION = ("kind", "base_url", "api_user", "topic")  # what a check of it found is about these
TEXTS = {"base_url": 500, "api_user": 100, "topic": 200}
LONGEST_KEY = 2000


class ChannelWrong(Refusal):
    code = "device_channel_wrong"

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


class NothingToCheck(Conflict):
    code = "device_channel_not_checked"

    def __init__(self) -> None:
        super().__init__(
            "Apps are installed by another MDM, so there is no connection to check. Choose another"
            " channel first."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDetails:
    """`kind` empty: as the installation says. `api_key` empty: as it is."""

    kind: str = ""
    base_url: str = ""
    api_user: str = "nanomdm"
    api_key: str = field(default="", repr=False)
    topic: str = ""
    network: Network | None = None


def settings_of(organization: Organization) -> ChannelSettings:
    """Not saved where the organization has decided nothing yet."""
    found = ChannelSettings.objects.select_related("network").filter(organization=organization)
    return found.first() or ChannelSettings(organization=organization)


def webhook_url(chosen: ChannelSettings) -> str:
    path = reverse("apps_catalog:receive_event", args=[chosen.uuid])
    return f"{settings.BASE_URL}{path}"


@transaction.atomic
def configure(*, by: Actor, organization: Organization, details: ChannelDetails) -> ChannelSettings:
    chosen = locked(organization)
    wanted, before = checked(details, chosen), facts(chosen)
    was = {name: getattr(chosen, name) for name in CONNECTION}
    for name, value in wanted.items():
        setattr(chosen, name, value)
    if details.api_key:
        chosen.api_key = details.api_key.strip()
    refuse_unfinished(chosen)
    if details.api_key or any(getattr(chosen, name) != was[name] for name in CONNECTION):
        chosen.problem, chosen.version, chosen.push_expires_at = "", "", None
        chosen.checked_at = None
    chosen.save()
    note_change(by, chosen, before, details)
    ring(organization)
    return chosen


def checked(details: ChannelDetails, chosen: ChannelSettings) -> dict[str, Any]:
    if details.kind and details.kind not in ChannelKind.values:
        raise ChannelWrong("kind", f"Choose one of: {', '.join(ChannelKind.values)}.")
    texts = {name: getattr(details, name).strip() for name in TEXTS}
    for name, longest in TEXTS.items():
        if len(texts[name]) > longest:
            raise ChannelWrong(name, f"This is longer than {longest} characters. Shorten it.")
    if len(details.api_key) > LONGEST_KEY:
        raise ChannelWrong("api_key", f"A key has at most {LONGEST_KEY:,} characters.")
    texts["base_url"] = texts["base_url"].rstrip("/")
    if problem := addresses.problem_of(texts["base_url"]) if texts["base_url"] else "":
        raise ChannelWrong("base_url", problem)
    if details.network and details.network.organization_id != chosen.organization_id:
        raise ChannelWrong("network", "That network is not in this organization. Choose another.")
    refuse_key_for_another(details, texts["base_url"], chosen)
    return texts | {"kind": details.kind, "network": details.network}


def refuse_key_for_another(details: ChannelDetails, url: str, chosen: ChannelSettings) -> None:
    """Else whoever may change the address could have the key sent to a server of their own."""
    is_another = addresses.origin(url) != addresses.origin(chosen.base_url)
    if is_another and chosen.api_key_ciphertext and not details.api_key:
        raise ChannelWrong("api_key", "This is another server. Enter its API key as well.")


def refuse_unfinished(chosen: ChannelSettings) -> None:
    if effective(chosen.kind) != ChannelKind.NANOMDM or not chosen.kind:
        return
    if not chosen.base_url:
        raise ChannelWrong("base_url", "Enter the address of the NanoMDM server.")
    if not chosen.api_user:
        raise ChannelWrong("api_user", "Enter the user of its API: nanomdm, or nanohub.")
    if not chosen.api_key_ciphertext:
        raise ChannelWrong("api_key", "Enter the key of its API, as it was started with.")


def note_change(
    by: Actor, chosen: ChannelSettings, before: dict[str, Any], details: ChannelDetails
) -> None:
    after = facts(chosen)
    changed = [name for name in after if after[name] != before[name]]
    told = {name: after[name] for name in changed}
    if details.api_key:
        told["apiKey"] = "a new one"
    if told:
        audit.record(
            "device_channel.edited",
            by=by,
            organization=chosen.organization,
            target=chosen,
            before={name: before[name] for name in changed},
            after=told,
        )


@transaction.atomic
def make_webhook_key(*, by: Actor, organization: Organization) -> str:
    """Answers it this once. From now on events signed with the key before are refused."""
    chosen = locked(organization)
    key = secrets.token_urlsafe(32)
    had_one = bool(chosen.webhook_key_ciphertext)
    chosen.webhook_key = key
    chosen.save(update_fields=["webhook_key_ciphertext"])
    audit.record(
        "device_channel.key_made",
        by=by,
        organization=organization,
        target=chosen,
        after={"replacesAnother": had_one},
    )
    return key


@transaction.atomic
def ask_check(*, organization: Organization) -> ChannelSettings:
    """Let a worker ask the server how it is. Nothing changes by it, so nothing is recorded."""
    chosen = locked(organization)
    if effective(chosen.kind) == ChannelKind.NONE:
        raise NothingToCheck
    chosen.check_asked_at = timezone.now()
    chosen.save(update_fields=["check_asked_at"])
    transaction.on_commit(
        lambda: hooks.channel_check_asked.send(ChannelSettings, organization_id=organization.pk),
        robust=True,
    )
    return chosen


def check_server(organization: Organization) -> None:
    """After a change: whether its own server can be reached is of interest at once."""
    if effective(settings_of(organization).kind) == ChannelKind.NANOMDM:
        ask_check(organization=organization)


def locked(organization: Organization) -> ChannelSettings:
    ChannelSettings.objects.get_or_create(organization=organization)
    rows = ChannelSettings.objects.select_related("organization", "network")
    return rows.select_for_update(of=("self",), no_key=True).get(organization=organization)


def ring(organization: Organization) -> None:
    """What waited for another channel may go on."""
    transaction.on_commit(
        lambda: hooks.deployment_waits.send(ChannelSettings, organization_id=organization.pk),
        robust=True,
    )


def facts(chosen: ChannelSettings) -> dict[str, Any]:
    return {
        "kind": chosen.kind or "as the installation says",
        "baseUrl": chosen.base_url,
        "apiUser": chosen.api_user,
        "topic": chosen.topic,
        "network": str(chosen.network or ""),
    }
