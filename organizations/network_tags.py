"""Access by network tag: each network that carries the tag, as rows that everything else reads."""

from __future__ import annotations

from django.db import connection, transaction

from organizations.models import Organization

# A tag that was taken away, from the admin or from the network.
END = """
DELETE FROM organizations_networkaccess access
WHERE access.organization_id = %(organization)s AND access.tag <> '' AND NOT EXISTS (
    SELECT FROM organizations_networktagaccess given
    JOIN organizations_network network ON network.id = access.network_id
    WHERE given.membership_id = access.membership_id AND given.tag = access.tag
        AND lower(given.tag) IN (SELECT lower(tag) FROM unnest(network.tags) tag)
)
"""
BEGIN = """
INSERT INTO organizations_networkaccess AS access
    (organization_id, membership_id, network_id, can_write, tag)
SELECT given.organization_id, given.membership_id, network.id, given.can_write, given.tag
FROM organizations_networktagaccess given
JOIN organizations_network network ON network.organization_id = given.organization_id
WHERE given.organization_id = %(organization)s
    AND lower(given.tag) IN (SELECT lower(tag) FROM unnest(network.tags) tag)
ON CONFLICT (membership_id, network_id, tag) DO UPDATE SET can_write = excluded.can_write
WHERE access.can_write <> excluded.can_write
"""


@transaction.atomic
def renew(organization: Organization) -> None:
    """Call it in the transaction of whatever changed a network's tags or an admin's."""
    # One after the other: two who changed a network and an admin would each miss the other's half.
    lock(organization)
    with connection.cursor() as cursor:
        for statement in (END, BEGIN):
            cursor.execute(statement, {"organization": organization.pk})


def lock(organization: Organization) -> None:
    """Rights in an organization are changed by one at a time; after the networks' own rows."""
    Organization.objects.select_for_update(no_key=True).filter(pk=organization.pk).get()
