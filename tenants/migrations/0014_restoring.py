from django.db import migrations

import tenants.operations


class Migration(migrations.Migration):
    """Who comes while a tenant's rows are exchanged for a backup's is refused, and does not wait."""

    accepts = tenants.operations.MAKES_A_DOMAIN

    dependencies = [("tenants", "0013_server_time")]

    operations = [tenants.operations.RenewEntry()]
