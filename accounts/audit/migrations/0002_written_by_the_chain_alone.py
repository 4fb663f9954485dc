from django.db import migrations

from accounts.audit import chain
from tenants.operations import PublicSQL


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_first")]

    operations = [
        PublicSQL([chain.TENANTS.create_function()], migrations.RunSQL.noop),
        PublicSQL([chain.CREATE_KEEPER], [chain.DROP_KEEPER]),
        migrations.RunSQL(list(chain.TENANTS.keep()), chain.TENANTS.drop_keepers()),
    ]
