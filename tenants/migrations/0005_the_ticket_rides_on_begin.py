from django.db import migrations

import tenants.operations


class Migration(migrations.Migration):
    accepts = tenants.operations.MAKES_A_DOMAIN

    dependencies = [("tenants", "0004_emergency_lock")]

    operations = [tenants.operations.RenewEntry()]
