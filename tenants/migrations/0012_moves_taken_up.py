from django.db import migrations, models


class Migration(migrations.Migration):
    """Moves say who asked for them and when they were last tried, so that a timer takes them up."""

    dependencies = [
        ("tenants", "0011_moves_given_up"),
    ]

    operations = [
        migrations.AddField(
            model_name="tenantmove",
            name="by",
            field=models.CharField(blank=True, db_default="", default="", max_length=120),
        ),
        migrations.AddField(
            model_name="tenantmove",
            name="attempts",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="tenantmove",
            name="tried_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
