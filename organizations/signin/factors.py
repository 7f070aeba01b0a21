"""What an admin signs in with beside the password: an authenticator app, passkeys, recovery codes.

Secrets lie encrypted in `Authenticator.data`. They are bound to their kind of use and not to their
row, because allauth hands over the text alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from urllib.parse import urlsplit

import segno
import structlog
from allauth.mfa import app_settings
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.crypto import constant_time_compare

from organizations import crypto, lookups, tenancy
from organizations.crypto import CannotDecrypt
from organizations.models import Admin, Membership, Organization

log = structlog.get_logger(__name__)

Type = Authenticator.Type
FACTORS = (Type.TOTP, Type.WEBAUTHN)  # recovery codes stand in for one of these
BOUND_TO = "second_factor"
SECRETS = {Type.TOTP: "secret", Type.RECOVERY_CODES: "seed"}  # where in `data` the ciphertext lies
LAST_COUNTER = "last_counter"


class SecretUnreadable(ValidationError):
    def __init__(self) -> None:
        super().__init__(
            "What is stored of your second factor cannot be read: this server has lost an encryption"
            " key. Use a passkey, or ask whoever runs this server."
        )


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "That is not the right code, or it has been used already.",
        "cannot_generate_recovery_codes": "Set up an authenticator app or a passkey first.",
    }

    def encrypt(self, text: str) -> str:
        return crypto.encrypt(text, bound_to=BOUND_TO)

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return crypto.decrypt(encrypted_text, bound_to=BOUND_TO)
        except CannotDecrypt as error:
            log.exception("second_factor.unreadable")
            raise SecretUnreadable from error

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return not obstacle_to_removing(authenticator)

    def get_totp_issuer(self) -> str:
        return f"VPP Dashboard {urlsplit(settings.BASE_URL).hostname}"

    def build_totp_svg(self, url: str) -> str:
        picture = BytesIO()
        segno.make(url, error="m").save(picture, kind="svg", xmldecl=False, scale=4, light="white")
        return picture.getvalue().decode()

    def generate_authenticator_name(self, user: Admin, type: str) -> str:
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return "Passkey" if number == 1 else f"Passkey {number}"

    def _get_site_name(self) -> str:
        return "VPP Dashboard"


# --- Who has one -----------------------------------------------------------------------------------


def has_second_factor(admin: Admin) -> bool:
    return bool(with_second_factor([admin.pk]))


def with_second_factor(admin_ids: Iterable[int]) -> set[int]:
    """Those of these admins who have one; in one statement."""
    found = Authenticator.objects.filter(user__in=admin_ids, type__in=FACTORS)
    return set(found.values_list("user", flat=True))


def recovery_codes_left(authenticator: Authenticator) -> int:
    """Told without opening their secret."""
    return int(app_settings.RECOVERY_CODE_COUNT - authenticator.data["used_mask"].bit_count())


def obstacle_to_removing(authenticator: Authenticator) -> str:
    """Why this factor has to stay; empty if it may go."""
    others = Authenticator.objects.filter(user=authenticator.user_id, type__in=FACTORS)
    if authenticator.type not in FACTORS or others.exclude(pk=authenticator.pk).exists():
        return ""
    names = organizations_that_require_one(authenticator.user)
    if not names:
        return ""
    verb = "requires" if len(names) == 1 else "require"
    return f"{' and '.join(names)} {verb} a second factor, and this is your only one. Add another first."


def organizations_that_require_one(admin: Admin) -> list[str]:
    """Of everybody, or of this admin, who may come in without the single sign-on that they require."""
    ids = [found.organization_id for found in lookups.accepted_memberships_of.all(admin.pk)]
    with tenancy.among(ids):
        skips = Membership.objects.filter(
            organization=OuterRef("pk"), admin=admin, may_skip_single_sign_on=True
        )
        required = Q(requires_second_factor=True) | Q(Exists(skips), requires_single_sign_on=True)
        ours = Organization.objects.filter(required, pk__in=ids)
        return list(ours.order_by("name").values_list("name", flat=True))


# --- Codes ---------------------------------------------------------------------------------------


def accept(admin: Admin, code: str) -> Authenticator | None:
    """The authenticator to which this code belongs. Each code counts once, also without Redis."""
    unreadable: SecretUnreadable | None = None
    with transaction.atomic():
        ours = Authenticator.objects.select_for_update().filter(user=admin, type__in=SECRETS)
        for authenticator in ours.order_by("-type"):  # the app first
            check = _accept_totp if authenticator.type == Type.TOTP else _accept_recovery_code
            try:
                if check(authenticator, code):
                    return authenticator
            except SecretUnreadable as error:
                unreadable = error
    if unreadable:
        raise unreadable
    return None


def _accept_totp(authenticator: Authenticator, code: str) -> bool:
    secret = app_secret(authenticator)
    for counter in totp.yield_hotp_counters_from_time():
        expected = totp.format_hotp_value(totp.hotp_value(secret, counter))
        if constant_time_compare(plain(code), expected):
            return _is_newer(authenticator, counter)
    return False


def _is_newer(authenticator: Authenticator, counter: int) -> bool:
    if counter <= authenticator.data.get(LAST_COUNTER, 0):
        return False
    authenticator.data[LAST_COUNTER] = counter
    authenticator.save(update_fields=["data"])
    return True


def _accept_recovery_code(authenticator: Authenticator, code: str) -> bool:
    codes = authenticator.wrap()
    right = bool(codes.validate_code(plain(code)))
    authenticator.data = codes.instance.data  # it was read anew
    return right


def app_secret(authenticator: Authenticator) -> str:
    return MFAAdapter().decrypt(authenticator.data[SECRETS[Type.TOTP]])


def plain(code: str) -> str:
    return "".join(code.split())
