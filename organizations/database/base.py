"""The connection of the application's role: before a statement, the server learns its organization.

Set for the session and not for a transaction, so that statements outside of one are covered too;
a pooler in front of PostgreSQL has to pool sessions (docs/production.md). A setting made inside a
transaction or savepoint is undone by its rollback, so after one it is told again.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base
from psycopg2.extensions import TRANSACTION_STATUS_INERROR

from organizations import tenancy

TELL = "SELECT set_config('vpp.organization', %s, false), set_config('vpp.among', %s, false)"


class DatabaseWrapper(base.DatabaseWrapper):
    told: tenancy.Scope | None = None  # None: whatever the session says is not to be relied on

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self.told = None
        return super().get_new_connection(conn_params)

    def create_cursor(self, name: str | None = None) -> Any:
        self.tell(tenancy.current())
        return super().create_cursor(name)

    @property
    def is_broken(self) -> bool:
        """In a broken transaction nothing but its end is possible."""
        return bool(self.connection.info.transaction_status == TRANSACTION_STATUS_INERROR)

    def tell(self, scope: tenancy.Scope) -> None:
        if scope == self.told or self.is_broken:
            return
        self.told = None
        with self.connection.cursor() as cursor:
            cursor.execute(TELL, [str(scope.organization or ""), ",".join(map(str, scope.among))])
        self.told = scope

    def _rollback(self) -> Any:
        self.told = None
        return super()._rollback()  # type: ignore[misc]  # not in the stubs

    def _savepoint_rollback(self, sid: str) -> None:
        super()._savepoint_rollback(sid)  # type: ignore[misc]  # not in the stubs
        self.told = None
