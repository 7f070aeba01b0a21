"""A scope with a name, as Meraki's target groups: programs make them once and name them often."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from organizations.models.tenant import Network, Organization


class TargetGroup(models.Model):
    """`operator`: a value of organizations.scopes.Operator, which these models do not know of."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    network = models.ForeignKey(Network, models.CASCADE, related_name="target_groups")
    name = models.CharField(max_length=200)
    operator = models.CharField(max_length=10)
    tag_ids = ArrayField(models.BigIntegerField(), default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "network", Lower("name"), name="target_group_name_once_per_network"
            )
        ]

    def __str__(self) -> str:
        return self.name
