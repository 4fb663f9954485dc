"""Backups: what is kept of tenants outside the database, and what the platform knows of it."""

from django.apps import AppConfig


class BackupsConfig(AppConfig):
    name = "backups"
    default_auto_field = "django.db.models.BigAutoField"
