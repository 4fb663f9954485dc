"""The trail of what was done in a tenant; it lives and moves with the tenant's rows."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "accounts.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"
