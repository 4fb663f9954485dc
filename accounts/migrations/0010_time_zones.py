from django.db import migrations, models


class Migration(migrations.Migration):
    """A tenant names the time zone that it lives in."""

    dependencies = [("accounts", "0009_the_platforms_chain_alone")]

    operations = [
        migrations.AddField(
            model_name="tenantpolicy",
            name="time_zone",
            field=models.CharField(db_default="UTC", default="UTC", max_length=64),
        ),
    ]
