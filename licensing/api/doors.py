"""The door of one VPP account: visible, or 404; its licenses are for its allowed admins, or 403."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404

from organizations.api.doors import OrganizationApiView
from vpp_accounts.models import VppAccount


class VppAccountApiView(OrganizationApiView):
    """Everything below /sm/vppAccounts/{vppAccountId}."""

    # Whether this shows or changes licenses or users, and not only the account itself.
    needs_allowed_admin = False

    account: VppAccount

    def enter(self) -> None:
        super().enter()
        visible = VppAccount.objects.visible_to(self.membership).select_related("organization")
        account = visible.filter(pk=self.row_id("vppAccountId")).first()
        if account is None:
            raise Http404
        if self.needs_allowed_admin and not account.may_be_used_by(self.membership):
            raise PermissionDenied(
                "You are not among the allowed admins of this VPP account, "
                "so its licenses and users are not shown to you."
            )
        self.account = account
