from django.db import migrations

import tenants.operations


class Migration(migrations.Migration):
    dependencies = [("tenants", "0004_emergency_lock")]

    operations = [tenants.operations.RenewEntry()]
