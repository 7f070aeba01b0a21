"""Where an app's licenses come from: the titles of its accounts, in order, and what is in the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from apps_catalog.reasons import Reason
from licensing.batches.boundaries import Boundaries
from licensing.batches.facts import free_of, pending_grants
from licensing.batches.plans import runs_on
from licensing.models import LicensedApp
from vpp_accounts.models import VppAccount


@dataclass(frozen=True, slots=True)
class Source:
    """A title of an account, or an account without one. `free` None: without end.

    `networks`: whose devices may get its licenses; None: all of them.
    """

    account_id: int
    title_id: int | None = None
    free: int | None = 0
    device_assignable: bool = False
    revocable: bool = True
    platforms: Set[str] = frozenset()
    networks: Set[int] | None = None
    barrier: Reason | None = None

    def why_not(self, network_id: int, platform: str, *, to_devices: bool) -> Reason | None:
        """Why nobody there gets a license of it."""
        if self.barrier:
            return self.barrier
        if to_devices and self.networks is not None and network_id not in self.networks:
            return Reason.NETWORK
        if to_devices and not self.device_assignable:
            return Reason.NOT_FOR_DEVICES
        return None if runs_on(self.platforms, platform) else Reason.PLATFORM


@dataclass(frozen=True, slots=True)
class Titles:
    """All titles of one Adam ID in an organization: a license of any of them serves its holder."""

    rows: Sequence[LicensedApp]

    @classmethod
    def of(cls, organization_id: int, adam_id: str) -> Titles:
        rows = LicensedApp.objects.filter(organization=organization_id, adam_id=adam_id)
        # STDQ before PLUS: what can be taken back and given to anybody.
        return cls(list(rows.order_by("account", "-pricing_param", "pk")))

    @property
    def ids(self) -> list[int]:
        return [title.pk for title in self.rows]

    @property
    def account_ids(self) -> list[int]:
        return sorted({title.account_id for title in self.rows})


def sources_of(titles: Titles, account_ids: Sequence[int]) -> list[Source]:
    """Of these accounts in their order; one without the title says why it has none to give."""
    accounts = VppAccount.objects.in_bulk(account_ids)
    pending = pending_grants(titles.ids)
    by_account: dict[int, list[LicensedApp]] = {}
    for title in titles.rows:
        by_account.setdefault(title.account_id, []).append(title)
    return [
        source
        for pk in account_ids
        if pk in accounts
        for source in _of_account(accounts[pk], by_account.get(pk, []), pending)
    ]


def _of_account(
    account: VppAccount, titles: Iterable[LicensedApp], pending: Mapping[int, int]
) -> list[Source]:
    titles = list(titles)
    there = [title for title in titles if title.gone_at is None]
    if not there:
        return [Source(account.pk, barrier=Reason.STORE_GONE if titles else Reason.NOT_BOUGHT)]
    networks = Boundaries.of(account, None).assignable
    return [_of_title(account, title, pending.get(title.pk, 0), networks) for title in there]


def _of_title(
    account: VppAccount, title: LicensedApp, pending: int, networks: Set[int] | None
) -> Source:
    return Source(
        account_id=account.pk,
        title_id=title.pk,
        free=free_of(title, pending),
        device_assignable=title.device_assignable and not title.is_book,
        revocable=title.revocable,
        platforms=frozenset(title.platforms),
        networks=networks,
        barrier=_barrier(account, title),
    )


def _barrier(account: VppAccount, title: LicensedApp) -> Reason | None:
    if account.takes_no_changes:
        return Reason.ACCOUNT_STOPPED
    return Reason.BOOK if title.is_book else None


def why_no_source(
    sources: Sequence[Source], network_id: int, platform: str, *, to_devices: bool
) -> Reason | None:
    """Why none of them has a license for such a device; None where one has, or will have."""
    reasons = [s.why_not(network_id, platform, to_devices=to_devices) for s in sources]
    if not reasons:
        return Reason.NO_ACCOUNT
    return None if None in reasons else reasons[0]
