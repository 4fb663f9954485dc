"""SQL injection in a view of the application's: nothing of another tenant or person comes out."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client, override_settings

from tests.isolation.world import Trader, World

PAYLOADS = [
    "' OR true --",
    "' UNION ALL SELECT id::text, client_order_id FROM public.trading_order --",
    "' UNION ALL SELECT id::text, notes FROM public.trading_position --",
    "' UNION ALL SELECT user_id::text, key FROM public.trading_idempotentrequest --",
    "' UNION ALL SELECT account_id::text, name FROM public.trading_balance, public.trading_account --",
    "' UNION ALL SELECT id::text, email FROM public.accounts_user --",
    "' UNION ALL SELECT user_id::text, role FROM public.accounts_membership --",
    "' UNION ALL SELECT id::text, slug FROM public.tenants_tenant --",
    "' UNION ALL SELECT set_config('app.current_tenant_id', '{tenant}', true), '' "
    "UNION ALL SELECT id::text, client_order_id FROM public.trading_order --",
    "' UNION ALL SELECT public.enter_tenant('{tenant}', NULL, 'tenant', "
    "extract(epoch from now())::bigint, '\\x00')::text, '' --",
    "' UNION ALL SELECT set_config('app.current_scope', 'tenant', true), '' --",
    "'; SET LOCAL app.current_tenant_id = '{tenant}'; SELECT id::text, '' FROM trading_order --",
    "'; RESET ALL; SELECT id::text, client_order_id FROM public.trading_order --",
    "'; COMMIT; BEGIN; SELECT id::text, client_order_id FROM public.trading_order --",
    "' UNION ALL SELECT name, setting FROM pg_settings --",
    "' UNION ALL SELECT query, usename FROM pg_stat_activity --",
    "' UNION ALL SELECT pid::text, query FROM pg_stat_get_activity(NULL) --",
    "' UNION ALL SELECT pg_stat_get_backend_activity(s), s::text FROM pg_stat_get_backend_idset() s --",
    "' UNION ALL SELECT pg_stat_get_backend_pid(s)::text, pg_stat_get_backend_userid(s)::text "
    "FROM pg_stat_get_backend_idset() s --",
    "' UNION ALL SELECT pg_stat_get_backend_client_addr(s)::text, pg_stat_get_backend_start(s)::text "
    "FROM generate_series(1, 200) s --",
    "' UNION ALL SELECT schemaname || relname, n_live_tup::text FROM pg_stat_all_tables --",
    "' UNION ALL SELECT schemaname || relname, n_live_tup::text FROM pg_stat_xact_all_tables --",
    "' UNION ALL SELECT pg_stat_get_live_tuples('{schema}.trading_order'::regclass)::text, '' --",
    "' UNION ALL SELECT pg_relation_size('{schema}.trading_order')::text, '' --",
    "' UNION ALL SELECT relname, pg_total_relation_size(oid)::text FROM pg_class --",
    "' UNION ALL SELECT inner_pad::text, proof_key::text FROM bulkhead.ticket_key --",
    "' UNION ALL SELECT query_to_xml('SELECT * FROM public.trading_order', true, true, '')::text, '' --",
    "' UNION ALL SELECT table_to_xml('public.trading_order', true, true, '')::text, '' --",
    "' UNION ALL SELECT schema_to_xml('{schema}', true, true, '')::text, '' --",
    "' UNION ALL SELECT database_to_xml(true, true, '')::text, '' --",
    "' UNION ALL SELECT word, '' FROM ts_stat('SELECT to_tsvector(client_order_id) "
    "FROM public.trading_order') --",
    "' UNION ALL SELECT id::text, client_order_id FROM {schema}.trading_order --",
    "' UNION ALL SELECT most_common_vals::text, '' FROM pg_stats WHERE tablename = 'trading_order' --",
    "' UNION ALL SELECT lo_get(1)::text, '' --",
    "' UNION ALL SELECT pg_read_file('/etc/passwd'), '' --",
    "' UNION ALL SELECT pg_ls_dir('.'), '' --",
    "' UNION ALL SELECT dblink('dbname=bulkhead', 'SELECT 1')::text, '' --",
    "' AND 1 = (SELECT count(*) FROM public.trading_order WHERE 1 / (tenant_id <> '{tenant}')::int = 1) --",
    "' AND 1 = CAST((SELECT client_order_id FROM public.trading_order LIMIT 1) AS int) --",
    "' UNION ALL SELECT proven_tenant('{schema}')::text, '' --",
    "' UNION ALL SELECT public.proven_tenant('{schema}')::text, "
    "public.proven_owner('{schema}')::text --",
    "' UNION ALL SELECT pg_advisory_lock(1)::text, '' --",
    "' UNION ALL SELECT pg_get_functiondef('public.enter_tenant'::regproc), '' --",
    "' UNION ALL SELECT rolname, rolpassword FROM pg_authid --",
    "' UNION ALL SELECT usename, passwd FROM pg_shadow --",
    "' FOR UPDATE --",
]


def search(who: Trader, text: str) -> dict[str, Any]:
    with override_settings(ROOT_URLCONF="tests.isolation.injectable"):
        answer = Client().get("/search", {"q": text}, headers=who.person.headers)
    assert answer.status_code == 200
    return dict(answer.json())


@pytest.mark.parametrize("payload", PAYLOADS)
def test_an_injected_statement_shows_nothing_foreign(world: World, payload: str) -> None:
    for attacker in (world.traders[0], world.traders[3]):
        for victim in world.strangers_of(attacker):
            tenant = victim.person.tenant
            values = {"tenant": str(tenant.id), "schema": tenant.schema_name}
            text = str(search(attacker, payload.format(**values)))
            # People of one tenant may know that the others exist, and nothing more.
            colleague = tenant.id == attacker.person.tenant.id
            secrets = [s for s in victim.secrets if not (colleague and s == victim.user)]
            assert not [secret for secret in secrets if secret in text], text


def test_the_view_really_is_injectable(world: World) -> None:
    """Otherwise the tests above would prove nothing: the attacker's own rows do come out."""
    attacker = world.traders[0]
    text = str(search(attacker, "' OR true --"))
    assert attacker.canary in text
    text = str(search(attacker, "' UNION ALL SELECT id::text, name FROM trading_account --"))
    assert attacker.ids["Account"] in text


def test_no_second_statement_can_be_injected(world: World) -> None:
    attacker = world.traders[0]
    before = [t.person.get(f"positions/{t.ids['Position']}/").json() for t in world.traders]
    answer = search(attacker, "x'; UPDATE trading_position SET notes = 'hacked'; --")
    assert "multiple commands" in answer["error"]
    after = [t.person.get(f"positions/{t.ids['Position']}/").json() for t in world.traders]
    assert before == after
