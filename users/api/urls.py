"""Addresses of the people's part of the API, without trailing slashes (see vpp_dashboard)."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
