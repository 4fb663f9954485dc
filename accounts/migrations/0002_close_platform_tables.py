"""Tables of Django's own apps: open on the platform, closed inside every tenant."""

from django.db import migrations

from tenants.operations import CloseInsideTenants

TABLES = [
    "accounts_user_groups",
    "accounts_user_user_permissions",
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_admin_log",
    "django_content_type",
    "django_session",
]


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_first"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("sessions", "0001_initial"),
    ]
    operations = [CloseInsideTenants(table) for table in TABLES]
