"""Alarms that were raised, so that each is raised once."""

from __future__ import annotations

from django.db import models

from organizations.models import Organization
from vpp_accounts.models.accounts import VppAccount


class Alarm(models.Model):
    """`key` names the occasion, e.g. the day a token ends and how many days before."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    account = models.ForeignKey(VppAccount, models.CASCADE, related_name="alarms")
    key = models.CharField(max_length=100)
    raised_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "key"], name="each_alarm_once")]

    def __str__(self) -> str:
        return self.key
