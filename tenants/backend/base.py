"""The database backend: django-tenants' routing, carried by the transaction instead of the session.

Stock django-tenants sends `SET search_path` with every cursor; behind a pooler in transaction mode
that setting reaches whoever gets the connection next. Here nothing outlives the transaction.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.backends.postgresql.psycopg_any import IsolationLevel
from django_tenants.postgresql_backend import base as django_tenants
from django_tenants.utils import get_public_schema_name

from config.observing import metrics
from tenants import context, guards
from tenants.backend import statements
from tenants.backend.connection import TenantConnection, TenantCursor, TenantNamedCursor
from tenants.backend.operations import DatabaseOperations
from tenants.context import Actor, Scope, TenantContext
from tenants.errors import NoTenantContext, TenantAlreadyEntered
from tenants.identifiers import tenant_of

_plain = django_tenants.original_backend.DatabaseWrapper


class DatabaseWrapper(django_tenants.DatabaseWrapper):  # type: ignore[misc]  # it has no types
    """A connection of the application role, which may enter one tenant per transaction."""

    ops_class = DatabaseOperations

    def __init__(self, settings_dict: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        pool = settings_dict["OPTIONS"].get("pool")
        if pool:
            pool.setdefault("connection_class", TenantConnection)
        super().__init__(settings_dict, *args, **kwargs)
        self.execute_wrappers.append(statements.watched)

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        return {**params, "cursor_factory": TenantCursor}

    def get_new_connection(self, conn_params: dict[str, Any]) -> TenantConnection:
        guards.check_role(conn_params)
        self.isolation_level = IsolationLevel.READ_COMMITTED
        connection = self._pooled() if self.pool else TenantConnection.connect(**conn_params)
        connection.server_cursor_factory = TenantNamedCursor
        connection.tenant_to_enter = self.tenant_to_enter
        return connection

    def _pooled(self) -> TenantConnection:
        """A live connection of the pool; one whose server has gone away is replaced."""
        self.pool.open()
        while True:
            with metrics.waiting_for_connection():
                connection: TenantConnection = self.pool.getconn()
            if not connection.has_been_cut():
                return connection
            connection.close()
            self.pool.putconn(connection)
            metrics.connection_returned()

    def _close(self) -> None:
        if self.connection is not None:
            self.connection.tenant_to_enter = None
            if self.connection.has_seen(settings.DATABASE_SCHEMAS_PER_CONNECTION):
                self.connection.close()  # the pool makes another
            if self.pool:
                metrics.connection_returned()
        super()._close()

    def tenant_to_enter(self) -> TenantContext | None:
        """What the next BEGIN carries: the context, or what `set_tenant` asked for."""
        entered = context.current()
        asked = self._asked()
        if entered and asked and entered.tenant_id != asked.tenant_id:
            raise TenantAlreadyEntered("set_tenant() names another tenant than the context.")
        return entered or asked

    def is_inside_tenant(self) -> bool:
        """Whether a tenant's transaction is open on this connection."""
        return self.in_atomic_block and self.tenant_to_enter() is not None

    def require_tenant(self) -> None:
        """Raise NoTenantContext unless the connection is inside a tenant."""
        if context.current() is None and self._asked() is None:
            raise NoTenantContext("Enter a tenant first: `with context.enter(TenantContext(…)):`")
        if not self.in_atomic_block:
            raise NoTenantContext("The tenant's transaction has ended: enter the tenant again.")

    def set_tenant(self, tenant: Any, include_public: bool = True) -> None:  # noqa: FBT001, FBT002 - django-tenants' signature
        """django-tenants' call; takes effect with the next transaction, never inside one."""
        if self.schema_name and tenant.schema_name != self.schema_name and self.in_atomic_block:
            raise TenantAlreadyEntered("A transaction is open: leave it before changing tenant.")
        super().set_tenant(tenant, include_public)

    def _asked(self) -> TenantContext | None:
        if self.schema_name == get_public_schema_name():
            return None
        tenant_id = tenant_of(self.schema_name)
        if tenant_id is None:
            raise NoTenantContext(f"{self.schema_name!r} is no tenant's schema.")
        return TenantContext(tenant_id, Actor.system("django-tenants"), Scope.TENANT)

    def chunked_cursor(self) -> Any:
        """A server-side cursor lives in a transaction; outside one, where Django would keep it
        beyond, rows come all at once."""
        return super().chunked_cursor() if self.in_atomic_block else self.cursor()

    def _cursor(self, name: str | None = None) -> Any:
        """Django's own cursor, without django-tenants' `SET search_path`."""
        return _plain._cursor(self, name)
