"""Pages of whoever is signed in. What came through single sign-on is shut out of most of them."""

from __future__ import annotations

from tests.sweep import knocking
from tests.sweep.rules import MEMBERS, NOBODY, NOT_FOUND, SIGN_IN, Line, Personal

ANYBODY = MEMBERS  # these are not about an organization


def own(writes: frozenset[str] = ANYBODY, **more: object) -> Personal:
    return Personal(writes=writes, is_lax=True, is_shut_to_limited=True, **more)


PERSONAL: dict[str, Line] = {
    "home": Personal(answers=302),
    "licensing:organization_list": Personal(),
    "licensing:organization_search": Personal(),
    "organizations:my_data": own(),
    "organizations:api_key_list": Personal(),
    "organizations:api_key_add": Personal(writes=ANYBODY),
    "organizations:api_key_revoke": Personal(writes=ANYBODY),
    "organizations:invitation_accept": Personal(
        NOBODY, ANYBODY, owner=knocking.INVITED, is_shut_to_limited=True
    ),
    "organizations:invitation_decline": Personal(
        NOBODY, ANYBODY, owner=knocking.INVITED, is_shut_to_limited=True
    ),
    "my_account": Personal(writes=ANYBODY),
    "usersessions_list": own(),
    "account_logout": Personal(writes=ANYBODY, acts=SIGN_IN, is_lax=True),
    "account_reauthenticate": own(),
    "account_change_password": own(),
    "account_set_password": own(answers=302),
    # A second factor. The first four are about what the full admin has.
    "mfa_edit_webauthn": own(),
    "mfa_remove_webauthn": own(),
    "mfa_deactivate_totp": own(needs_row=True),
    "mfa_view_recovery_codes": own(NOBODY),
    "mfa_index": own(NOBODY),
    "mfa_add_webauthn": own(),
    "mfa_activate_totp": own(answers=302),
    "mfa_generate_recovery_codes": own(),
    "mfa_authenticate": Personal(writes=ANYBODY, answers=302, is_lax=True),
    "mfa_login_webauthn": own(answers=302),
    "mfa_reauthenticate": own(),
    "mfa_reauthenticate_webauthn": own(),
    "sso_again": Personal(writes=ANYBODY, passes=NOT_FOUND),  # none of them came that way
}
