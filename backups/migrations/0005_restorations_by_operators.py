from django.db import migrations, models


class Migration(migrations.Migration):
    """A restoration stands on record too where an operator has typed it."""

    dependencies = [("backups", "0004_instants")]

    operations = [
        migrations.AlterField(
            model_name="restoration",
            name="asked_by_id",
            field=models.UUIDField(blank=True, null=True),
        ),
    ]
