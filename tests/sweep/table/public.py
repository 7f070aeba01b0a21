"""What answers without a session: sign-in, links in mails, Apple's notifications, probes."""

from __future__ import annotations

from typing import Any

from tests.sweep.rules import FORBIDDEN, MEMBERS, NOBODY, NOT_FOUND, SIGN_IN, Line, Public
from tests.sweep.tenant import OURS, SECRET

ANYBODY = MEMBERS  # these are not about an organization
AS_FOUND = 0  # the probe says what it finds
ABOUT_OURS = (OURS, f"{OURS}ville")
PERSON = {"token": "link"}
OIDC, SAML = {"uuid": "provider_uuid"}, {"uuid": "saml_uuid"}


def out(**more: Any) -> Public:
    """For who is not signed in, and shut to who came through single sign-on."""
    return Public(is_lax=True, is_shut_to_limited=True, **more)


PUBLIC: dict[str, Line] = {
    "account_login": Public(writes=ANYBODY, answers=302, is_lax=True),
    "account_inactive": Public(is_lax=True),
    "account_signup": out(writes=ANYBODY, answers=302),
    "account_reset_password": out(writes=ANYBODY),
    "account_reset_password_done": out(),
    "account_reset_password_from_key": out(
        writes=ANYBODY, at="/accounts/password/reset/key/1-none/"
    ),
    "account_reset_password_from_key_done": out(),
    "mfa_list_webauthn": out(answers=302),
    # Single sign-on; the provider cannot be reached, and did not ask for any of these
    "sso_find": Public(writes=ANYBODY),
    "sso_start": Public(writes=ANYBODY, acts=FORBIDDEN, rows=OIDC, tells=ABOUT_OURS),
    "sso_oidc_callback": Public(passes=FORBIDDEN, rows=OIDC, tells=ABOUT_OURS),
    "sso_saml_acs": Public(NOBODY, ANYBODY, passes=FORBIDDEN, rows=SAML, tells=ABOUT_OURS),
    "sso_saml_finish": Public(passes=FORBIDDEN, rows=SAML, tells=ABOUT_OURS),
    "sso_saml_metadata": Public(rows=SAML, tells=ABOUT_OURS),
    # Links in mails: whoever has one may go in
    "organizations:invitation": Public(
        writes=ANYBODY, rows={"token": "admin_link"}, tells=ABOUT_OURS, is_shut_to_limited=True
    ),
    "organizations:alarms_off": Public(
        writes=ANYBODY, rows={"token": "alarms_link"}, tells=ABOUT_OURS
    ),
    "users:invitation": Public(rows=PERSON, notes=True, tells=ABOUT_OURS),
    # On to Apple's page, with the person's code in its address.
    "users:invitation_go": Public(
        answers=302, rows=PERSON, notes=True, tells=(*ABOUT_OURS, SECRET)
    ),
    "users:invitation_ask": Public(NOBODY, ANYBODY, rows=PERSON),
    "users:invitation_logo": Public(rows=PERSON),
    # Programs
    "vpp_accounts:receive_notification": Public(NOBODY, ANYBODY, passes=SIGN_IN),
    "apps_catalog:receive_event": Public(
        NOBODY, ANYBODY, passes=SIGN_IN, rows={"uuid": "channel_uuid"}
    ),
    "openapi": Public(),
    "api_docs": Public(),
    "metrics": Public(passes=SIGN_IN),  # for whoever has its token
    "health_live": Public(),
    "health_ready": Public(answers=AS_FOUND),
}
# Not there: nothing else answers below /api/, and the inbox belongs to the demo.
MISSING: dict[str, Line] = {
    "/^api(?:/.*)?$": Public(passes=NOT_FOUND, at="/api/none", is_lax=True),
    "demo_inbox": Public(passes=NOT_FOUND),
    "demo_mail": Public(passes=NOT_FOUND, rows={"file": "a", "number": 1}),
    "demo_mail_html": Public(passes=NOT_FOUND, rows={"file": "a", "number": 1}),
}
