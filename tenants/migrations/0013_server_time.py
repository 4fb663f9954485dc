from django.db import migrations, models

PACE = {"starter": 100, "pro": 400, "enterprise": 2_000}  # milliseconds a second


def set_pace(apps, schema_editor):
    plans = apps.get_model("tenants", "Plan").objects.using(schema_editor.connection.alias)
    for code, pace in PACE.items():
        plans.filter(code=code).update(server_ms_per_second=pace)


class Migration(migrations.Migration):
    """Plans say how long a tenant may keep the platform busy."""

    accepts = dict.fromkeys(
        ("constraint_under_lock", "rows_under_lock"), "Plans are a handful of rows."
    )

    dependencies = [("tenants", "0012_moves_taken_up")]

    operations = [
        migrations.AddField(
            model_name="plan",
            name="server_ms_per_second",
            field=models.PositiveIntegerField(db_default=100, default=100),
        ),
        migrations.RunPython(set_pace, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(("server_ms_per_second__gt", 0)), name="plan_gives_server_time"
            ),
        ),
    ]
