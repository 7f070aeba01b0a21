"""The lease of syncs, batches and automation; installations have the same."""

from vpp_accounts.leases import Hold, LeaseLost

__all__ = ["Hold", "LeaseLost"]
