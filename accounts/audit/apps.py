"""The trail of what was done in a tenant; it lives and moves with the tenant's rows."""

from django.apps import AppConfig

from accounts.audit import chain
from tenants.catalogue.brought import Brought, trigger_function

_KEPT_LINK, _KEPT_HEAD = chain.PLATFORM.keep()


class AuditConfig(AppConfig):
    name = "accounts.audit"
    label = "audit"
    default_auto_field = "django.db.models.BigAutoField"
    # For `check_isolation`, which knows no room.
    brings = Brought(
        functions=(
            trigger_function(
                chain.TENANTS.function,
                chain.TENANTS.create_function(),
                on_a_shard="reads and writes its own tenant's links and head, which lie there too",
            ),
            trigger_function(chain.PLATFORM.function, chain.PLATFORM.create_function()),
            trigger_function(
                chain.KEEPERS_FUNCTION,
                chain.CREATE_KEEPER,
                on_a_shard="looks at nothing but its row and who writes it",
            ),
        ),
        shared_triggers={
            "accounts_platformevent": chain.PLATFORM.create_trigger(),
            "accounts_platformlink": _KEPT_LINK,
            "accounts_platformhead": _KEPT_HEAD,
        },
    )
