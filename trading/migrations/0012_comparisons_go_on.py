from django.db import migrations, models


class Migration(migrations.Migration):
    """A comparison notes how far it has seen an exchange's trades, where that was not all."""

    dependencies = [("trading", "0011_last_equity")]

    operations = [
        migrations.AddField(
            model_name="reconciliation",
            name="trades_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
