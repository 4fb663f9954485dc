from django.db import migrations

import tenants.operations


class Migration(migrations.Migration):
    """Rows can be carried to another schema, and what changes meanwhile is noted."""

    dependencies = [
        ("audit", "0002_written_by_the_chain_alone"),
        ("tenants", "0007_moves"),
    ]

    operations = [tenants.operations.RenewWalls()]
