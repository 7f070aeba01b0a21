"""Every column whose texts the keys of FIELD_ENCRYPTION_KEYS open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import models

from apps_catalog.models import ChannelEvent, ChannelSettings, CodeImport, RedemptionCode
from organizations import crypto
from organizations.models import IdentityProvider, Webhook
from organizations.signin.factors import BOUND_TO, SECRETS
from users.models import VppUser
from vpp_accounts.models import FormerClaim, VppAccount


@dataclass(frozen=True, slots=True)
class Sealed:
    """`read` opens a row's texts as the product does, and so finds those of another row, too."""

    label: str
    model: type[models.Model]
    column: str
    read: Callable[[Any], object]
    # The texts lie in a JSON column, under some of these keys.
    keys: tuple[str, ...] = ()
    # Columns to blank where no key opens the text, since Apple tells it again.
    told_again: tuple[str, ...] = ()
    # What a person has to do about a text that no key opens; empty where nobody has to.
    way_out: str = ""
    name: Callable[[Any], str] = str

    @property
    def rows(self) -> models.QuerySet[Any]:
        everybody: models.QuerySet[Any] = self.model._default_manager.using("system")
        if self.keys:
            return everybody.filter(**{f"{self.column}__has_any_keys": self.keys}).order_by("pk")
        return everybody.exclude(**{self.column: ""}).order_by("pk")

    def texts(self, row: Any) -> dict[str, str]:
        value = getattr(row, self.column)
        if not self.keys:
            return {"": value}
        return {key: value[key] for key in self.keys if key in value}

    def put(self, row: Any, texts: dict[str, str]) -> None:
        value = {**getattr(row, self.column), **texts} if self.keys else texts[""]
        setattr(row, self.column, value)


def _second_factor(row: Authenticator) -> list[str]:
    texts = [row.data[key] for key in SECOND_FACTOR if key in row.data]
    return [crypto.decrypt(text, bound_to=BOUND_TO) for text in texts]


SECOND_FACTOR = tuple(SECRETS.values())
EVERY = (
    Sealed(
        "Tokens of VPP accounts",
        VppAccount,
        "token_ciphertext",
        lambda row: row.stoken,
        way_out="renew it",
    ),
    # Needed for one last call to Apple, and nobody can renew them.
    Sealed("Tokens of removed accounts", FormerClaim, "token_ciphertext", lambda row: row.stoken),
    # A whole sync brings those whose digest is missing.
    Sealed(
        "Invitation codes",
        VppUser,
        "invite_code_ciphertext",
        lambda row: row.open_invite_code(),
        told_again=("invite_code_ciphertext", "invite_code_digest"),
    ),
    Sealed(
        "Client secrets of single sign-on",
        IdentityProvider,
        "client_secret_ciphertext",
        lambda row: row.client_secret,
        way_out="enter it again",
    ),
    Sealed(
        "API keys of MDM servers",
        ChannelSettings,
        "api_key_ciphertext",
        lambda row: row.api_key,
        way_out="enter it again",
    ),
    Sealed(
        "Webhook keys of MDM servers",
        ChannelSettings,
        "webhook_key_ciphertext",
        lambda row: row.webhook_key,
        way_out="make a new one",
    ),
    Sealed(
        "Secrets of webhooks",
        Webhook,
        "secret_ciphertext",
        lambda row: row.secret,
        way_out="rotate it",
    ),
    Sealed(
        "Earlier secrets of webhooks",
        Webhook,
        "previous_ciphertext",
        lambda row: row.previous_secret,
    ),
    Sealed(
        "What MDM servers told, until it is understood",
        ChannelEvent,
        "payload_ciphertext",
        lambda row: row.payload,
    ),
    Sealed(
        "Redemption codes",
        RedemptionCode,
        "code_ciphertext",
        lambda row: row.code,
        way_out="import them again",
    ),
    Sealed("Redemption codes being imported", CodeImport, "rows_ciphertext", lambda row: row.rows),
    Sealed(
        "Second factors",
        Authenticator,
        "data",
        _second_factor,
        keys=SECOND_FACTOR,
        way_out="set it up again",
        name=lambda row: f"of admin {row.user_id}",
    ),
)
