"""Addresses of the part of the API about channels and codes, without trailing slashes
(see vpp_dashboard)."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
