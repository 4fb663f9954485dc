"""Where a tenant's rows go from and to, and what is said to PostgreSQL of each table. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tenants.rls import quoted


@dataclass(frozen=True, slots=True)
class Table:
    """A tenant table by its name, and its columns; the first two are `tenant_id` and `id`."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """One tenant's way. Every statement names the tenant: no policy does, for the role that moves
    tenants is held by none."""

    tenant_id: UUID
    source: str
    target: str

    def copy(self, table: Table) -> str:
        """Those of a stretch; takes the tenant and the stretch's ends."""
        return self._insert(table) + " WHERE s.tenant_id = %s AND s.id > %s AND s.id <= %s"

    def end_of_stretch(self, table: Table) -> str:
        """The id of the row that comes so many after another's; takes the tenant, the other's id
        and how many."""
        return (
            f"SELECT id FROM {self._here(table)} WHERE tenant_id = %s AND id > %s"
            " ORDER BY id OFFSET %s LIMIT 1"
        )

    def forget(self, table: Table) -> str:
        """Out of the target; takes the tenant and ids."""
        return f"DELETE FROM {self._there(table)} WHERE tenant_id = %s AND id = ANY (%s)"

    def bring(self, table: Table) -> str:
        """Into the target as they are now, those that still are; takes the tenant and ids."""
        return self._insert(table) + " WHERE s.tenant_id = %s AND s.id = ANY (%s)"

    def differing(self, table: Table) -> str:
        """How many of some rows are not the same on both sides; takes tenant and ids, twice."""
        columns = _listed(table.columns)
        rows = "SELECT {} FROM {} WHERE tenant_id = %s AND id = ANY (%s)"
        here = rows.format(columns, self._here(table))
        there = rows.format(columns, self._there(table))
        return (
            f"SELECT count(*) FROM ({here}) AS h FULL JOIN ({there}) AS t ON h.id = t.id"
            " WHERE h IS DISTINCT FROM t"
        )

    def checksum(self, table: Table, schema: str) -> str:
        """Count of a stretch's rows, and a sum of their digests that no order changes; takes the
        tenant and the stretch's ends. Two sums of 64 bits: a pair that cancels out in both is not
        met by accident."""
        row = f"ROW({_listed(table.columns)})::text"
        return (
            f"SELECT count(*), coalesce(sum(hashtextextended({row}, 0)::numeric), 0)::text,"
            f" coalesce(sum(hashtextextended({row}, 1)::numeric), 0)::text"
            f" FROM {quoted(schema)}.{quoted(table.name)}"
            " WHERE tenant_id = %s AND id > %s AND id <= %s"
        )

    def remove(self, table: Table, schema: str) -> str:
        """Out of a schema, the newest first, for rows refer to older ones; takes the tenant twice
        and how many at most."""
        name = f"{quoted(schema)}.{quoted(table.name)}"
        chosen = f"SELECT id FROM {name} WHERE tenant_id = %s ORDER BY id DESC LIMIT %s"
        return f"DELETE FROM {name} WHERE tenant_id = %s AND id IN ({chosen})"

    def size(self, table: Table) -> str:
        """Rows and bytes in the source; takes the tenant."""
        return (
            f"SELECT count(*), coalesce(sum(pg_column_size(s.*)), 0)"
            f" FROM {self._here(table)} s WHERE s.tenant_id = %s"
        )

    def _insert(self, table: Table) -> str:
        columns = _listed(table.columns)
        return (
            f"INSERT INTO {self._there(table)} ({columns})"
            f" SELECT {columns} FROM {self._here(table)} s"
        )

    def _here(self, table: Table) -> str:
        return f"{quoted(self.source)}.{quoted(table.name)}"

    def _there(self, table: Table) -> str:
        return f"{quoted(self.target)}.{quoted(table.name)}"


def _listed(columns: tuple[str, ...]) -> str:
    return ", ".join(quoted(column) for column in columns)
