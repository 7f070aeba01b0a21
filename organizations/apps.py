from django.apps import AppConfig


class OrganizationsConfig(AppConfig):
    name = "organizations"

    def ready(self) -> None:
        # Models must be loaded first.
        from organizations import checks, privileges, receivers  # noqa: PLC0415

        checks.connect()
        privileges.connect(self)
        receivers.connect()
