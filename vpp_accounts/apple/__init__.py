"""Apple's App and Book Management API for Python: the client, its types and its errors."""

from vpp_accounts.apple.client import AppleClient
from vpp_accounts.apple.pacing import LocalPacer, Pacer, RedisPacer
from vpp_accounts.apple.paging import Traversal

__all__ = ["AppleClient", "LocalPacer", "Pacer", "RedisPacer", "Traversal"]
