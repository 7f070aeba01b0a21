from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "users"

    def ready(self) -> None:
        from users import lookups, receivers  # noqa: F401, PLC0415  models must be loaded first

        receivers.connect()
