from django.db import migrations

from accounts.audit import chain
from tenants.operations import PublicSQL


class Migration(migrations.Migration):
    # Which makes the function of these triggers; a shared app never waits for one of tenants.
    dependencies = [
        ("audit", "0001_first"),
        ("accounts", "0009_the_platforms_chain_alone"),
    ]

    operations = [
        PublicSQL([chain.TENANTS.create_function()], migrations.RunSQL.noop),
        migrations.RunSQL(list(chain.TENANTS.keep()), chain.TENANTS.drop_keepers()),
    ]
