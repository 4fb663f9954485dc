from django.db import migrations

import tenants.operations


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_plans")]

    operations = [tenants.operations.RenewEntry()]
