"""The text of the walls: policies, keys and grants of one table, as SQL. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tenants.entry import EVERYONE
from tenants.identifiers import PUBLIC_SCHEMA, tenant_of
from tenants.roles import APP, MOVER

TENANT_SETTING = "nullif(current_setting('app.current_tenant_id'::text, true), ''::text)::uuid"

# The same, as proven by `enter_tenant`, for tables that stand in `public` only: the tenant may live
# in any schema, so it is asked for in its own.
_HERE = "current_setting('app.current_schema'::text, true)"
PROVEN_TENANT = f"(SELECT public.proven_tenant({_HERE}))"
PROVEN_OWNER = f"(SELECT public.proven_owner({_HERE}))"

ALLOW_POLICY = "application"
TENANT_POLICY = "tenant_wall"
OWNER_POLICY = "owner_wall"
# What the role that moves tenants may do with their rows.
MOVING_PRIVILEGES = ("SELECT", "INSERT", "DELETE")


def quoted(name: str) -> str:
    """An SQL identifier, quoted."""
    return '"' + name.replace('"', '""') + '"'


def tenant_rule(schema: str) -> str:
    """Plain equality against one value, read once a statement.

    `proven_tenant` gives the tenant only when the transaction was opened by `enter_tenant` and
    the tenant lives in the schema of this very table; otherwise NULL, which equals nothing.
    """
    return f"tenant_id = (SELECT public.proven_tenant('{schema}'::text))"


def owner_rule(schema: str, column: str) -> str:
    """Scope `user` sees its own rows, scope `tenant` the tenant's, no scope nothing.

    The owner is proven apart from the tenant: PostgreSQL reads a policy's parts when it first needs
    them, and inside an open cursor that may be after somebody changed the settings.

    A CASE, because the planner takes it for an even chance: a comparison with something hidden it
    takes for one row in two hundred, and would give up ordered indexes.
    """
    return (
        f"CASE (SELECT public.proven_owner('{schema}'::text)) WHEN {quoted(column)} THEN true"
        f" WHEN '{EVERYONE}'::uuid THEN true ELSE false END"
    )


def append_only_trigger(table: str) -> str:
    """What keeps rows as they are even where a grant would let them be changed."""
    return (
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {quoted(table)}"
        " FOR EACH ROW EXECUTE FUNCTION public.refuse_change()"
    )


def note_trigger(table: str) -> str:
    """What notes the rows that a transaction changes while `enter_tenant` says that the tenant is
    being moved; at all other times it costs a look at a setting."""
    return (
        f"CREATE OR REPLACE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE ON {quoted(table)}"
        " FOR EACH ROW WHEN (current_setting('app.current_move'::text, true) = 'on'::text)"
        " EXECUTE FUNCTION public.note_change()"
    )


def _privileges(*, append_only: bool, is_deletable: bool) -> tuple[str, ...]:
    """What the application may do with a table's rows."""
    change = () if append_only else ("UPDATE",)
    delete = ("DELETE",) if is_deletable and not append_only else ()
    return ("SELECT", "INSERT", *change, *delete)


@dataclass(frozen=True, slots=True)
class Wall:
    """What guards one tenant table of one schema."""

    table: str
    schema: str
    owner_column: str | None = None
    append_only: bool = False
    is_deletable: bool = True

    @property
    def privileges(self) -> tuple[str, ...]:
        return _privileges(append_only=self.append_only, is_deletable=self.is_deletable)

    def raise_statements(self) -> list[str]:
        """DDL that turns a plain table into a walled one; run by the table's owner."""
        table = quoted(self.table)
        return [
            f"ALTER TABLE {table} DROP CONSTRAINT {quoted(self.table + '_pkey')},"
            f" ADD CONSTRAINT {quoted(self.table + '_pkey')} PRIMARY KEY (tenant_id, id)",
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY {ALLOW_POLICY} ON {table} FOR ALL TO {APP}"
            " USING (true) WITH CHECK (true)",
            *self._restrictions(),
            *self._constant(),
            *self._append_only(),
            f"REVOKE ALL ON {table} FROM PUBLIC",
            f"GRANT {', '.join(self.privileges)} ON {table} TO {APP}",
            *self._moving(),
        ]

    def lower_statements(self) -> list[str]:
        """DDL that takes the policies and grants away again (keys stay)."""
        table = quoted(self.table)
        names = [ALLOW_POLICY, TENANT_POLICY, OWNER_POLICY]
        return [
            f"REVOKE ALL ON {table} FROM {APP}, {MOVER}",
            *(f"DROP POLICY IF EXISTS {name} ON {table}" for name in names),
            f"DROP TRIGGER IF EXISTS append_only ON {table}",
            f"DROP TRIGGER IF EXISTS note_change ON {table}",
        ]

    def renew_statements(self) -> list[str]:
        """DDL that makes standing walls say what they say today."""
        policies = [
            f"ALTER POLICY {name} ON {quoted(self.table)} USING ({rule}) WITH CHECK ({rule})"
            for name, rule in self.rules().items()
        ]
        return [*policies, *self._moving()]

    def rules(self) -> dict[str, str]:
        """Restrictive policies by name: the expression of both USING and WITH CHECK."""
        rules = {TENANT_POLICY: tenant_rule(self.schema)}
        if self.owner_column:
            rules[OWNER_POLICY] = owner_rule(self.schema, self.owner_column)
        return rules

    def _restrictions(self) -> list[str]:
        return [
            f"CREATE POLICY {name} ON {quoted(self.table)} AS RESTRICTIVE FOR ALL TO PUBLIC"
            f" USING ({rule}) WITH CHECK ({rule})"
            for name, rule in self.rules().items()
        ]

    def _constant(self) -> list[str]:
        """In a dedicated schema even a broken policy cannot admit another tenant's row."""
        tenant_id = None if self.schema == PUBLIC_SCHEMA else tenant_of(self.schema)
        if tenant_id is None:
            return []
        return [
            f"ALTER TABLE {quoted(self.table)} ADD CONSTRAINT"
            f" {quoted(self.table + '_one_tenant')} CHECK (tenant_id = '{tenant_id}'::uuid)"
        ]

    def _moving(self) -> list[str]:
        """Rows can be carried to another schema, and what changes meanwhile is noted."""
        rights = ", ".join(MOVING_PRIVILEGES)
        return [note_trigger(self.table), f"GRANT {rights} ON {quoted(self.table)} TO {MOVER}"]

    def _append_only(self) -> list[str]:
        return [append_only_trigger(self.table)] if self.append_only else []


