"""A district with two schools, every kind of admin, and one VPP account that they share."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from licensing.models import LicensedApp
from organizations.models import Admin, Membership, Network, Organization
from tests import factories
from tests.conftest import signed_in
from tests.draining import synced
from tests.test_sync import KEYNOTE
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

# Kind of admin -> access to the organization, and to the school Oak: True may write there.
KINDS: dict[str, tuple[str, bool | None]] = {
    "full": ("full", None),
    "full, of Oak": ("full", True),
    "reader": ("read-only", None),
    "reader, of Oak": ("read-only", True),
    "of Oak": ("none", True),
    "reads Oak": ("none", False),
    "of Birch": ("none", None),
}
EVERYBODY = frozenset(KINDS)
ALLOWED = ("all", "networks", "named")
# Who may see the account's licenses, and who of them may change something.
OPEN = {
    "all": {"full", "full, of Oak", "reader", "reader, of Oak"},
    "networks": {"full, of Oak", "reader, of Oak", "of Oak", "reads Oak"},
    "named": EVERYBODY,
}
MANAGING = {
    "all": {"full", "full, of Oak"},
    "networks": {"full, of Oak", "reader, of Oak", "of Oak"},
    "named": {"full", "full, of Oak", "reader, of Oak", "of Oak", "of Birch"},
}
# Those see the account itself though its licenses are closed to them.
OF_THE_ORGANIZATION = {"full", "full, of Oak", "reader", "reader, of Oak"}


@dataclass
class District:
    fake: FakeApple
    account: VppAccount
    title: LicensedApp
    oak: Network
    birch: Network
    members: dict[str, Membership]

    @property
    def organization(self) -> Organization:
        return self.account.organization

    def admin(self, kind: str) -> Admin:
        return self.members[kind].admin

    def client(self, kind: str):
        return signed_in(self.admin(kind))

    @transaction.atomic
    def allow(self, which: str, *kinds: str) -> None:
        """The list of allowed admins: all, those of Oak, or these (else everybody)."""
        self.account.allowed_admins = which
        self.account.save(update_fields=["allowed_admins"])
        self.account.allowed_networks.set([self.oak])
        self.account.named_admins.set([self.admin(kind) for kind in kinds or KINDS])

    @transaction.atomic
    def assign_in(self, *networks: Network | str) -> None:
        """The list of assignable networks: "all", "none", or these."""
        word = networks[0] if networks[0] in ("all", "none") else "some"
        self.account.assignable_networks = word
        self.account.save(update_fields=["assignable_networks"])
        chosen = networks if word == "some" else []
        self.account.assignable_network_list.set(chosen)

    @property
    def title_url(self) -> str:
        place = f"{self.account.pk}/apps/{self.title.adam_id}/{self.title.pricing_param}/"
        return self.below("manage/vpp/" + place)

    def below(self, path: str) -> str:
        return f"/organizations/{self.organization.pk}/{path}"

    @property
    def api(self) -> str:
        return f"/organizations/{self.organization.pk}/sm/vppAccounts/{self.account.pk}"


def district(fake: FakeApple, account: VppAccount) -> District:
    """Two devices in each school, ten licenses of Keynote."""
    organization = account.organization
    fake.purchase(account.uid, KEYNOTE, quantity=10)
    title = synced(account)[KEYNOTE]
    oak, birch = (
        factories.NetworkFactory(organization=organization, name=name) for name in ("Oak", "Birch")
    )
    for network in (oak, birch):
        for number in (1, 2):
            factories.DeviceFactory(
                organization=organization,
                network=network,
                serial_number=f"{network.name.upper()}{number}",
            )
    members = {}
    for kind, (access, writes_oak) in KINDS.items():
        members[kind] = factories.MembershipFactory(organization=organization, access=access)
        network = birch if kind == "of Birch" else oak
        if writes_oak is not None or kind == "of Birch":
            factories.NetworkAccessFactory(
                membership=members[kind], network=network, can_write=writes_oak is not False
            )
    return District(fake, account, title, oak, birch, members)
