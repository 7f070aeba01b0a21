"""Apple's App and Book Management API, version 2: one method per endpoint.

    GET  service/config    service_config      limits and URLs, without a token
    GET  client/config     client_config       the location behind the token
    POST client/config     set_client_config   who manages it, where notifications go
    GET  assets            assets              titles and their counts
    GET  assignments       assignments         licenses in use
    GET  users             users               client users

The endpoints that change licenses and users are in `writes`, those of subscriptions in
`subscriptions`, and what all of them share in `caller`. Errors are those of `errors`; none of them,
nor any repr, shows the token.
"""

from typing import Unpack

from vpp_accounts.apple import reading
from vpp_accounts.apple.caller import ServiceConfigCache
from vpp_accounts.apple.paging import Traversal
from vpp_accounts.apple.subscriptions import Subscriptions
from vpp_accounts.apple.types import (
    Asset,
    AssetFilters,
    Assignment,
    ClientConfig,
    ClientUser,
    MdmInfo,
)
from vpp_accounts.apple.writes import Writes

__all__ = ["AppleClient", "ServiceConfigCache"]


class AppleClient(Writes, Subscriptions):
    """One location's view of Apple's service; `Caller` says what it is made of."""

    def client_config(self) -> ClientConfig:
        """The location behind the token: the test of a token, and who manages the location."""
        return self._read("client/config", [], reading.client_config)

    def set_client_config(
        self,
        *,
        mdm_info: MdmInfo | None = None,
        notification_url: str | None = None,
        notification_auth_token: str | None = None,
        notification_types: tuple[str, ...] | list[str] | None = None,
    ) -> ClientConfig:
        """Change what is given, keep the rest. Sent once.

        `notification_url` and `notification_auth_token` come together (512 characters each); Apple
        sends a test notification to them before it answers. `notification_types` replaces the whole set.
        """
        content = {
            "mdmInfo": mdm_info
            and {"id": mdm_info.id, "name": mdm_info.name, "metadata": mdm_info.metadata},
            "notificationUrl": notification_url,
            "notificationAuthToken": notification_auth_token,
            "notificationTypes": notification_types,
        }
        given = {key: value for key, value in content.items() if value is not None}
        return reading.client_config(self._post("client/config", given))

    def assets(self, **filters: Unpack[AssetFilters]) -> Traversal[Asset]:
        """The titles of the location, one per adamId and pricingParam."""
        unknown = filters.keys() - AssetFilters.__annotations__.keys()
        if unknown:
            raise TypeError(f"Apple has no filter {', '.join(sorted(unknown))} for assets.")
        return self._walk("assets", filters, reading.asset_page)

    def assignments(
        self,
        *,
        adam_id: str | None = None,
        pricing_param: str | None = None,
        client_user_id: str | None = None,
        serial_number: str | None = None,
        since_version_id: str | None = None,
        exclude_inactive_users: bool | None = None,
    ) -> Traversal[Assignment]:
        """The licenses in use, serial numbers as Apple spells them.

        With `since_version_id` only those added since; what was removed since is never told.
        """
        filters = {
            "adam_id": adam_id,
            "pricing_param": pricing_param,
            "client_user_id": client_user_id,
            "serial_number": serial_number,
            "since_version_id": since_version_id,
            "exclude_inactive_users": exclude_inactive_users,
        }
        return self._walk("assignments", filters, reading.assignment_page)

    def users(
        self,
        *,
        active_only: bool | None = None,
        retired_only: bool | None = None,
        client_user_id: str | None = None,
        since_version_id: str | None = None,
    ) -> Traversal[ClientUser]:
        """The client users; one `client_user_id` may have several records."""
        filters = {
            "active_only": active_only,
            "retired_only": retired_only,
            "client_user_id": client_user_id,
            "since_version_id": since_version_id,
        }
        return self._walk("users", filters, reading.user_page)
