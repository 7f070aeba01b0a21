"""How admins sign in: allauth with our rules. Nobody signs up; admins are invited."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from organizations.models import Admin


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


def display_name(admin: Admin) -> str:
    return str(admin)
