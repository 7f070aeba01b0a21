# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of apps take and give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rest_framework import serializers

from apps_catalog.managing.checking import HIGHEST_PRIORITY, LONGEST_GRACE
from apps_catalog.models import InstallationState, ManagedPlatform, PurchaseMethod
from licensing.automation.preview import Fate
from organizations.api.scoping import ScopeField
from organizations.api.serializers import WireSerializer

METHODS = {
    "deviceAssignment": PurchaseMethod.DEVICE,
    "userAssignment": PurchaseMethod.USER,
    "redemptionCodes": PurchaseMethod.CODES,
    "none": PurchaseMethod.NONE,
}
METHOD_NAMES = {str(method.value): name for name, method in METHODS.items()}


class UpdateAppSerializer(WireSerializer):
    """Fields that are not sent stay as they are."""

    fixed = frozenset({"id", "networkId", "adamId", "platform", "country"})
    follows: ClassVar[Mapping[str, str]] = {"tags": "scope"}

    scope = ScopeField(
        required=False, help_text="“withAny,tag1,tag2”, or the same as a list of texts."
    )
    purchaseMethod = serializers.ChoiceField(
        list(METHODS),
        required=False,
        help_text="Free apps: deviceAssignment or none; all others: deviceAssignment or"
        " userAssignment; redemptionCodes only where some were imported.",
    )
    vppAccountIds = serializers.ListField(
        child=serializers.RegexField(
            r"\A[0-9]{1,18}\Z", error_messages={"invalid": "must be the id of a VPP account."}
        ),
        required=False,
        max_length=100,
        help_text="Licenses are drawn from them in this order.",
    )
    installAutomatically = serializers.BooleanField(required=False)
    removeWithMdm = serializers.BooleanField(required=False)
    manageUnmanaged = serializers.BooleanField(required=False)
    keepUpToDate = serializers.BooleanField(required=False)
    removableByUser = serializers.BooleanField(required=False)
    removeOutOfScope = serializers.BooleanField(required=False)
    grantAutomatically = serializers.BooleanField(required=False)
    revokeAutomatically = serializers.BooleanField(required=False)
    gracePeriodDays = serializers.IntegerField(required=False, min_value=0, max_value=LONGEST_GRACE)
    priority = serializers.IntegerField(
        required=False, min_value=-HIGHEST_PRIORITY, max_value=HIGHEST_PRIORITY
    )


class CreateAppSerializer(UpdateAppSerializer):
    adamId = serializers.RegexField(
        r"\A[0-9]{1,20}\Z", error_messages={"invalid": "must be digits only."}
    )
    platform = serializers.ChoiceField(ManagedPlatform.values, default=ManagedPlatform.IOS.value)
    country = serializers.RegexField(
        r"\A[A-Za-z]{2}\Z",
        required=False,
        error_messages={"invalid": "must be a code of two letters, for example US."},
        help_text="Of the store; by default that of a VPP account that has the title.",
    )


class AppCountsSerializer(WireSerializer):
    inScope = serializers.IntegerField()
    licensed = serializers.IntegerField()
    installed = serializers.IntegerField()
    waiting = serializers.IntegerField()
    blocked = serializers.IntegerField()
    failed = serializers.IntegerField()
    asOf = serializers.DateTimeField(allow_null=True)


class AppSerializer(WireSerializer):
    id = serializers.CharField()
    networkId = serializers.CharField()
    adamId = serializers.CharField()
    platform = serializers.ChoiceField(ManagedPlatform.values)
    country = serializers.CharField()
    name = serializers.CharField(allow_null=True)
    bundleId = serializers.CharField(allow_null=True)
    version = serializers.CharField(allow_null=True)
    scope = serializers.CharField(help_text="“withAny,tag1,tag2”.")
    tags = serializers.ListField(child=serializers.CharField())
    purchaseMethod = serializers.ChoiceField(list(METHODS))
    vppAccountIds = serializers.ListField(child=serializers.CharField())
    installAutomatically = serializers.BooleanField()
    removeWithMdm = serializers.BooleanField()
    manageUnmanaged = serializers.BooleanField()
    keepUpToDate = serializers.BooleanField()
    removableByUser = serializers.BooleanField()
    removeOutOfScope = serializers.BooleanField()
    grantAutomatically = serializers.BooleanField()
    revokeAutomatically = serializers.BooleanField()
    gracePeriodDays = serializers.IntegerField()
    priority = serializers.IntegerField()
    pausedAt = serializers.DateTimeField(allow_null=True)
    waitsForDecision = serializers.BooleanField()
    counts = AppCountsSerializer()


class AppPreviewSerializer(WireSerializer):
    """What saving would lead to now; nothing is saved."""

    inScope = serializers.IntegerField(help_text="Devices, or owners where they hold licenses.")
    licensed = serializers.IntegerField()
    willGet = serializers.IntegerField()
    waiting = serializers.IntegerField()
    whenAsked = serializers.IntegerField(help_text="Get one when an install is asked for.")
    cannot = serializers.DictField(child=serializers.IntegerField())
    leaving = serializers.IntegerField()
    willRevoke = serializers.IntegerField()
    keptByHand = serializers.IntegerField()
    needsDecision = serializers.BooleanField()
    free = serializers.DictField(child=serializers.IntegerField(allow_null=True))
    shortBy = serializers.IntegerField()
    cost = serializers.CharField(allow_null=True)
    transfers = serializers.ListField(child=serializers.CharField())
    notices = serializers.ListField(child=serializers.CharField())
    message = serializers.CharField()
    asOf = serializers.DateTimeField()


class ScopedDeviceSerializer(WireSerializer):
    """A device in scope. `state` is null while nothing was begun for it."""

    id = serializers.CharField()
    serialNumber = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_blank=True)
    ownerName = serializers.CharField(allow_null=True)
    license = serializers.ChoiceField([fate.value for fate in Fate])
    state = serializers.ChoiceField(InstallationState.choices, allow_null=True)
    reason = serializers.CharField(allow_null=True, help_text="A code such as noSerialNumber.")
    message = serializers.CharField(allow_blank=True)
    isManaged = serializers.BooleanField(allow_null=True)
    version = serializers.CharField(allow_blank=True)
    lastSeenAt = serializers.DateTimeField(allow_null=True)
