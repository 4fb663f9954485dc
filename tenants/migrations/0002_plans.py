"""The three plans; staff may change their numbers afterwards."""

from django.db import migrations

MIB = 1024 * 1024
PLANS = [
    {
        "code": "starter",
        "name": "Starter",
        "requests_per_minute": 600,
        "statement_timeout_ms": 5_000,
        "concurrent_requests": 8,
        "cache_quota_bytes": 8 * MIB,
        "backups_daily": 7,
    },
    {
        "code": "pro",
        "name": "Pro",
        "requests_per_minute": 3_000,
        "statement_timeout_ms": 15_000,
        "concurrent_requests": 32,
        "cache_quota_bytes": 64 * MIB,
        "backups_daily": 7,
        "backups_weekly": 4,
    },
    {
        "code": "enterprise",
        "name": "Enterprise",
        "has_own_schema": True,
        "requests_per_minute": 30_000,
        "statement_timeout_ms": 60_000,
        "concurrent_requests": 128,
        "cache_quota_bytes": 512 * MIB,
        "backups_daily": 30,
        "backups_monthly": 12,
    },
]


def add_plans(apps, schema_editor):
    plans = apps.get_model("tenants", "Plan").objects.using(schema_editor.connection.alias)
    plans.bulk_create([plans.model(**plan) for plan in PLANS])


def remove_plans(apps, schema_editor):
    plans = apps.get_model("tenants", "Plan").objects.using(schema_editor.connection.alias)
    plans.filter(code__in=[plan["code"] for plan in PLANS]).delete()


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_first")]
    operations = [migrations.RunPython(add_plans, remove_plans)]
