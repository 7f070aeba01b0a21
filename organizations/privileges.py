"""What the three database roles may do, put in place after every migration.

The application's role reads and writes rows but owns nothing, and cannot change or remove the
audit log. The system role, for sweeps across organizations, may do the same.
"""

from typing import Any

from django.conf import settings
from django.db import connections, models

APPEND_ONLY = "organizations_auditevent"


def grant(sender: Any, using: str, **kwargs: Any) -> None:
    owner = settings.DATABASES["owner"].get("USER")
    roles = {settings.DATABASES[alias].get("USER") for alias in ("default", "system")} - {owner}
    if using != "owner" or not roles:
        return
    with connections[using].cursor() as cursor:
        quoted = ", ".join(connections[using].ops.quote_name(role) for role in sorted(roles))
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {quoted}")
        cursor.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {quoted}"
        )
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {quoted}")
        cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {APPEND_ONLY} FROM {quoted}")


def connect(app_config: Any) -> None:
    models.signals.post_migrate.connect(
        grant, sender=app_config, dispatch_uid="organizations.privileges"
    )
