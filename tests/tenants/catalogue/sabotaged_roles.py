"""What our roles are, belong to and start with, changed by hand."""

from tests.tenants.catalogue.sabotage import PUBLIC, Sabotage, server_wide

_APP = "bulkhead_app"

ROLES = [
    *(
        server_wide(
            f"application is {word}",
            "role_attribute",
            f"ALTER ROLE {_APP} {word}",
            anew=word == "SUPERUSER",
        )
        for word in ("SUPERUSER", "BYPASSRLS", "REPLICATION", "CREATEROLE", "CREATEDB")
    ),
    server_wide("owner bypasses policies", "role_attribute", "ALTER ROLE bulkhead_owner BYPASSRLS"),
    *(
        server_wide(f"{role} is {words}", "role_attribute", f"ALTER ROLE {role} {words}")
        for role, words in (
            ("bulkhead_mover", "LOGIN PASSWORD 'x'"),
            ("bulkhead_mover", "NOBYPASSRLS"),
            ("bulkhead_owner", "INHERIT"),
            ("bulkhead_backup", "NOREPLICATION"),
            (_APP, "NOLOGIN"),
        )
    ),
    *(
        server_wide(f"{role} for {member} {how}", codes, f"GRANT {role} TO {member} {how}")
        for role, member, how, codes in (
            ("bulkhead_mover", "bulkhead_owner", "WITH ADMIN OPTION", "role_member_altered"),
            ("bulkhead_mover", "bulkhead_owner", "WITH INHERIT TRUE", "role_member_altered"),
            ("bulkhead_mover", "bulkhead_owner", "WITH SET FALSE", "role_member_altered"),
            ("pg_read_all_data", "bulkhead_backup", "WITH ADMIN OPTION", "role_member_altered"),
            ("pg_read_all_data", "bulkhead_mover", "", "role_member"),
        )
    ),
    server_wide(
        "tenants can't be moved",
        "role_member_missing",
        "REVOKE bulkhead_mover FROM bulkhead_owner",
    ),
    server_wide("application reads all", "role_member", f"GRANT pg_read_all_data TO {_APP}"),
    server_wide(
        "application becomes owner",
        "role_member",
        f"GRANT bulkhead_owner TO {_APP}",
        anew=True,
    ),
    server_wide(
        "application moves tenants",
        "role_member",
        f"GRANT bulkhead_mover TO {_APP}",
        anew=True,
    ),
    *(
        server_wide(
            f"somebody joins {role}",
            "role_joined",
            f"CREATE ROLE somebody {login}; GRANT {role} TO somebody",
        )
        for role, login in (
            ("bulkhead_owner", "NOLOGIN"),
            (_APP, "LOGIN"),
            ("bulkhead_backup", "LOGIN NOINHERIT"),
        )
    ),
    *(
        server_wide(f"{role} is a member of {other}", "role_member", f"GRANT {other} TO {role}")
        for role, other in (
            ("bulkhead_backup", "pg_write_all_data"),
            ("bulkhead_backup", "bulkhead_owner"),
            ("bulkhead_owner", "pg_read_all_data"),
        )
    ),
    Sabotage(
        "a role lost",
        "function_callers function_not_callable " * 2 + "grant_above",
        "ALTER ROLE bulkhead_backup RENAME TO somebody",
        PUBLIC,
        by_owner=False,
        also="role_missing role_strange grant_above",
    ),
    server_wide("time zone unset", "role_timezone", f"ALTER ROLE {_APP} RESET timezone"),
    server_wide("path open", "role_search_path", f"ALTER ROLE {_APP} SET search_path = public"),
    server_wide(
        "path open in this database",
        "role_search_path",
        f"DO $$ BEGIN EXECUTE format('ALTER ROLE {_APP} IN DATABASE %I SET search_path = public',"
        " current_database()); END $$",
    ),
    *(
        server_wide(
            f"{change.lower()} for the application",
            "role_setting_altered",
            f"ALTER ROLE {_APP} {change}",
        )
        for change in (
            "SET track_activities = on",
            "RESET log_min_error_statement",
            "SET idle_in_transaction_session_timeout = 0",
        )
    ),
    server_wide(
        "statements seen in this database",
        "role_setting_altered",
        f"DO $$ BEGIN EXECUTE format('ALTER ROLE {_APP} IN DATABASE %I SET track_activities = on',"
        " current_database()); END $$",
    ),
    *(
        server_wide(f"{change.lower()} for {role}", code, f"ALTER ROLE {role} {change}")
        for role, code, change in (
            ("bulkhead_owner", "role_setting", "SET session_replication_role = replica"),
            ("bulkhead_owner", "role_setting_altered", "RESET lock_timeout"),
            ("bulkhead_backup", "role_timezone", "SET timezone = 'Asia/Tokyo'"),
            ("bulkhead_mover", "role_setting", "SET row_security = off"),
        )
    ),
    server_wide(
        "a setting nobody wrote", "role_setting", f"ALTER ROLE {_APP} SET work_mem = '1GB'"
    ),
    server_wide(
        "tenant for every session of the database",
        "role_setting",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET app.current_tenant_id = nobody',"
        " current_database()); END $$",
    ),
    server_wide("policies switched", "role_setting", f"ALTER ROLE {_APP} SET row_security = off"),
    server_wide(
        "tenant for a whole session",
        "role_setting",
        f"ALTER ROLE {_APP} SET app.current_tenant_id = '{{tenant_id}}'",
    ),
]
