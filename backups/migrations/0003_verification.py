from django.db import migrations, models


class Migration(migrations.Migration):
    """When a backup was last put back to try it, and what was wrong with it."""

    dependencies = [("backups", "0002_exports")]

    operations = [
        migrations.AddField("backup", "verified_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "backup",
            "verified_fault",
            models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
    ]
