from django.db import migrations

from tenants.constraints import TenantWall
from tenants.roles import APP


class Migration(migrations.Migration):
    """Points of equity may be deleted: old ones are thinned out. The rest of their wall stands."""

    dependencies = [("trading", "0013_base_fees")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f"GRANT DELETE ON trading_equitypoint TO {APP}",
                    f"REVOKE DELETE ON trading_equitypoint FROM {APP}",
                ),
            ],
            state_operations=[
                migrations.RemoveConstraint(
                    model_name="equitypoint", name="trading_equitypoint_wall"
                ),
                migrations.AddConstraint(
                    model_name="equitypoint",
                    constraint=TenantWall(name="trading_equitypoint_wall", owner_column="user_id"),
                ),
            ],
        ),
    ]
