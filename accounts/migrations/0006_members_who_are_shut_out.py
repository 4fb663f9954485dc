from django.db import migrations, models


class Migration(migrations.Migration):
    accepts = dict.fromkeys(
        ("column_without_default", "rows_at_once", "rows_under_lock"),
        "Until 1.0 an installation stands still while it is migrated.",
    )

    dependencies = [
        ("accounts", "0005_trail"),
    ]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="is_active",
            field=models.BooleanField(default=True),
        ),
        migrations.RunSQL(
            "UPDATE accounts_membership m SET is_active = false"
            " FROM accounts_user u WHERE u.id = m.user_id AND NOT u.is_active",
            migrations.RunSQL.noop,
        ),
    ]
