"""The link of an invitation: who has it may accept, and nothing that is stored makes one.

It is the invitation's id and generation with a keyed signature. Another generation makes earlier
links void; opening a link, a preview or a HEAD request uses nothing up.
"""

from __future__ import annotations

from urllib.parse import quote

import segno
from django.conf import settings
from django.core import signing
from django.urls import reverse

from organizations import tenancy
from users import lookups
from users.models import Invitation, VppUser
from vpp_accounts import lookups as accounts
from vpp_accounts.models import VppAccount

SIGNER = signing.Signer(salt="users.invitation", sep="~")
SAMPLES = signing.Signer(salt="users.invitation.sample", sep="~")
# Where Apple has not told its address yet (protocol reference 2.3).
APPLES_PAGE = (
    "https://buy.itunes.apple.com/WebObjects/MZFinance.woa/wa/associateVPPUserWithITSAccount"
    "?inviteCode=%25inviteCode%25&mt=8"
)
PLACES = ("%25inviteCode%25", "%inviteCode%")


def token_of(invitation: Invitation) -> str:
    return SIGNER.sign(f"{invitation.pk}.{invitation.generation}")


def url_of(invitation: Invitation) -> str:
    path = reverse("users:invitation", args=[token_of(invitation)])
    return f"{settings.BASE_URL}{path}"


def is_ours(token: str) -> bool:
    """Whether we made this link, whatever has become of what it leads to."""
    return _signed(token) is not None


def find(token: str) -> tuple[Invitation | None, bool]:
    """The invitation, and whether the link is its newest; none where there is no such invitation.

    The rest of the request works in its organization.
    """
    signed = _signed(token)
    if signed is None:
        return None, False
    pk, generation = signed
    tenancy.enter(lookups.invitation.organization(pk))
    known = Invitation.objects.select_related("account", "user__owner", "organization")
    invitation = known.filter(pk=pk).first()
    return invitation, invitation is not None and invitation.generation == generation


def sample_token(account: VppAccount) -> str:
    """Of a link that shows the page to an admin; nothing happens behind it."""
    return SAMPLES.sign(str(account.pk))


def sample_of(token: str) -> VppAccount | None:
    """The account whose page a sample shows; none where it is no sample."""
    try:
        pk = int(SAMPLES.unsign(token))
    except (signing.BadSignature, ValueError):
        return None
    tenancy.enter(accounts.account.organization(pk))
    return VppAccount.objects.select_related("organization").filter(pk=pk).first()


def qr_code(url: str) -> str:
    """As SVG, without a style of its own; dark on light in every theme, or cameras miss it."""
    code = segno.make(url, micro=False, error="m")
    return code.svg_inline(border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr")


def apples_page(account: VppAccount, user: VppUser) -> str:
    """Apple's own page for this person; empty while Apple has no code for them."""
    url, code = account.invitation_url or APPLES_PAGE, quote(user.invite_code, safe="")
    for place in PLACES:
        url = url.replace(place, code)
    return url if code else ""


def _signed(token: str) -> tuple[int, int] | None:
    """The id and the generation in a link of ours; compared in constant time by the signer."""
    try:
        pk, generation = (int(part) for part in SIGNER.unsign(token).split("."))
    except (signing.BadSignature, ValueError):
        return None
    return pk, generation
