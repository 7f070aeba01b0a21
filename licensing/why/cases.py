"""Everything that is known of one app and one device, each part read when a step asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from apps_catalog.channels.choosing import kind_of
from apps_catalog.models import (
    ChannelCommand,
    ChannelKind,
    Enrollment,
    Installation,
    ManagedApp,
    PurchaseMethod,
)
from apps_catalog.reasons import Reason, Where
from licensing.automation.sources import Source, Titles, sources_of
from licensing.models import OPEN_ITEMS, Assignment, Automation, BatchItem, BatchKind, LicensedApp
from licensing.why.facts import names_of, place_of, places
from licensing.why.links import LABELS, Place
from licensing.why.steps import Fix
from organizations import automatic_tags
from organizations.automatic_tags import Traits
from organizations.models import Device, Membership, Tag
from users.models import VppUser
from users.states import RETIRED
from vpp_accounts.models import VppAccount

SEVERAL = 20  # of the newest items of a holder, among which the open one is
HIDDEN = "a VPP account that is not open to you"
OF_THEIRS: Mapping[str, str] = {
    PurchaseMethod.DEVICE: Assignment.HolderKind.DEVICE,
    PurchaseMethod.USER: Assignment.HolderKind.USER,
}


@dataclass(frozen=True, slots=True)
class TagOnDevice:
    tag: Tag
    source: str  # “its own”, “from its owner Ann”, “automatic”

    def __str__(self) -> str:
        return f"{self.tag} ({self.source})"


@dataclass
class Case:
    app: ManagedApp
    device: Device
    membership: Membership

    @property
    def organization_id(self) -> int:
        return self.app.organization_id

    # --- Words ------------------------------------------------------------------------------------

    @cached_property
    def names(self) -> dict[str, str]:
        return names_of(self.app, self.device, [a for a in self.accounts if a.pk in self.open_ids])

    @cached_property
    def where(self) -> Place:
        titles = [
            self.title(source) for source in self.sources if source.account_id in self.open_ids
        ]
        return place_of(self.app, self.device, next(filter(None, titles), None), self.membership)

    def told(self, reason: Reason) -> str:
        return reason.told(**self.names)

    def fix(self, text: str, where: Where) -> Fix:
        return Fix(text, self.where.url_of(where), LABELS.get(where, ""))

    def fix_of(self, reason: Reason) -> Fix | None:
        return self.fix(reason.fix, reason.where) if reason.fix else None

    def name_of(self, account_id: int) -> str:
        """Of accounts that are not open to this admin nothing is told, and no name."""
        names = {account.pk: account.name for account in self.accounts}
        return names.get(account_id, HIDDEN) if account_id in self.open_ids else HIDDEN

    # --- Scope ------------------------------------------------------------------------------------

    @cached_property
    def installation(self) -> Installation | None:
        return Installation.objects.filter(managed_app=self.app, device=self.device).first()

    @cached_property
    def tags(self) -> Mapping[int, Tag]:
        ours = Tag.objects.filter(organization=self.organization_id)
        owner = self.device.owner.tag_ids if self.device.owner else []
        return ours.in_bulk([*self.app.scope_tag_ids, *self.device.tag_ids, *owner])

    @cached_property
    def tags_on_device(self) -> dict[int, TagOnDevice]:
        """Its own before those of its owner, before the automatic ones that the scope names."""
        owner = self.device.owner
        found = dict.fromkeys(self._automatic, "automatic")
        if owner:
            found |= dict.fromkeys(owner.tag_ids, f"from its owner {owner}")
        found |= dict.fromkeys(self.device.tag_ids, "its own")
        return {
            pk: TagOnDevice(self.tags[pk], told) for pk, told in found.items() if pk in self.tags
        }

    @property
    def _automatic(self) -> list[int]:
        device = self.device
        traits = Traits(
            device.platform, device.supervised, device.enrollment, device.owner_id is not None
        )
        known = automatic_tags.ids_of(self.organization_id)
        return [pk for pk, tag in known.items() if pk in self.tags and tag.fits(traits)]

    # --- License ----------------------------------------------------------------------------------

    @cached_property
    def accounts(self) -> list[VppAccount]:
        """In the order in which the app draws from them."""
        links = self.app.accounts.select_related("account").order_by("place", "pk")
        return [link.account for link in links]

    @cached_property
    def open_ids(self) -> frozenset[int]:
        return frozenset(VppAccount.objects.open_to(self.membership).values_list("pk", flat=True))

    @cached_property
    def titles(self) -> Titles:
        return Titles.of(self.organization_id, self.app.adam_id)

    @cached_property
    def sources(self) -> list[Source]:
        return sources_of(self.titles, [account.pk for account in self.accounts])

    def title(self, source: Source) -> LicensedApp | None:
        return next((row for row in self.titles.rows if row.pk == source.title_id), None)

    @cached_property
    def people(self) -> dict[int, VppUser]:
        """The owner's record in each account; of two the one that is not retired."""
        if self.device.owner_id is None:
            return {}
        rows = VppUser.objects.filter(organization=self.organization_id, owner=self.device.owner_id)
        return {row.account_id: row for row in sorted(rows, key=lambda row: not _is_retired(row))}

    @cached_property
    def holders(self) -> list[str]:
        if self.app.purchase_method == PurchaseMethod.USER:
            return [person.client_user_id for person in self.people.values()]
        return [self.device.serial_number] if self.device.serial_number else []

    @cached_property
    def assignment(self) -> Assignment | None:
        """A license of any of the organization's accounts serves."""
        held = Assignment.objects.filter(
            organization=self.organization_id,
            account__in=self.titles.account_ids,
            licensed_app__in=self.titles.ids,
            holder_kind=OF_THEIRS.get(self.app.purchase_method, ""),
            holder__in=self.holders,
        )
        return held.order_by("since").first()

    @cached_property
    def item(self) -> BatchItem | None:
        """What is under way, else what was asked last."""
        items = self._items
        return next(
            (each for each in items if each.state in OPEN_ITEMS), items[0] if items else None
        )

    @property
    def _items(self) -> list[BatchItem]:
        items = BatchItem.objects.filter(
            organization=self.organization_id,
            holder__in=self.holders,
            licensed_app__in=self.titles.ids,
            kind__in=(BatchKind.GRANT, BatchKind.REVOKE),
        )
        return list(items.select_related("batch", "operation").order_by("-pk")[:SEVERAL])

    @cached_property
    def queue(self) -> tuple[int, int]:
        """Its place among those who wait, and how many they are; 0 where it does not wait."""
        return next(iter(places(self.titles.ids, self.holders).values()), (0, 0))

    @cached_property
    def is_paused(self) -> bool:
        ours = Automation.objects.filter(organization=self.organization_id)
        everywhere = ours.exclude(paused_at=None).exists()
        return self.app.paused_at is not None or everywhere

    @cached_property
    def is_held(self) -> bool:
        return self.app.holds.filter(decided_at=None).exists()

    # --- The device -------------------------------------------------------------------------------

    @cached_property
    def channel(self) -> ChannelKind:
        return kind_of(self.organization_id)

    @cached_property
    def enrollment(self) -> Enrollment | None:
        return Enrollment.objects.filter(device=self.device).first()

    @cached_property
    def command(self) -> ChannelCommand | None:
        ours = ChannelCommand.objects.filter(device=self.device, managed_app_id=self.app.pk)
        return ours.order_by("-pk").first()


def _is_retired(person: VppUser) -> bool:
    return person.apple_status in RETIRED
