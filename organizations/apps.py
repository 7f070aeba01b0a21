from django.apps import AppConfig


class OrganizationsConfig(AppConfig):
    name = "organizations"

    def ready(self) -> None:
        from organizations import privileges  # noqa: PLC0415  models must be loaded first

        privileges.connect(self)
