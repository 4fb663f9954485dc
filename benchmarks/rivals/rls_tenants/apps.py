"""The app, under the name that all rivals' have."""

from django.apps import AppConfig


class Shop(AppConfig):
    name = "benchmarks.rivals.rls_tenants"
    label = "shop"
