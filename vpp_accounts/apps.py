from django.apps import AppConfig


class VppAccountsConfig(AppConfig):
    name = "vpp_accounts"
