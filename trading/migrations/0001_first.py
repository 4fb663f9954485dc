from decimal import Decimal

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import tenants.constraints
import tenants.identifiers
import tenants.ownership
import trading.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.identifiers.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", tenants.ownership.TenantId()),
                ("user_id", models.UUIDField(editable=False)),
                ("name", models.CharField(max_length=80)),
                (
                    "kind",
                    models.CharField(choices=[("paper", "Paper")], default="paper", max_length=20),
                ),
                ("currency", models.CharField(max_length=20)),
                (
                    "cost_method",
                    models.CharField(
                        choices=[("average", "Average"), ("fifo", "Fifo")],
                        default="average",
                        max_length=10,
                    ),
                ),
                ("is_default", models.BooleanField(default=False)),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "Active"), ("halted", "Halted")],
                        default="active",
                        max_length=10,
                    ),
                ),
                ("maker_bps", trading.fields.AmountField(default=Decimal("10"))),
                ("taker_bps", trading.fields.AmountField(default=Decimal("20"))),
                ("slippage_bps", trading.fields.AmountField(default=Decimal("5"))),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["tenant_id", "user_id", "-created_at", "-id"],
                        name="account_of_user",
                    ),
                    models.Index(fields=["tenant_id", "-created_at", "-id"], name="account_newest"),
                ],
                "constraints": [
                    tenants.constraints.TenantWall(
                        name="trading_account_wall", owner_column="user_id"
                    ),
                    models.UniqueConstraint(
                        fields=("tenant_id", "user_id", "name"), name="account_name_is_unique"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_default", True)),
                        fields=("tenant_id", "user_id"),
                        name="account_default_is_one",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("maker_bps__gte", 0), ("slippage_bps__gte", 0), ("taker_bps__gte", 0)
                        ),
                        name="account_costs_are_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IdempotentRequest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.identifiers.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", tenants.ownership.TenantId()),
                ("user_id", models.UUIDField(editable=False)),
                ("key", models.CharField(max_length=128)),
                ("digest", models.BinaryField(max_length=32)),
                ("status", models.PositiveSmallIntegerField()),
                ("answer", models.TextField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    tenants.constraints.TenantWall(
                        name="trading_idempotentrequest_wall", owner_column="user_id"
                    ),
                    models.UniqueConstraint(
                        fields=("tenant_id", "user_id", "key"), name="idempotency_key_is_unique"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.identifiers.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", tenants.ownership.TenantId()),
                ("user_id", models.UUIDField(editable=False)),
                ("instrument", models.CharField(max_length=32)),
                (
                    "side",
                    models.CharField(choices=[("buy", "buy"), ("sell", "sell")], max_length=4),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("market", "market"),
                            ("limit", "limit"),
                            ("stop", "stop"),
                            ("stop_limit", "stop_limit"),
                            ("trailing_stop", "trailing_stop"),
                        ],
                        max_length=20,
                    ),
                ),
                ("quantity", trading.fields.AmountField()),
                ("notional", trading.fields.AmountField(blank=True, null=True)),
                ("limit_price", trading.fields.AmountField(blank=True, null=True)),
                (
                    "time_in_force",
                    models.CharField(
                        choices=[
                            ("gtc", "gtc"),
                            ("ioc", "ioc"),
                            ("fok", "fok"),
                            ("day", "day"),
                            ("gtd", "gtd"),
                        ],
                        max_length=3,
                    ),
                ),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("post_only", models.BooleanField(default=False)),
                ("client_order_id", models.CharField(max_length=64)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("initialized", "initialized"),
                            ("submitted", "submitted"),
                            ("accepted", "accepted"),
                            ("triggered", "triggered"),
                            ("partially_filled", "partially_filled"),
                            ("filled", "filled"),
                            ("denied", "denied"),
                            ("rejected", "rejected"),
                            ("pending_cancel", "pending_cancel"),
                            ("canceled", "canceled"),
                            ("pending_replace", "pending_replace"),
                            ("replaced", "replaced"),
                            ("expired", "expired"),
                        ],
                        max_length=20,
                    ),
                ),
                ("status_reason", models.CharField(blank=True, max_length=64)),
                ("filled_quantity", trading.fields.AmountField(default=Decimal("0"))),
                ("average_price", trading.fields.AmountField(blank=True, null=True)),
                ("fees", trading.fields.AmountField(default=Decimal("0"))),
                ("locked", trading.fields.AmountField(default=Decimal("0"))),
                ("locked_currency", models.CharField(max_length=20)),
                ("matched_through", models.DateTimeField(blank=True, null=True)),
                ("is_resting", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                (
                    "account",
                    tenants.ownership.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="orders",
                        to="trading.account",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Position",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.identifiers.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", tenants.ownership.TenantId()),
                ("user_id", models.UUIDField(editable=False)),
                ("instrument", models.CharField(max_length=32)),
                ("quantity", trading.fields.AmountField(default=Decimal("0"))),
                ("locked_quantity", trading.fields.AmountField(default=Decimal("0"))),
                ("average_price", trading.fields.AmountField(default=Decimal("0"))),
                ("cost_basis", trading.fields.AmountField(default=Decimal("0"))),
                ("realized_pnl", trading.fields.AmountField(default=Decimal("0"))),
                ("fees", trading.fields.AmountField(default=Decimal("0"))),
                ("notes", models.TextField(blank=True, max_length=10000)),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    tenants.ownership.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="positions",
                        to="trading.account",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Fill",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.identifiers.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", tenants.ownership.TenantId()),
                ("user_id", models.UUIDField(editable=False)),
                ("instrument", models.CharField(max_length=32)),
                (
                    "side",
                    models.CharField(choices=[("buy", "buy"), ("sell", "sell")], max_length=4),
                ),
                ("quantity", trading.fields.AmountField()),
                ("price", trading.fields.AmountField()),
                ("fee", trading.fields.AmountField()),
                ("fee_currency", models.CharField(max_length=20)),
                ("realized_pnl", trading.fields.AmountField()),
                (
                    "liquidity",
                    models.CharField(
                        choices=[("maker", "maker"), ("taker", "taker")], max_length=5
                    ),
                ),
                ("trade_id", models.CharField(max_length=120)),
                ("executed_at", models.DateTimeField()),
                ("model", models.CharField(max_length=40)),
                ("source", models.JSONField()),
                (
                    "account",
                    tenants.ownership.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fills",
                        to="trading.account",
                    ),
                ),
                (
                    "order",
                    tenants.ownership.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fills",
                        to="trading.order",
                    ),
                ),
                (
                    "position",
                    tenants.ownership.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fills",
                        to="trading.position",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Balance",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.identifiers.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", tenants.ownership.TenantId()),
                ("user_id", models.UUIDField(editable=False)),
                ("currency", models.CharField(max_length=20)),
                ("total", trading.fields.AmountField(default=Decimal("0"))),
                ("free", trading.fields.AmountField(default=Decimal("0"))),
                ("locked", trading.fields.AmountField(default=Decimal("0"))),
                (
                    "account",
                    tenants.ownership.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="balances",
                        to="trading.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    tenants.constraints.TenantWall(
                        name="trading_balance_wall", owner_column="user_id"
                    ),
                    tenants.constraints.TenantReference(
                        field="account", name="trading_balance_account_same_tenant"
                    ),
                    models.UniqueConstraint(
                        fields=("tenant_id", "account", "currency"),
                        name="balance_is_one_per_currency",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "total",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("free"), "+", models.F("locked")
                                ),
                            )
                        ),
                        name="balance_total_is_free_plus_locked",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("free__gte", 0), ("locked__gte", 0)),
                        name="balance_is_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CashMovement",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=tenants.identifiers.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant_id", tenants.ownership.TenantId()),
                ("user_id", models.UUIDField(editable=False)),
                ("currency", models.CharField(max_length=20)),
                ("amount", trading.fields.AmountField()),
                ("created_at", models.DateTimeField()),
                (
                    "account",
                    tenants.ownership.TenantForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cash_movements",
                        to="trading.account",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["tenant_id", "account", "created_at"],
                        name="cash_movement_of_account",
                    )
                ],
                "constraints": [
                    tenants.constraints.TenantWall(
                        append_only=True, name="trading_cashmovement_wall", owner_column="user_id"
                    ),
                    tenants.constraints.TenantReference(
                        field="account", name="trading_cashmovement_account_same_tenant"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount", Decimal("0")), _negated=True),
                        name="cash_movement_is_not_zero",
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                fields=["tenant_id", "user_id", "-created_at", "-id"], name="order_of_user"
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["tenant_id", "-created_at", "-id"], name="order_newest"),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(
                    (
                        "status__in",
                        [
                            "accepted",
                            "initialized",
                            "partially_filled",
                            "pending_cancel",
                            "pending_replace",
                            "submitted",
                            "triggered",
                        ],
                    )
                ),
                fields=["tenant_id", "instrument"],
                name="order_open_by_instrument",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=tenants.constraints.TenantWall(
                name="trading_order_wall", owner_column="user_id"
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=tenants.constraints.TenantReference(
                field="account", name="trading_order_account_same_tenant"
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.UniqueConstraint(
                fields=("tenant_id", "account", "client_order_id"),
                name="order_client_order_id_is_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gt", 0)), name="order_quantity_is_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("filled_quantity__gte", 0), ("filled_quantity__lte", models.F("quantity"))
                ),
                name="order_filled_not_over_quantity",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("type", "limit"), _negated=True),
                    ("limit_price__gt", 0),
                    _connector="OR",
                ),
                name="order_limit_has_a_price",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(("locked__gte", 0)), name="order_lock_is_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        [
                            "accepted",
                            "initialized",
                            "partially_filled",
                            "pending_cancel",
                            "pending_replace",
                            "submitted",
                            "triggered",
                        ],
                    ),
                    ("locked", Decimal("0")),
                    _connector="OR",
                ),
                name="order_locks_nothing_when_done",
            ),
        ),
        migrations.AddIndex(
            model_name="position",
            index=models.Index(fields=["tenant_id", "account"], name="position_of_account"),
        ),
        migrations.AddIndex(
            model_name="position",
            index=models.Index(
                fields=["tenant_id", "user_id", "-opened_at", "-id"], name="position_of_user"
            ),
        ),
        migrations.AddIndex(
            model_name="position",
            index=models.Index(fields=["tenant_id", "-opened_at", "-id"], name="position_newest"),
        ),
        migrations.AddConstraint(
            model_name="position",
            constraint=tenants.constraints.TenantWall(
                name="trading_position_wall", owner_column="user_id"
            ),
        ),
        migrations.AddConstraint(
            model_name="position",
            constraint=tenants.constraints.TenantReference(
                field="account", name="trading_position_account_same_tenant"
            ),
        ),
        migrations.AddConstraint(
            model_name="position",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_at", None)),
                fields=("tenant_id", "account", "instrument"),
                name="position_open_is_one",
            ),
        ),
        migrations.AddConstraint(
            model_name="position",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("locked_quantity__gte", 0), ("locked_quantity__lte", models.F("quantity"))
                ),
                name="position_lock_is_within_quantity",
            ),
        ),
        migrations.AddConstraint(
            model_name="position",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("closed_at", None), ("quantity", Decimal("0")), _connector="OR"
                ),
                name="position_is_flat_when_closed",
            ),
        ),
        migrations.AddIndex(
            model_name="fill",
            index=models.Index(fields=["tenant_id", "order"], name="fill_of_order"),
        ),
        migrations.AddIndex(
            model_name="fill",
            index=models.Index(fields=["tenant_id", "position"], name="fill_of_position"),
        ),
        migrations.AddIndex(
            model_name="fill",
            index=models.Index(
                fields=["tenant_id", "user_id", "-executed_at", "-id"], name="fill_of_user"
            ),
        ),
        migrations.AddIndex(
            model_name="fill",
            index=models.Index(fields=["tenant_id", "-executed_at", "-id"], name="fill_newest"),
        ),
        migrations.AddConstraint(
            model_name="fill",
            constraint=tenants.constraints.TenantWall(
                append_only=True, name="trading_fill_wall", owner_column="user_id"
            ),
        ),
        migrations.AddConstraint(
            model_name="fill",
            constraint=tenants.constraints.TenantReference(
                field="order", name="trading_fill_order_same_tenant"
            ),
        ),
        migrations.AddConstraint(
            model_name="fill",
            constraint=tenants.constraints.TenantReference(
                field="account", name="trading_fill_account_same_tenant"
            ),
        ),
        migrations.AddConstraint(
            model_name="fill",
            constraint=tenants.constraints.TenantReference(
                field="position", name="trading_fill_position_same_tenant"
            ),
        ),
        migrations.AddConstraint(
            model_name="fill",
            constraint=models.UniqueConstraint(
                fields=("tenant_id", "account", "trade_id"), name="fill_is_applied_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="fill",
            constraint=models.CheckConstraint(
                condition=models.Q(("fee__gte", 0), ("price__gt", 0), ("quantity__gt", 0)),
                name="fill_quantity_and_price_are_positive",
            ),
        ),
    ]
