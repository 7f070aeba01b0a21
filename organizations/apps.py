from django.apps import AppConfig


class OrganizationsConfig(AppConfig):
    name = "organizations"

    def ready(self) -> None:
        from organizations import privileges, receivers  # noqa: PLC0415  models must be loaded first

        privileges.connect(self)
        receivers.connect()