@dataclass(frozen=True, slots=True)
class SharedWall:
    """What guards a table that all tenants share.

    `read`: `everywhere` (market data), `own` (the row names the tenant in `tenant_column`; inside a
    tenant only its own rows are seen), `kept` (as `own`, and of those only the rows that the scope
    may touch: a person's by `owner_column`, all of them in scope `tenant`), `platform` (closed
    inside every tenant) or `unwalled` (holds nobody's data; COPY needs it so).

    Writes to walled ones happen on the platform, and with `write="inside"` in the tenant too: to
    its own rows, by scope `tenant`, and to a person's where `owner_column` names one. Rows of one
    that is `append_only` never change, of one that is not `is_deletable` none goes.
    """

    table: str
    read: str
    tenant_column: str | None = None
    writable: bool = True
    write: str = "platform"
    owner_column: str | None = None
    append_only: bool = False
    is_deletable: bool = True

    READ_POLICY = "shared_read"
    WRITE_POLICIES = ("shared_insert", "shared_update", "shared_delete")

    @property
    def privileges(self) -> tuple[str, ...]:
        if self.read == "unwalled":
            return ("SELECT", "INSERT", "DELETE")
        if not self.writable:
            return ("SELECT",)
        return _privileges(append_only=self.append_only, is_deletable=self.is_deletable)

    def read_rule(self) -> str:
        outside = f"(SELECT {TENANT_SETTING}) IS NULL"
        if self.read == "everywhere":
            return "true"
        if self.read == "own":
            column = quoted(self.tenant_column or "tenant_id")
            return f"{outside} OR {column} = (SELECT {TENANT_SETTING})"
        if self.read == "kept":
            return self._inside_rule()
        return outside

    def write_rule(self) -> str:
        if self.write == "inside":
            return self._inside_rule()
        return f"(SELECT {TENANT_SETTING}) IS NULL"

    def _inside_rule(self) -> str:
        """The platform; and inside a tenant whoever is proven to be in charge of the row."""
        column = quoted(self.tenant_column or "tenant_id")
        owned = f"WHEN {quoted(self.owner_column)} THEN true " if self.owner_column else ""
        return (
            f"(SELECT {TENANT_SETTING}) IS NULL OR {column} = {PROVEN_TENANT}"
            f" AND CASE {PROVEN_OWNER} {owned}WHEN '{EVERYONE}'::uuid THEN true ELSE false END"
        )

    def rules(self) -> dict[str, tuple[str, str | None, str | None]]:
        """Permissive policies by name: the command, and the expressions of USING and CHECK."""
        if self.read == "unwalled":
            return {}
        change = self.write_rule()
        insert, update, delete = self.WRITE_POLICIES
        added = {
            self.READ_POLICY: ("SELECT", self.read_rule(), None),
            insert: ("INSERT", None, change),
        }
        if self.append_only:
            return added
        return {
            **added,
            update: ("UPDATE", change, change),
            delete: ("DELETE", change, None),
        }

    def raise_statements(self) -> list[str]:
        table = quoted(self.table)
        policies = [
            f"CREATE POLICY {name} ON {table} FOR {command} TO {APP}"
            + (f" USING ({using})" if using else "")
            + (f" WITH CHECK ({check})" if check else "")
            for name, (command, using, check) in self.rules().items()
        ]
        enable = [f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"] if policies else []
        return [
            *enable,
            *policies,
            *([append_only_trigger(self.table)] if self.append_only else []),
            f"REVOKE ALL ON {table} FROM PUBLIC",
            f"GRANT {', '.join(self.privileges)} ON {table} TO {APP}",
        ]

    def lower_statements(self) -> list[str]:
        table = quoted(self.table)
        names = [self.READ_POLICY, *self.WRITE_POLICIES]
        return [
            f"REVOKE ALL ON {table} FROM {APP}",
            *(f"DROP POLICY IF EXISTS {name} ON {table}" for name in names),
            f"DROP TRIGGER IF EXISTS append_only ON {table}",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        ]
