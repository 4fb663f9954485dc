from django.db import migrations

from accounts.audit import chain


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_invitations_by_operators"),
        ("audit", "0002_written_by_the_chain_alone"),
    ]

    operations = [
        migrations.RunSQL([chain.PLATFORM.create_function()], migrations.RunSQL.noop),
        migrations.RunSQL(list(chain.PLATFORM.keep()), chain.PLATFORM.drop_keepers()),
    ]
