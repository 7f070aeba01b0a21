from django.apps import AppConfig


class LicensingConfig(AppConfig):
    name = "licensing"

    def ready(self) -> None:
        from licensing import receivers  # noqa: PLC0415  models must be loaded first

        receivers.connect()
