"""An organization's own name and time zone."""

from __future__ import annotations

from django.db import transaction

from organizations import audit
from organizations.audit import Actor
from organizations.models import Organization
from organizations.refusals import Refusal
from organizations.services import LONGEST_NAME, checked_zone


class OrganizationNameWrong(Refusal):
    code = "organization_name_wrong"
    field = "name"

    def __init__(self) -> None:
        super().__init__(f"An organization needs a name of 1 to {LONGEST_NAME} characters.")


@transaction.atomic
def edit_organization(
    *, by: Actor, organization: Organization, name: str, time_zone: str | None = None
) -> Organization:
    """Without a time zone that stays as it is. What is so already leaves no trace."""
    locked = Organization.objects.select_for_update().get(pk=organization.pk)
    before = facts(locked)
    locked.name = checked_name(name)
    locked.time_zone = checked_zone(time_zone or locked.time_zone)
    after = facts(locked)
    changed = [fact for fact in after if after[fact] != before[fact]]
    if changed:
        locked.save(update_fields=["name", "time_zone"])
        audit.record(
            "organization.edited",
            by=by,
            organization=locked,
            target=locked,
            before={fact: before[fact] for fact in changed},
            after={fact: after[fact] for fact in changed},
        )
    return locked


def facts(organization: Organization) -> dict[str, str]:
    return {"organizationName": organization.name, "timeZone": organization.time_zone}


def checked_name(text: str) -> str:
    name = " ".join(text.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise OrganizationNameWrong
    return name
