from django.db import migrations

import tenants.operations


class Migration(migrations.Migration):
    dependencies = [
        ("trading", "0001_first"),
        ("tenants", "0003_one_proof_for_the_owner"),
    ]

    operations = [tenants.operations.RenewWalls()]
