"""What the three database roles may do, put in place after every migration.

The application's role reads and writes rows of the organization at hand (organizations/walls.py),
but owns nothing and can only add to the audit log. The system role sweeps across organizations, and
alone removes what of the audit log has expired.
"""

from typing import Any

from django.conf import settings
from django.db import connections, models

from organizations import lookups, walls

APPEND_ONLY = "organizations_auditevent"


def grant(sender: Any, using: str, **kwargs: Any) -> None:
    owner = settings.DATABASES["owner"].get("USER")
    app, system = (settings.DATABASES[alias].get("USER") for alias in ("default", "system"))
    roles = {app, system} - {owner}
    if using != "owner" or not roles:
        return
    connection = connections[using]
    with connection.cursor() as cursor:
        quoted = ", ".join(connection.ops.quote_name(role) for role in sorted(roles))
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {quoted}")
        cursor.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {quoted}"
        )
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {quoted}")
        cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {APPEND_ONLY} FROM {quoted}")
        if system != app:
            cursor.execute(f"GRANT DELETE ON {APPEND_ONLY} TO {connection.ops.quote_name(system)}")
    walls.put_up(connection)
    lookups.install(connection, quoted)


def connect(app_config: Any) -> None:
    models.signals.post_migrate.connect(
        grant, sender=app_config, dispatch_uid="organizations.privileges"
    )
