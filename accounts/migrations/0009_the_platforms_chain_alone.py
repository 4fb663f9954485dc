from django.db import migrations

from accounts.audit import chain


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_invitations_by_operators"),
    ]

    operations = [
        migrations.RunSQL([chain.PLATFORM.create_function()], migrations.RunSQL.noop),
        migrations.RunSQL([chain.CREATE_KEEPER], [chain.DROP_KEEPER]),
        migrations.RunSQL(list(chain.PLATFORM.keep()), chain.PLATFORM.drop_keepers()),
    ]
