"""The endpoints of auto-renewable subscriptions (Apple, 2026; protocol reference 2.15).

    POST subscriptions/enable          enable_subscriptions
    POST subscriptions/disable         disable_subscriptions
    GET  subscriptions                 subscriptions
    GET  subscriptions/assignments     subscription_assignments
    POST subscriptions/associate       associate_subscriptions
    POST subscriptions/disassociate    disassociate_subscriptions
    GET  subscriptions/admins          subscription_admins
    POST subscriptions/admins/add      add_subscription_admins
    POST subscriptions/admins/remove   remove_subscription_admins

`associate` and `disassociate` start events like those of assets; the rest is done when it is answered.
"""

from vpp_accounts.apple import seats
from vpp_accounts.apple.caller import Caller
from vpp_accounts.apple.chunks import ManageSubscriptions
from vpp_accounts.apple.cursors import CursorTraversal
from vpp_accounts.apple.events import AnswerLost, WriteResult, accepted
from vpp_accounts.apple.seats import (
    AdminsChanged,
    Subscription,
    SubscriptionAdmin,
    SubscriptionAssignment,
    SubscriptionSupport,
)


class Subscriptions(Caller):
    """Seats of subscriptions. Users only, and only associated ones (9814)."""

    def enable_subscriptions(self) -> SubscriptionSupport | AnswerLost:
        """Let content managers buy subscriptions into the location.

        The product never calls this: it changes what an organization can spend money on.
        """
        return self._write("subscriptions/enable", None, seats.support)

    def disable_subscriptions(self) -> SubscriptionSupport | AnswerLost:
        """Declare subscriptions unsupported; refused with 9818 while there are any.

        The product never calls this, as it never calls `enable_subscriptions`.
        """
        return self._write("subscriptions/disable", None, seats.support)

    def subscriptions(
        self, *, parent_adam_id: int | None = None, adam_id: int | None = None
    ) -> CursorTraversal[Subscription]:
        """The subscriptions of the location, those with no seats left included."""
        filters = {"parent_adam_id": parent_adam_id, "adam_id": adam_id}
        return self._walk_by_cursor("subscriptions", filters, seats.subscription_page)

    def subscription_assignments(
        self,
        *,
        parent_adam_id: int | None = None,
        adam_id: int | None = None,
        client_user_id: str | None = None,
    ) -> CursorTraversal[SubscriptionAssignment]:
        """The seats in use."""
        filters = {
            "parent_adam_id": parent_adam_id,
            "adam_id": adam_id,
            "client_user_id": client_user_id,
        }
        return self._walk_by_cursor("subscriptions/assignments", filters, seats.assignment_page)

    def associate_subscriptions(
        self, request: ManageSubscriptions, *, renewing: bool
    ) -> WriteResult:
        """Give every user a seat of every subscription, one that renews or one that ends."""
        content = {**request.wire(), "renewing": renewing}
        return self._write("subscriptions/associate", content, accepted)

    def disassociate_subscriptions(
        self, request: ManageSubscriptions, *, deferred: bool = False
    ) -> WriteResult:
        """Take the seats back, now or (`deferred`) at the end of the period. Not held: 9815."""
        content = {**request.wire(), "deferred": deferred}
        return self._write("subscriptions/disassociate", content, accepted)

    def subscription_admins(
        self, *, adam_ids: tuple[int, ...] = (), include_user_state: bool | None = None
    ) -> CursorTraversal[SubscriptionAdmin]:
        """Who administers these subscriptions, or all of them."""
        filters = {"adam_id": adam_ids, "include_user_state": include_user_state}
        return self._walk_by_cursor("subscriptions/admins", filters, seats.admin_page)

    def add_subscription_admins(self, request: ManageSubscriptions) -> AdminsChanged | AnswerLost:
        """Make every user an administrator of every subscription."""
        return self._write("subscriptions/admins/add", request.wire(), seats.admins_changed)

    def remove_subscription_admins(
        self, request: ManageSubscriptions
    ) -> AdminsChanged | AnswerLost:
        """Let no user be an administrator of any of these subscriptions."""
        return self._write("subscriptions/admins/remove", request.wire(), seats.admins_changed)
