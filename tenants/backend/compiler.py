"""SQL compilers that refuse to touch tenant tables outside a tenant.

Every ORM operation compiles its query here, whatever method started it, so there is no list of
forbidden methods to keep. PostgreSQL would give no rows; this gives the programmer a name.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import compiler
from django.db.models.sql.compiler import SQLCompiler as _SQLCompiler

from tenants.ownership import tenant_tables


class _TenantGuard(_SQLCompiler):
    def as_sql(self, *args: Any, **kwargs: Any) -> Any:
        statement = super().as_sql(*args, **kwargs)
        connection: Any = self.connection
        if not connection.is_inside_tenant() and not tenant_tables().isdisjoint(self._tables()):
            connection.require_tenant()
        return statement

    def _tables(self) -> set[str]:
        joined = {source.table_name for source in self.query.alias_map.values()}
        return joined | {self.query.get_meta().db_table} if self.query.model else joined


class SQLCompiler(_TenantGuard, compiler.SQLCompiler):
    pass


class SQLInsertCompiler(_TenantGuard, compiler.SQLInsertCompiler):
    pass


class SQLUpdateCompiler(_TenantGuard, compiler.SQLUpdateCompiler):
    pass


class SQLDeleteCompiler(_TenantGuard, compiler.SQLDeleteCompiler):
    pass


class SQLAggregateCompiler(_TenantGuard, compiler.SQLAggregateCompiler):
    pass
