from django.db import migrations, models


class Migration(migrations.Migration):
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
