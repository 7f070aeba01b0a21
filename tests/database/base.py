"""The database engine of the tests: signs in as the system role, and becomes the application's."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from organizations import tenancy
from organizations.database import base
from tests.database import is_serving, is_sweeping


class DatabaseWrapper(base.DatabaseWrapper):
    role: str | None = None

    def get_connection_params(self) -> dict[str, Any]:
        system = settings.DATABASES["system"]
        as_system = {"user": system["USER"], "password": system["PASSWORD"]}
        return {**super().get_connection_params(), **as_system}

    def tell(self, scope: tenancy.Scope) -> None:
        is_app = (is_serving() or scope != tenancy.NOWHERE) and not is_sweeping()
        role = (
            settings.DATABASES["default"]["USER"]
            if is_app
            else settings.DATABASES["system"]["USER"]
        )
        if self.told is None or role != self.role:
            self.told = None  # the role is undone by a rollback together with the rest
            self.take_on(role)
        super().tell(scope)

    def take_on(self, role: str) -> None:
        if self.is_broken:
            return
        with self.connection.cursor() as cursor:
            if role != self.role:
                self.forget_temporary_tables(cursor)
            cursor.execute(f"SET ROLE {self.ops.quote_name(role)}")
        self.role = role

    def forget_temporary_tables(self, cursor: Any) -> None:
        """In a test they outlive the transaction that made them, and the next role could not drop them."""
        cursor.execute("RESET ROLE")
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"DROP TABLE pg_temp.{self.ops.quote_name(table)}")
