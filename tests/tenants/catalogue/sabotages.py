"""All of them."""

from __future__ import annotations

from tests.tenants.catalogue import (
    sabotaged_columns,
    sabotaged_distribution,
    sabotaged_functions,
    sabotaged_grants,
    sabotaged_keys,
    sabotaged_owner_tables,
    sabotaged_partitions,
    sabotaged_platform,
    sabotaged_policies,
    sabotaged_roles,
    sabotaged_shipped,
    sabotaged_tables,
)

SABOTAGES = [
    *sabotaged_policies.POLICIES,
    *sabotaged_partitions.PARTITIONS,
    *sabotaged_grants.GRANTS,
    *sabotaged_functions.FUNCTIONS,
    *sabotaged_keys.KEYS,
    *sabotaged_keys.REFERENCES,
    *sabotaged_keys.SHARED,
    *sabotaged_columns.COLUMNS,
    *sabotaged_columns.SAFEGUARDS,
    *sabotaged_tables.TABLES,
    *sabotaged_distribution.DISTRIBUTION,
    *sabotaged_roles.ROLES,
    *sabotaged_platform.STRANGERS,
    *sabotaged_platform.DATABASE,
    *sabotaged_platform.PLACES,
    *sabotaged_owner_tables.TICKET_KEY,
    *sabotaged_owner_tables.OWNER_TABLES,
    *sabotaged_shipped.ELSEWHERE,
    *sabotaged_shipped.OPENED,
    *sabotaged_shipped.ALTERED,
    *sabotaged_shipped.REPLACED,
]
