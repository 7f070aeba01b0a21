from django.apps import AppConfig


class VppAccountsConfig(AppConfig):
    name = "vpp_accounts"

    def ready(self) -> None:
        from vpp_accounts import lookups, receivers  # noqa: F401, PLC0415  models must be loaded first

        receivers.connect()
