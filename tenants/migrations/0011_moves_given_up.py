from django.db import migrations, models


class Migration(migrations.Migration):
    """Whoever carries a tenant's rows looks whether somebody has given the move up."""

    dependencies = [
        ("tenants", "0010_fleet_ledger"),
    ]

    operations = [
        migrations.AddField(
            model_name="tenantmove",
            name="given_up_by",
            field=models.CharField(blank=True, db_default="", default="", max_length=120),
        ),
    ]
