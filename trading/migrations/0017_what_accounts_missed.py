from django.db import migrations, models


class Migration(migrations.Migration):
    """An account says with which return of its tenant it has caught up."""

    dependencies = [("trading", "0016_keys_with_owners_are_no_way_to_a_list")]

    operations = [
        migrations.AddField(
            model_name="account",
            name="returned_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
