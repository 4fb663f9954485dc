"""Partitions, opened by hand."""

from tenants.rls import SharedWall
from tests.tenants.catalogue.sabotage import DEDICATED, PUBLIC, Sabotage

_APP = "bulkhead_app"
_YEAR = "public.market_candle_2024"
_SHUT = f"ALTER TABLE {_YEAR} ENABLE ROW LEVEL SECURITY"
# As on the table itself, grants included: nothing is to be had that the table would not give.
WALLED = "; ".join(SharedWall("market_candle_2024", "everywhere").raise_statements())

PARTITIONS = [
    Sabotage("partition granted", "partition_open", f"GRANT SELECT ON {_YEAR} TO {_APP}", PUBLIC),
    Sabotage(
        "default partition granted",
        "partition_open",
        f"GRANT INSERT ON public.market_tick_default TO {_APP}",
        PUBLIC,
    ),
    Sabotage("partition for all", "partition_open", f"GRANT SELECT ON {_YEAR} TO PUBLIC", PUBLIC),
    Sabotage(
        "partition granted, without a policy",
        "partition_policies",
        f"{_SHUT}; GRANT SELECT ON {_YEAR} TO {_APP}",
        PUBLIC,
    ),
    Sabotage(
        "partition granted, with a policy of its own",
        "partition_policies",
        f"{WALLED}; ALTER POLICY shared_insert ON {_YEAR} WITH CHECK (true)",
        PUBLIC,
    ),
    Sabotage(
        "partition granted, with one policy more",
        "partition_policies",
        f"{WALLED}; CREATE POLICY odd ON {_YEAR} USING (true)",
        PUBLIC,
    ),
    Sabotage(
        "partition may be emptied",
        "partition_grant",
        f"{WALLED}; GRANT TRUNCATE ON {_YEAR} TO {_APP}",
        PUBLIC,
    ),
    Sabotage(
        "partition to hand on",
        "partition_grant",
        f"{WALLED}; GRANT SELECT ON {_YEAR} TO {_APP} WITH GRANT OPTION",
        PUBLIC,
    ),
    Sabotage(
        "partition for another role",
        "partition_grant",
        f"{WALLED}; GRANT SELECT ON {_YEAR} TO bulkhead_backup",
        PUBLIC,
    ),
    Sabotage(
        "one column of a partition granted",
        "column_grant",
        f"GRANT UPDATE (close) ON {_YEAR} TO {_APP}",
        PUBLIC,
    ),
    *(
        Sabotage(f"{what} of a partition alone", "partition_differs", sql, PUBLIC)
        for what, sql in (
            (
                "trigger",
                f"CREATE TRIGGER odd BEFORE INSERT ON {_YEAR}"
                " FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            ),
            (
                "trigger at commit",
                f"CREATE CONSTRAINT TRIGGER odd AFTER INSERT ON {_YEAR}"
                " DEFERRABLE FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            ),
            ("check", f"ALTER TABLE {_YEAR} ADD CONSTRAINT odd CHECK (close < 9) NOT VALID"),
            ("unique index", f"CREATE UNIQUE INDEX odd ON {_YEAR} (start)"),
            ("uniqueness", f"ALTER TABLE {_YEAR} ADD CONSTRAINT odd UNIQUE (start)"),
            ("index", f"CREATE INDEX odd ON {_YEAR} (close)"),
            (
                "reference",
                f"ALTER TABLE {_YEAR} ADD CONSTRAINT odd FOREIGN KEY (symbol)"
                " REFERENCES accounts_user (email)",
            ),
            ("default", f"ALTER TABLE {_YEAR} ALTER close SET DEFAULT 1"),
        )
    ),
    Sabotage(
        "trigger of a partition, with a function that nobody may call",
        "function_uncalled partition_differs",
        "CREATE FUNCTION public.keep() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NULL; END'; REVOKE ALL ON FUNCTION public.keep() FROM PUBLIC;"
        f" CREATE TRIGGER keep BEFORE INSERT ON {_YEAR}"
        " FOR EACH ROW EXECUTE FUNCTION public.keep()",
        PUBLIC,
    ),
    Sabotage(
        "trigger asleep on a partition",
        "trigger_disabled",
        "ALTER TABLE public.market_tick_default DISABLE TRIGGER append_only",
        PUBLIC,
    ),
    Sabotage(
        "partition in a tenant's schema",
        "table_unknown",
        "CREATE TABLE {dedicated}.early PARTITION OF public.market_candle"
        " FOR VALUES FROM ('1980-01-01') TO ('1981-01-01')",
        DEDICATED,
    ),
]
