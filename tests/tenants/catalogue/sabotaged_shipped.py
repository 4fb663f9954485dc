"""What PostgreSQL brings itself, and what is put beside it: opened and changed by hand."""

from tests.tenants.catalogue.sabotage import PUBLIC, Sabotage

_APP = "bulkhead_app"
_PEEK = "CREATE VIEW {place}.peek AS SELECT * FROM public.trading_order"
_SHOP = "CREATE SCHEMA shop"


def _elsewhere(name: str, codes: str, place: str, sql: str, also: str = "") -> Sabotage:
    """In a schema where no table of ours belongs."""
    made = sql.replace("{place}", place)
    return Sabotage(name, codes, made, PUBLIC, by_owner=False, found_in=place, also=also)


ELSEWHERE = [
    _elsewhere(
        "view among PostgreSQL's own, for all",
        "grant_to_public",
        "information_schema",
        f"{_PEEK}; GRANT SELECT ON {{place}}.peek TO PUBLIC",
    ),
    _elsewhere(
        "view among the catalogue's, for all",
        "grant_to_public",
        "pg_catalog",
        f"SET LOCAL allow_system_table_mods = on; {_PEEK};"
        " GRANT SELECT ON {place}.peek TO PUBLIC",
    ),
    _elsewhere(
        "view among PostgreSQL's own, for the application",
        "grant_beyond",
        "information_schema",
        f"{_PEEK}; GRANT SELECT ON {{place}}.peek TO {_APP}",
    ),
    _elsewhere(
        "view among PostgreSQL's own, for who joins",
        "grant_to_other",
        "information_schema",
        f"{_PEEK}; CREATE ROLE somebody; GRANT SELECT ON {{place}}.peek TO somebody;"
        f" GRANT somebody TO {_APP}",
        also="role_member",
    ),
    _elsewhere(
        "one column of a view elsewhere, for all",
        "column_grant",
        "information_schema",
        f"{_PEEK}; GRANT SELECT (quantity) ON {{place}}.peek TO PUBLIC",
    ),
    _elsewhere(
        "table in a schema of its own, for all",
        "grant_above grant_to_public",
        "shop",
        f"{_SHOP}; GRANT USAGE ON SCHEMA shop TO PUBLIC;"
        " CREATE TABLE shop.copy AS SELECT * FROM public.trading_order;"
        " GRANT SELECT ON shop.copy TO PUBLIC",
    ),
    _elsewhere(
        "schema with PostgreSQL's name",
        "grant_above",
        "information_schema",
        "DROP SCHEMA information_schema CASCADE; CREATE SCHEMA information_schema;"
        " GRANT USAGE ON SCHEMA information_schema TO PUBLIC",
    ),
]


def _own(name: str, codes: str, sql: str, also: str = "") -> Sabotage:
    """Of what stands in `pg_catalog`."""
    return Sabotage(name, codes, sql, PUBLIC, by_owner=False, found_in="pg_catalog", also=also)


OPENED = [
    *(
        _own(
            f"{function} for {who}",
            "shipped_function_open",
            f"GRANT EXECUTE ON FUNCTION {function} TO {who}",
        )
        for function, who in (
            ("pg_read_file(text)", _APP),
            ("pg_ls_dir(text)", _APP),
            ("lo_import(text)", "PUBLIC"),
            ("now()", f"{_APP} WITH GRANT OPTION"),
        )
    ),
    _own(
        "file read by who joins",
        "shipped_function_open",
        "CREATE ROLE somebody; GRANT EXECUTE ON FUNCTION pg_read_file(text) TO somebody;"
        f" GRANT somebody TO {_APP}",
        also="role_member",
    ),
    _own(
        "grants of a function swept away",
        "shipped_function_open",
        "UPDATE pg_proc SET proacl = NULL WHERE oid = 'pg_read_file(text)'::regprocedure",
    ),
    _own("passwords for all", "shipped_table_open", "GRANT SELECT ON pg_authid TO PUBLIC"),
    _own(
        "one column of the passwords for all",
        "shipped_table_open",
        "GRANT SELECT (rolpassword) ON pg_authid TO PUBLIC",
    ),
    _own(
        "settings to write for all", "shipped_table_open", "GRANT INSERT ON pg_settings TO PUBLIC"
    ),
    _elsewhere(
        "log-ins of other servers for all",
        "shipped_table_open",
        "information_schema",
        "GRANT SELECT ON {place}._pg_user_mappings TO PUBLIC",
    ),
]


ALTERED = [
    *(
        _own(
            f"built-in function {change}",
            "shipped_function_altered",
            f"ALTER FUNCTION pg_catalog.int4div(int, int) {change}",
        )
        for change in (
            "LEAKPROOF",
            "SECURITY DEFINER",
            "OWNER TO bulkhead_owner",
            "SET search_path = public",
        )
    ),
    _own(
        "function revoked and trusted",
        "shipped_function_altered",
        "ALTER FUNCTION pg_catalog.pg_sleep(double precision) LEAKPROOF",
    ),
    _own(
        "built-in function replaced",
        "shipped_function_altered",
        "CREATE OR REPLACE FUNCTION pg_catalog.int4div(int, int) RETURNS int LANGUAGE plpgsql"
        " IMMUTABLE STRICT AS 'BEGIN RETURN 1; END'",
    ),
    _elsewhere(
        "PostgreSQL's own view reads ours",
        "shipped_view_altered",
        "information_schema",
        "CREATE OR REPLACE VIEW {place}.information_schema_catalog_name AS SELECT"
        " min(account_id::text)::{place}.sql_identifier AS catalog_name"
        " FROM public.trading_order",
    ),
]

_SHAPE = "RETURNS {gives} LANGUAGE {language} {how} AS '{body}'"


def _replaced(signature: str, gives: str, how: str, body: str, language: str = "internal") -> str:
    shape = _SHAPE.format(gives=gives, language=language, how=how, body=body)
    return f"CREATE OR REPLACE FUNCTION pg_catalog.{signature} {shape}"


REPLACED = [
    _own(f"built-in {name}", "shipped_function_replaced", sql)
    for name, sql in (
        (
            "equality of ids with the body of another",
            _replaced("uuid_eq(uuid, uuid)", "boolean", "IMMUTABLE STRICT", "uuid_ne"),
        ),
        (
            "function of the proof with the body of another",
            _replaced("sha256(bytea)", "bytea", "IMMUTABLE STRICT", "sha224_bytea"),
        ),
        (
            "function that was revoked, with the body of another",
            _replaced("pg_sleep_for(interval)", "void", "VOLATILE STRICT", "SELECT NULL", "sql"),
        ),
        (
            "function without its strictness",
            "ALTER FUNCTION pg_catalog.uuid_eq(uuid, uuid) NOT LEAKPROOF CALLED ON NULL INPUT",
        ),
        (
            "function that need not be asked twice",
            "ALTER FUNCTION pg_catalog.current_setting(text, boolean) IMMUTABLE",
        ),
        (
            "function written over in its row",
            "UPDATE pg_proc SET prosrc = 'uuid_ne', proleakproof = false"
            " WHERE oid = 'uuid_eq'::regproc",
        ),
    )
]
