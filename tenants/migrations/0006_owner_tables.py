from django.db import migrations

from tenants import owner_tables


class Migration(migrations.Migration):
    dependencies = [("tenants", "0005_the_ticket_rides_on_begin")]

    operations = [
        migrations.RunSQL(sql=list(owner_tables.INSTALL), reverse_sql=owner_tables.UNINSTALL)
    ]
