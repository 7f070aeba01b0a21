"""People who were invited and never came: once nobody invites them any more, nothing is kept."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import transaction
from django.utils import timezone

from organizations.models import Admin

KEPT = timedelta(days=1)


def forget_newcomers() -> int:
    """The system role's work, since it has to know of all organizations; answers how many."""
    strangers = Admin.objects.using("system").filter(
        memberships=None,
        last_login=None,
        password__startswith=UNUSABLE_PASSWORD_PREFIX,
        date_joined__lt=timezone.now() - KEPT,
    )
    with transaction.atomic(using="system"):
        # Whoever is just being invited is locked by that, and stays.
        rows = Admin.objects.using("system").filter(pk__in=strangers.values("pk"))
        ids = list(rows.select_for_update(skip_locked=True).values_list("pk", flat=True))
        alone = strangers.filter(pk__in=ids)
        return alone.delete()[1].get(Admin._meta.label, 0)
