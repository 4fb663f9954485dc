"""`migrate_fleet` on six schemas: everything arrives everywhere, once, and what fails is told."""

from __future__ import annotations

from collections.abc import Iterable

from tenants.identifiers import tenant_of
from tests.tenants.fleet.conftest import Fleet
from tests.tenants.lifecycle.test_provisioning import CATALOGUE

_SINK_IN = (
    "DO $$ BEGIN IF current_schema() = '{schema}' THEN RAISE EXCEPTION 'sunk'; END IF; END $$"
)
_LOOK = """
def look(apps, editor):
    assert apps.get_model("harbour", "Boat")._meta.db_table == "harbour_boat"
    with editor.connection.cursor() as cursor:
        cursor.execute("COMMENT ON TABLE harbour_boat IS 'seen'")
"""
_SLY = """
class Sly(migrations.RunSQL):
    def __init__(self):
        super().__init__(migrations.RunSQL.noop, migrations.RunSQL.noop)

    def database_forwards(self, app_label, editor, *states):
        with editor.connection.cursor() as cursor:
            cursor.execute("COMMENT ON TABLE harbour_boat IS 'sly'")
"""


def test_a_column_arrives_everywhere(fleet: Fleet) -> None:
    added = fleet.yard.add_column("length")
    everywhere = {"public", *fleet.schemas}
    code, told = fleet.told("--check")
    assert (code, {one["schema"] for one in told["due"]}) == (1, everywhere)
    assert fleet.having("length") == set()
    code, told = fleet.told("--jobs", "3")
    assert (code, told["public_migrated"], told["failed"], told["by_django"]) == (0, True, [], [])
    assert told["canary"] == fleet.slug(fleet.schemas[0])
    assert [one["migrations"] for one in told["migrated"]] == [[added]] * 6
    assert fleet.having("length") == everywhere


def test_a_second_run_has_nothing_to_do(fleet: Fleet) -> None:
    assert "Nothing to do." in fleet.run().stdout
    for name in ("migrate", "migrate_schemas"):
        ran = fleet.scratch.manage(name, "--check")
        assert (ran.returncode, ran.stdout) == (0, "Nothing to do.\n")


def test_what_is_replayed_is_what_django_makes(fleet: Fleet) -> None:
    """Tables with walls, references between them, indexes, checks, defaults and a rename: the
    catalogue of each schema is compared with one made from the migrations."""
    fleet.yard.add(
        """migrations.CreateModel(
            name="Berth",
            fields=[
                ("id", models.UUIDField(default=new_id, editable=False, primary_key=True,
                    serialize=False)),
                ("tenant_id", ownership.TenantId()),
                ("user_id", models.UUIDField(editable=False)),
                ("boat", ownership.TenantForeignKey(to="harbour.boat", on_delete=models.PROTECT,
                    db_constraint=False, db_index=False)),
                ("fee", models.DecimalField(max_digits=9, decimal_places=2, db_default=1)),
            ],
            options={
                "indexes": [models.Index(fields=["tenant_id", "boat"], name="berth_of_boat")],
                "constraints": [
                    constraints.TenantWall(name="tests_berth_wall", owner_column="user_id"),
                    constraints.TenantReference(name="tests_berth_boat", field="boat"),
                    models.CheckConstraint(name="berth_fee", condition=models.Q(fee__gt=0)),
                ],
            },
        )""",
        'migrations.AddField("boat", "flag", models.CharField(max_length=2, default="%;"))',
    )
    fleet.yard.add(
        'migrations.AlterField("boat", "flag", models.CharField(max_length=5, null=True))',
        'migrations.RenameField("boat", "flag", "ensign")',
    )
    code, told = fleet.told()
    assert (code, told["by_django"], len(told["migrated"])) == (0, [], 6)
    canary, *others = fleet.schemas
    expected = described(fleet, canary)
    assert {len(expected[kind]) > 0 for kind in expected} == {True}
    for schema in others:
        assert described(fleet, schema) == expected, schema
    fleet.yard.add('migrations.DeleteModel("Berth")', 'migrations.RemoveField("boat", "ensign")')
    assert fleet.told()[0] == 0
    ran = fleet.scratch.manage("check_isolation")  # against one made from the migrations
    assert ran.returncode == 0, ran.stdout


def described(fleet: Fleet, schema: str) -> dict[str, set[tuple[str, ...]]]:
    """The schema's catalogue, with its own name and tenant taken out."""
    names = ((schema, "<schema>"), (str(tenant_of(schema)), "<tenant>"))
    found = {}
    for kind, query in CATALOGUE.items():
        rows = fleet.database.execute(query.encode(), [schema]).fetchall()
        found[kind] = {tuple(neutral(str(value), names) for value in row) for row in rows}
    return found


