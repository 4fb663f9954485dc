from django.db import migrations

from tenants import owner_tables


class Migration(migrations.Migration):
    """What each schema has stands in one place; rows come when schemas are next migrated."""

    dependencies = [("tenants", "0009_what_tenants_have")]

    operations = [
        migrations.RunSQL(sql=owner_tables.FLEET_LEDGER, reverse_sql=owner_tables.DROP_FLEET_LEDGER)
    ]
