from django.db import migrations, models

from tenants.constraints import TenantReference

# What rows of a person refer to, and by which fields of which models.
_REFERRED = {
    "account": "account_of_its_owner",
    "fill": "fill_of_its_owner",
    "namedportfolio": "portfolio_of_its_owner",
    "order": "order_of_its_owner",
    "position": "position_of_its_owner",
}
_REFERENCES = {
    "accountlimits": ["account"],
    "autobuy": ["account"],
    "balance": ["account"],
    "bracketterms": ["position"],
    "cashmovement": ["account"],
    "decisionlog": ["position"],
    "equitypoint": ["account"],
    "exchangecredential": ["account"],
    "fill": ["order", "account", "position"],
    "namedportfolioaccount": ["portfolio", "account"],
    "order": ["account", "parent", "replaces"],
    "perpetualterms": ["position"],
    "position": ["account"],
    "positionlot": ["position", "fill"],
    "reconciliation": ["account"],
    "venueintent": ["account", "order"],
}
_FIELDS = [(model, field) for model, fields in _REFERENCES.items() for field in fields]


class Migration(migrations.Migration):
    """The owner comes last in the keys that references name.

    As the second column it led to all rows of a person, and the planner sorted those instead of
    taking the newest from the index that is in their order.
    """

    accepts = dict.fromkeys(
        ("constraint_under_lock", "index_under_lock"),
        "Until 1.0 an installation stands still while it is migrated.",
    )

    dependencies = [("trading", "0015_rows_on_the_move")]

    operations = [
        *(
            migrations.RemoveConstraint(
                model_name=model, name=f"trading_{model}_{field}_same_owner"
            )
            for model, field in _FIELDS
        ),
        *(
            migrations.RemoveConstraint(model_name=model, name=name)
            for model, name in _REFERRED.items()
        ),
        *(
            migrations.AddConstraint(
                model_name=model,
                constraint=models.UniqueConstraint(
                    fields=["tenant_id", "id", "user_id"], name=name
                ),
            )
            for model, name in _REFERRED.items()
        ),
        *(
            migrations.AddConstraint(
                model_name=model,
                constraint=TenantReference(
                    name=f"trading_{model}_{field}_same_owner", field=field, owner_column="user_id"
                ),
            )
            for model, field in _FIELDS
        ),
    ]
