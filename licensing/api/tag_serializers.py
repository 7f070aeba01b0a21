# ruff: noqa: N815  # the names are those on the wire
"""What the endpoints of tags take and give."""

from __future__ import annotations

from rest_framework import serializers

from organizations.api.serializers import WireSerializer
from organizations.models import Tag

GIVEN_KINDS = [Tag.Kind.DEVICE.value, Tag.Kind.OWNER.value]


class UpdateTagSerializer(WireSerializer):
    fixed = frozenset({"id", "kind"})

    name = serializers.CharField(
        max_length=100, help_text="One word without spaces; upper and lower case are the same."
    )


class CreateTagSerializer(UpdateTagSerializer):
    kind = serializers.ChoiceField(
        GIVEN_KINDS,
        default=Tag.Kind.DEVICE.value,
        help_text="What it is meant for; either may be given to devices and to owners.",
    )


class TaggedAppSerializer(WireSerializer):
    """An app of a network."""

    appId = serializers.CharField()
    networkId = serializers.CharField()
    adamId = serializers.CharField()
    name = serializers.CharField(allow_blank=True)


class TagSerializer(WireSerializer):
    """Counted as far as this key sees devices, owners and apps."""

    id = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(
        Tag.Kind.values, help_text="automatic: devices get and lose it by themselves."
    )
    devices = serializers.IntegerField(help_text="Devices that were given the tag themselves.")
    devicesInAll = serializers.IntegerField(
        help_text="With those that have it from their owner: whom a scope means."
    )
    owners = serializers.IntegerField()
    usedBy = TaggedAppSerializer(many=True, help_text="The apps whose scope names it.")


class ScopeLossSerializer(TaggedAppSerializer):
    """What becomes of one app when it loses the tag from its scope."""

    devicesLeaving = serializers.IntegerField()
    devicesJoining = serializers.IntegerField()
    namesNoDevice = serializers.BooleanField(help_text="It was the last tag of the scope.")
    licensesFreed = serializers.IntegerField(help_text="After graceDays.")
    licensesKept = serializers.IntegerField(help_text="Because a person granted them.")
    graceDays = serializers.IntegerField()
    needsDecision = serializers.BooleanField(
        help_text="So many licenses are freed that somebody is asked first."
    )
    message = serializers.CharField(help_text="The same in a sentence.")


class TagDeletionSerializer(WireSerializer):
    """What deleting a tag leads to."""

    devices = serializers.IntegerField(help_text="Devices that lose it themselves.")
    owners = serializers.IntegerField()
    apps = ScopeLossSerializer(many=True)
    moreApps = serializers.IntegerField(
        help_text="So many more apps lose it from their scope; they are not counted out."
    )
