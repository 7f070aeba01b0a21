"""Apple's App, Book and Subscription Management API for Python: client, types and errors."""

from vpp_accounts.apple.chunks import (
    ManageAssets,
    ManageSubscriptions,
    ManageUsers,
    RequestUser,
    RevokeAssets,
    chunks_of,
    cross_products,
    send_in_chunks,
)
from vpp_accounts.apple.client import AppleClient
from vpp_accounts.apple.cursors import CursorTraversal
from vpp_accounts.apple.events import (
    Accepted,
    AnswerLost,
    EventState,
    EventStatus,
    Failure,
    WriteResult,
)
from vpp_accounts.apple.pacing import LocalPacer, Pacer, RedisPacer
from vpp_accounts.apple.paging import Traversal

__all__ = [
    "Accepted",
    "AnswerLost",
    "AppleClient",
    "CursorTraversal",
    "EventState",
    "EventStatus",
    "Failure",
    "LocalPacer",
    "ManageAssets",
    "ManageSubscriptions",
    "ManageUsers",
    "Pacer",
    "RedisPacer",
    "RequestUser",
    "RevokeAssets",
    "Traversal",
    "WriteResult",
    "chunks_of",
    "cross_products",
    "send_in_chunks",
]
