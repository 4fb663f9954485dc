"""An installation made before a policy's text changed is brought to today's by its migrations."""

from __future__ import annotations

from django.apps import apps
from django.db import connections
from django.db.migrations.state import ProjectState
from django_tenants.utils import schema_context

from tenants import entry
from tenants.backend.routers import OWNER_ALIAS
from tenants.operations import RenewWalls
from tests.tenants.catalogue.scratch import Scratch

# What stood in the place of `proven_owner`.
_OLD_FUNCTIONS = """
CREATE FUNCTION public.proven_scope(p_schema text) RETURNS text LANGUAGE plpgsql STABLE
    SECURITY DEFINER AS $$ BEGIN RETURN NULL; END $$;
CREATE FUNCTION public.proven_user(p_schema text) RETURNS uuid LANGUAGE plpgsql STABLE
    SECURITY DEFINER AS $$ BEGIN RETURN NULL; END $$;
"""
_OLD_WALL = """
ALTER POLICY owner_wall ON {schema}.trading_order USING (
    (SELECT public.proven_scope('{schema}') = 'tenant')
    OR (SELECT public.proven_scope('{schema}') = 'user')
    AND user_id = (SELECT public.proven_user('{schema}')));
"""


def renewal(schema: str) -> str:
    """The operation's statements for one schema."""
    state = ProjectState.from_apps(apps)
    with (
        schema_context(schema, database=OWNER_ALIAS),
        connections[OWNER_ALIAS].schema_editor(collect_sql=True) as editor,
    ):
        RenewWalls().database_forwards("trading", editor, state, state)
    path = f'SET LOCAL search_path = "{schema}", public'
    return "\n".join([f"{path};", *editor.collected_sql, "RESET search_path;"])


def old(scratch: Scratch) -> str:
    schemas = ("public", scratch.dedicated)
    return _OLD_FUNCTIONS + "".join(_OLD_WALL.format(schema=schema) for schema in schemas)


def test_old_walls_are_renewed_and_their_functions_go_with_the_last(scratch: Scratch) -> None:
    both = renewal("public") + renewal(scratch.dedicated)
    assert scratch.gaps(old(scratch) + both) == []


def test_while_a_schema_waits_its_walls_keep_their_functions(scratch: Scratch) -> None:
    gaps = scratch.gaps(old(scratch) + renewal("public"))
    assert sorted((gap.schema, gap.code) for gap in gaps) == [
        ("public", "definer_unknown"),
        ("public", "definer_unknown"),
        (scratch.dedicated, "policy_altered"),
    ]


def test_the_functions_can_be_replaced_where_they_stand(scratch: Scratch) -> None:
    assert scratch.gaps("".join(entry.FUNCTIONS)) == []
