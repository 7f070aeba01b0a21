"""A new token before it is taken: what its file says, what Apple says, and whose location it opens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from django.utils import timezone

from organizations.lookups import Found
from organizations.models import Organization
from vpp_accounts import lookups, stoken
from vpp_accounts.apple import errors
from vpp_accounts.apple.types import ClientConfig
from vpp_accounts.claims import other_mdm
from vpp_accounts.connections import SECONDS_OF_A_PAGE, client_for_new_token, within
from vpp_accounts.models import VppAccount
from vpp_accounts.refusals import (
    AddedAlready,
    ClaimedByAnotherMdm,
    InUseElsewhere,
    RefusedByApple,
    TokenExpired,
    TokenExpiredAtApple,
    TokenLegacy,
    TokenMalformed,
    TokenRevoked,
)
from vpp_accounts.stoken import ParsedToken

MDM_ID = 100  # Apple's longest mdmInfo.id


def preview_token(token_text: str | bytes) -> ParsedToken:
    """What the file says; refused for the same reasons as when it is added. Apple is not asked."""
    token = stoken.parse(token_text)
    if token.expires_at <= timezone.now():
        raise TokenExpired(token.expires_at)
    return token


def ask_apple(token: ParsedToken) -> ClientConfig | None:
    """The location's facts; None when Apple is silent; a refusal when Apple refuses the token."""
    client = client_for_new_token(token.text)
    try:
        return within(SECONDS_OF_A_PAGE, client.client_config)
    except errors.TokenExpired:
        raise TokenExpiredAtApple from None
    except errors.TokenRevoked:
        raise TokenRevoked from None
    except errors.LegacyToken:
        raise TokenLegacy from None
    except errors.TokenDead as error:
        raise TokenMalformed(error.number) from None
    except (errors.Unavailable, errors.Throttled):
        return None
    except errors.AppleError as error:
        raise RefusedByApple(error.number, error.text) from None
    finally:
        client.close()


def refuse_same_file(organization: Organization, token: ParsedToken) -> None:
    """Also finds accounts that Apple has not verified yet, whose location nobody knows."""
    _refuse(lookups.account_of_token.first(token.digest), organization)


def refuse_location_in_use(organization: Organization, config: ClientConfig) -> None:
    _refuse(lookups.account_of_location.first(config.uid), organization)


@contextmanager
def unless_taken(organization: Organization, config: ClientConfig | None) -> Iterator[None]:
    """A transaction; refused when somebody added the same location since we looked."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        if config:
            refuse_location_in_use(organization, config)
        raise


def _refuse(same: Found | None, organization: Organization) -> None:
    if same is None:
        return
    if same.organization_id == organization.pk:
        raise AddedAlready(VppAccount.objects.get(pk=same.id).name)
    raise InUseElsewhere


def consent_to_take_over(account: VppAccount, config: ClientConfig, take_over: bool) -> str:
    """The id of the MDM to displace, or "" where there is none."""
    holder = other_mdm(account, config.mdm_info)
    if holder is None:
        return ""
    if not take_over:
        raise ClaimedByAnotherMdm(holder)
    return holder.id[:MDM_ID]


def adopt_token(account: VppAccount, token: ParsedToken) -> list[str]:
    account.stoken = token.text
    account.token_hash = token.digest
    account.token_org_name = token.org_name
    account.token_expires_at = token.expires_at
    return ["token_ciphertext", "token_hash", "token_org_name", "token_expires_at"]
