from django.db import migrations, models


class Migration(migrations.Migration):
    """A tenant's row says since when its work goes on, after it was suspended or restored."""

    dependencies = [("tenants", "0014_restoring")]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="returned_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
