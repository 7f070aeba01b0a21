"""What Apple's service tells us, as values that cannot change.

Field names are Apple's words in snake_case. Identifiers (uId, adamId, versionId, clientUserId, serial
numbers) are opaque text exactly as Apple sent it; all times are aware and in UTC. Secrets that Apple
returns in clear never appear in a repr.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, NamedTuple, TypedDict, TypeVar

T = TypeVar("T")

# totalCount of a free title that may be assigned without end (Apple: "get-assets", 2026).
UNLIMITED = 2_147_483_647


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request may carry; the defaults are what Apple documents ("limits").

    Lengths are in characters, `max_request_per_second` counts all requests of one location.
    """

    max_assets: int = 25
    max_client_user_ids: int = 1000
    max_serial_numbers: int = 1000
    max_revoke_client_user_ids: int = 100
    max_revoke_serial_numbers: int = 100
    max_users: int = 100
    max_notification_length: int = 512
    max_mdm_id_length: int = 100
    max_mdm_name_length: int = 100
    max_mdm_metadata_length: int = 255
    max_request_per_second: int = 15
    max_subscriptions: int = 25
    max_subscription_client_user_ids: int = 1000


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """Answer of GET service/config. `urls` has Apple's keys, e.g. `invitationEmail`."""

    limits: Limits
    urls: Mapping[str, str]
    notification_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MdmInfo:
    """Who manages a location. Only `id` is proof; name and metadata are for people."""

    id: str
    name: str
    metadata: str


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """Answer of GET and POST client/config. `uid` is the identity of the location."""

    uid: str
    location_name: str
    country: str
    default_platform: str
    website_url: str
    token_expires_at: datetime | None
    mdm_info: MdmInfo | None
    notification_url: str | None
    notification_auth_token: str | None = field(repr=False)
    notification_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asset:
    """One title at one price class in one location. The four counts need not add up."""

    adam_id: str
    pricing_param: str
    product_type: str
    assigned_count: int
    available_count: int
    retired_count: int
    total_count: int
    device_assignable: bool
    revocable: bool
    supported_platforms: tuple[str, ...]

    @property
    def is_unlimited(self) -> bool:
        return self.total_count >= UNLIMITED


class Assignment(NamedTuple):
    """One license in use: by a client user or by a serial number, never both, never neither.

    A tuple and not a dataclass because a sync builds a million of them.
    """

    adam_id: str
    pricing_param: str
    client_user_id: str | None
    serial_number: str | None


@dataclass(frozen=True, slots=True)
class ClientUser:
    """One record of a client user; a clientUserId may have several, at most one of them active.

    `status` is Registered, Associated, Retired or Deleted.
    """

    client_user_id: str
    status: str
    email: str | None
    invite_code: str | None = field(repr=False)
    id_hash: str | None


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """The things an error speaks of; `assets` are (adamId, pricingParam)."""

    assets: tuple[tuple[str, str], ...] = ()
    client_user_ids: tuple[str, ...] = ()
    serial_numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An item of a list that could not be understood. `excerpt` shows harmless fields only."""

    kind: str
    reason: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list. `index` counts from 0; `next_index` is None on the last page.

    `version_id` names the state of the whole list and changes with every write to it; it is empty
    when Apple sent none.
    """

    rows: list[T]
    index: int
    total_pages: int
    next_index: int | None
    version_id: str
    unreadable: list[Unreadable]


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt at one request, fit for a log: it holds no secret and no body.

    `path` is relative to the base URL. `status` is None when no answer came, `error` the name of the
    error's class or empty. `seconds` is the time of the exchange without waiting for a permit.
    """

    method: str
    path: str
    query: str
    status: int | None
    number: int | None
    error: str
    seconds: float
    size: int
    attempt: int


class AssetFilters(TypedDict, total=False):
    """Filters of GET assets; counts are inclusive."""

    product_type: str | None
    pricing_param: str | None
    adam_id: str | None
    revocable: bool | None
    device_assignable: bool | None
    min_available_count: int | None
    max_available_count: int | None
    min_assigned_count: int | None
    max_assigned_count: int | None
    unlimited: bool | None
