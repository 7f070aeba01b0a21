"""The door of one VPP account: visible, or 404; its licenses are for its allowed admins, or 403.

What changes its users and licenses (`network_writes`) is for those who manage it, full admins or not;
what changes the account itself, or owners, for full admins.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404

from licensing.models import LicensedApp
from organizations.api.doors import OrganizationApiView
from vpp_accounts.models import VppAccount
from vpp_accounts.permissions import refuse_strangers


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
        # What else it may be `with_rights` costs more than all the rest of a request that reads.
        account.is_open = account.may_be_used_by(self.membership)
        if self.needs_allowed_admin and not account.is_open:
            raise PermissionDenied(
                "You are not among the allowed admins of this VPP account, "
                "so its licenses and users are not shown to you."
            )
        self.account = account

    def refuse_readers(self) -> None:
        super().refuse_readers()
        if self.network_writes:
            refuse_strangers(self.account, self.membership)


class AssetApiView(VppAccountApiView):
    """Everything below …/assets/{adamId}/{pricingParam}, also of titles that Apple lists no more."""

    needs_allowed_admin = True

    title: LicensedApp

    def enter(self) -> None:
        super().enter()
        titles = LicensedApp.objects.visible_to(self.membership).filter(account=self.account)
        key = {"adam_id": self.kwargs["adamId"], "pricing_param": self.kwargs["pricingParam"]}
        title = titles.filter(**key).select_related("app").first()
        if title is None:
            raise Http404
        title.account = self.account
        self.title = title
