from django.db import migrations, models


class Migration(migrations.Migration):
    """Whether somebody wants to read a backup, and the key that is lent for it."""

    dependencies = [("backups", "0001_first")]

    operations = [
        migrations.AddField(
            "backup", "export_asked_at", models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddField("backup", "export_until", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("backup", "sealed_key", models.BinaryField(max_length=200, null=True)),
    ]
