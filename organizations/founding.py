"""A new organization and its first full admin: the work of whoever runs the installation."""

from __future__ import annotations

from django.db import connection, transaction

from organizations import audit, automatic_tags, tenancy
from organizations.audit import Actor
from organizations.models import Admin, Membership, Organization, OrganizationAccess


def found(*, by: Actor, name: str, time_zone: str, first_admin: Admin) -> Organization:
    with tenancy.inside(next_id()), transaction.atomic():
        organization = Organization.objects.create(
            pk=tenancy.current().organization, name=name, time_zone=time_zone
        )
        Membership.objects.create(
            organization=organization, admin=first_admin, access=OrganizationAccess.FULL
        )
        automatic_tags.ensure(organization)
        audit.record(
            "organization.created",
            by=by,
            organization=organization,
            target=organization,
            after={"name": name, "admin": first_admin.email},
        )
    return organization


def next_id() -> int:
    """Known before the row is there, since nobody may write outside of the organization at hand."""
    with connection.cursor() as cursor:
        table = Organization._meta.db_table
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [table])
        return int(cursor.fetchone()[0])
