from django.apps import AppConfig


class AppsCatalogConfig(AppConfig):
    name = "apps_catalog"

    def ready(self) -> None:
        from apps_catalog import lookups, receivers  # noqa: F401, PLC0415  models must be loaded first

        receivers.connect()