def neutral(text: str, names: Iterable[tuple[str, str]]) -> str:
    for name, instead in names:
        text = text.replace(name, instead)
    return text


def test_a_canary_that_fails_is_the_only_one_touched(fleet: Fleet) -> None:
    canary, *others = reversed(fleet.schemas)
    fleet.yard.add_sql(_SINK_IN.format(schema=canary))
    ran = fleet.run("--canary", fleet.slug(canary))
    assert ran.returncode == 1
    assert f"{canary} ({fleet.slug(canary)}) failed at harbour." in ran.stdout
    assert "sunk" in ran.stdout
    assert "The canary failed; untouched: 5 schemas." in ran.stderr
    _, told = fleet.told("--check")
    waiting = {one["schema"]: one["error"] for one in told["due"]}
    assert "sunk" in waiting.pop(canary)
    assert waiting == dict.fromkeys(others, "")
    mended(fleet, canary)


def test_another_that_fails_is_told_and_the_others_go_on(fleet: Fleet) -> None:
    broken = fleet.schemas[3]
    added = fleet.yard.add_sql(_SINK_IN.format(schema=broken))
    code, told = fleet.told()
    (failed,) = told["failed"]
    assert (code, failed["schema"], failed["failed"]) == (1, broken, added)
    assert failed["error"].endswith("sunk")
    assert {one["schema"] for one in told["migrated"]} == {*fleet.schemas} - {broken}
    assert fleet.recorded(broken, added) == 0
    mended(fleet, broken)


def mended(fleet: Fleet, broken: str) -> None:
    """The release after: the migration does no harm, and the run goes on where it was."""
    fleet.yard.take_back()
    added = fleet.yard.add_sql("SELECT 1")
    code, told = fleet.told()
    assert (code, told["failed"]) == (0, [])
    assert broken in {one["schema"] for one in told["migrated"]}
    assert [fleet.recorded(schema, added) for schema in fleet.schemas] == [1] * 6


def test_a_canary_has_to_have_a_schema(fleet: Fleet) -> None:
    fleet.yard.add_sql("SELECT 1")
    ran = fleet.run("--canary", "birch")
    assert (ran.returncode, "no_such_canary" in ran.stderr) == (1, True)
    assert fleet.told()[0] == 0


def test_python_and_what_takes_no_transaction_run_in_each_schema(fleet: Fleet) -> None:
    seen = fleet.yard.add("migrations.RunPython(look, migrations.RunPython.noop)", before=_LOOK)
    index = fleet.yard.add(
        'operations.AddIndexConcurrently("boat", models.Index(name="boats",'
        ' fields=["tenant_id", "name"]))',
        atomic=False,
    )
    # As a run leaves it that was killed between the index and its record.
    half = fleet.schemas[2]
    fleet.database.execute(f'CREATE INDEX boats ON "{half}".harbour_boat (name)')
    code, told = fleet.told("--jobs", "3")
    assert (code, told["failed"], told["by_django"]) == (0, [], [seen, index])
    defined = "SELECT indexdef FROM pg_indexes WHERE indexname = 'boats' AND schemaname = %s"
    comment = "SELECT obj_description(%s::regclass, 'pg_class')"
    for schema in fleet.schemas:
        ((definition,),) = fleet.database.execute(defined, [schema]).fetchall()
        assert "(tenant_id, name)" in definition
        table = [f'"{schema}".harbour_boat']
        assert fleet.database.execute(comment, table).fetchall() == [("seen",)]
    assert fleet.scratch.manage("check_isolation").returncode == 0


def test_a_migration_that_goes_past_its_editor_is_not_replayed(fleet: Fleet) -> None:
    """Whatever it says of itself: what it did in the first schema would be missing elsewhere."""
    sly = fleet.yard.add("Sly()", before=_SLY)
    code, told = fleet.told()
    assert (code, told["by_django"]) == (0, [sly])
    for schema in fleet.schemas:
        query = "SELECT obj_description(%s::regclass, 'pg_class')"
        assert fleet.database.execute(query, [f'"{schema}".harbour_boat']).fetchone() == ("sly",)


def test_a_new_tenant_has_what_was_made_concurrently(fleet: Fleet) -> None:
    """Its schema comes to be in one transaction."""
    made = (
        "import datetime, django; django.setup()\n"
        "from tenants.lifecycle.actions import create_tenant\n"
        "create_tenant(slug='late', name='Late', tier='enterprise', by='system:test',"
        " now=datetime.datetime.now(datetime.UTC))"
    )
    ran = fleet.scratch.manage("shell", "-c", made)
    assert ran.returncode == 0, ran.stderr
    query = "SELECT count(*) FROM pg_indexes WHERE indexname = 'boats'"
    assert fleet.database.execute(query).fetchone() == (8,)  # seven schemas, and public
    assert fleet.scratch.manage("check_isolation").returncode == 0
