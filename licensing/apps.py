from django.apps import AppConfig


class LicensingConfig(AppConfig):
    name = "licensing"

    def ready(self) -> None:
        from licensing import lookups, receivers  # noqa: F401, PLC0415  models must be loaded first

        receivers.connect()
