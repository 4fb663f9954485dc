from django.db import migrations

import tenants.operations


class Migration(migrations.Migration):
    """Rows can be carried to another schema, and what changes meanwhile is noted."""

    dependencies = [
        ("trading", "0014_points_are_thinned"),
        ("tenants", "0007_moves"),
    ]

    operations = [tenants.operations.RenewWalls()]
