"""Sets of accounts: those an admin may see or change, and the same from the account's side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, QuerySet, TextField, Value
from django.db.models.functions import Coalesce, NullIf
from django.utils import timezone

from organizations.models import Membership, Network, NetworkAccess, OrganizationAccess

if TYPE_CHECKING:
    from vpp_accounts.models.accounts import VppAccount  # noqa: F401  named in quotes


class AllowedAdmins(models.TextChoices):
    ALL = "all", "All organization admins"
    NETWORKS = "networks", "Admins of these networks"
    NAMED = "named", "These admins"


class AssignableNetworks(models.TextChoices):
    ALL = "all", "All networks"
    SOME = "some", "These networks"
    NONE = "none", "No network"


class VppAccountQuerySet(models.QuerySet["VppAccount"]):
    def visible_to(self, membership: Membership) -> VppAccountQuerySet:
        """The accounts themselves, as on Organization > MDM."""
        ours = self.filter(organization=membership.organization_id)
        return ours if membership.sees_organization else ours.open_to(membership)

    def open_to(self, membership: Membership) -> VppAccountQuerySet:
        """The accounts whose users and licenses this admin may see: its allowed admins' only."""
        admin_of_a_network = Q(
            allowed_admins=AllowedAdmins.NETWORKS,
            allowed_networks__accesses__membership=membership,
        )
        named = Q(allowed_admins=AllowedAdmins.NAMED, named_admins=membership.admin_id)
        allowed = admin_of_a_network | named
        if membership.sees_organization:
            allowed |= Q(allowed_admins=AllowedAdmins.ALL)
        ids = self.filter(allowed, organization=membership.organization_id).values("pk")
        return self.filter(pk__in=ids)

    def manageable_by(self, membership: Membership) -> VppAccountQuerySet:
        """The accounts whose users and licenses this admin may change; all of them are open too."""
        theirs = self.managers().filter(member=membership.pk)
        return self.filter(pk__in=theirs.values("pk"))

    def managers(self) -> QuerySet[Any, Any]:
        """A row for each account and `member`, a membership's id, who may change its users and
        licenses: full admins as far as they are allowed admins, others by what they may write.
        """
        is_full, can_write = Q(member_access=OrganizationAccess.FULL), Q(can_write=True)
        access = NetworkAccess.objects.filter(membership=OuterRef("member"))
        allowed = self._linked("allowed_networks", OuterRef(OuterRef("pk"))).values("network")
        in_allowed = access.filter(network__in=allowed)
        named = self._linked("named_admins", OuterRef("pk")).filter(admin=OuterRef("member_admin"))
        by_name = Exists(named) & (is_full | Q(Exists(access.filter(can_write))))
        by_network = Q(Exists(in_allowed.filter(can_write))) | is_full & Q(Exists(in_allowed))
        return self._with_members().filter(
            Q(allowed_admins=AllowedAdmins.ALL) & is_full
            | Q(allowed_admins=AllowedAdmins.NAMED) & by_name
            | Q(allowed_admins=AllowedAdmins.NETWORKS) & by_network
        )

    def _with_members(self) -> QuerySet[Any, Any]:
        """A row for each account and everybody who can sign in to its organization."""
        member = "organization__memberships"
        rows: QuerySet[Any, Any] = self.annotate(
            member=F(f"{member}__pk"),
            member_access=F(f"{member}__access"),
            member_admin=F(f"{member}__admin"),
            member_accepted_at=F(f"{member}__accepted_at"),
            member_is_active=F(f"{member}__admin__is_active"),
        )
        return rows.filter(member_accepted_at__isnull=False, member_is_active=True)

    def managed_only_by(self, membership: Membership) -> VppAccountQuerySet:
        """Those that nobody could manage any more without this admin."""
        others = self.managers().exclude(member=membership.pk)
        return self.manageable_by(membership).exclude(pk__in=others.values("pk"))

    def with_rights(self, membership: Membership) -> VppAccountQuerySet:
        """What this admin may do with each, and whom and what its lists name.

        Admins of networks only are told of their own networks, and of nobody else's name.
        """
        each = self.model._default_manager.filter(pk=OuterRef("pk"))
        networks = Q(network__in=Network.objects.visible_to(membership).values("pk"))
        admins = Q(admin__in=Membership.objects.accepted_in(membership).values("admin"))
        if not membership.sees_organization:
            admins = Q(admin=membership.admin_id)
        network_name = F("network__name")
        admin_name = Coalesce(
            NullIf("admin__name", Value("")), F("admin__email"), output_field=TextField()
        )
        accounts: Any = self  # the model says what is added
        rows = accounts.annotate(
            is_open=Exists(each.open_to(membership)),
            is_manageable=Exists(each.manageable_by(membership)),
            is_managed=Exists(each.managers()),
            admin_names=self._names("named_admins", admin_name, admins),
            network_names=self._names("allowed_networks", network_name, networks),
            assignable_names=self._names("assignable_network_list", network_name, networks),
        )
        return cast("VppAccountQuerySet", rows)

    def _names(self, field: str, name: Any, shown: Q) -> ArraySubquery:
        linked = self._linked(field, OuterRef("pk")).filter(shown)
        return ArraySubquery(linked.annotate(word=name).order_by("word").values("word"))

    def _linked(self, field: str, account: Any) -> QuerySet[Any, Any]:
        through: Any = getattr(self.model, field).through
        linked: QuerySet[Any, Any] = through._default_manager.filter(vppaccount=account)
        return linked

    def due_for_sync(self) -> VppAccountQuerySet:
        """Those whose turn has come and that Apple would answer."""
        return self.filter(next_sync_at__lte=timezone.now()).exclude(state__in=self.model.STOPPED)
