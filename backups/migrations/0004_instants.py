from django.db import migrations, models


class Migration(migrations.Migration):
    """A backup may be of an instant that has passed."""

    accepts = {"constraint_under_lock": "Backups are few rows: they are read in an instant."}

    dependencies = [("backups", "0003_verification")]

    operations = [
        migrations.AlterField(
            model_name="backup",
            name="reason",
            field=models.CharField(
                choices=[
                    ("asked", "Asked"),
                    ("nightly", "Nightly"),
                    ("first", "First"),
                    ("last", "Last"),
                    ("undo", "Undo"),
                    ("instant", "Instant"),
                ],
                max_length=20,
            ),
        ),
        migrations.RemoveConstraint(model_name="backup", name="backup_reason_is_known"),
        migrations.AddConstraint(
            model_name="backup",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("reason__in", ["asked", "nightly", "first", "last", "undo", "instant"])
                ),
                name="backup_reason_is_known",
            ),
        ),
    ]
