"""Tenants that nobody would trade as: rows for every tenant table, of odd and extreme values.

Hypothesis draws the values and a seed; which value stands where is dealt from that. What a check
refuses is dealt again, so that rows are as odd as the tables allow (`sound.py` knows their room).
"""

from __future__ import annotations

import random
import string
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models
from hypothesis import strategies as st
from psycopg import Connection, DataError, IntegrityError, sql
from psycopg.types.json import Jsonb

from accounts.audit.models import AuditHead, AuditLink
from tenants import ownership
from tenants.models import Tenant
from tenants.moving import carrying
from tests.backups.sound import SOUND, Row

ROWS = 6  # of each table
_TRIES = 12  # for a row that is refused
# Written by the database, from events.
_BY_ITSELF = (AuditHead, AuditLink)
_LARGEST = Decimal(
    "99999999999999999999.999999999999999999"
)  # 38 digits, 18 of them behind the point
_ODD_TEXT = (
    *("", " ", "\\N", "\\.", "\\", "\\\\", "\t", "a\tb\nc", "\r\n", "\\n", "\n.\n", '"', "'", "''"),
    *("$$", "%s", "{}", "NULL", "\x01\x7f", "\u2028", "\ufeff", "\u202eשלום", "مرحبا", "e\u0301"),
    *("☃" * 60, "👩‍👩‍👧", "\U0010ffff", "'); DROP TABLE x; --"),
)
_ODD_AMOUNTS = (
    *(
        Decimal(0),
        Decimal(1),
        Decimal(-1),
        Decimal("0.5"),
        Decimal(10) ** -18,
        -(Decimal(10) ** -18),
    ),
    *(_LARGEST, _LARGEST.copy_negate(), Decimal("12345678901234567890.123456789012345678")),
)
_ODD_TIMES = (
    *("infinity", "-infinity", "4714-11-24 00:00:00+00 BC", "0001-01-01 00:00:00+00"),
    *("9999-12-31 23:59:59.999999+00", "294276-12-31 23:59:59.999999+00"),
    *("1970-01-01 00:00:00.000001+00", "2026-03-29 01:30:00+00"),
)
_ODD_DATES = ("infinity", "-infinity", "4714-11-24 BC", "0001-01-01", "9999-12-31", "5874897-12-31")
_ODD_DOCUMENTS = (
    *(None, [], {}, "", 0, -0.0, 1e300, 10**30, True, [[]], [None, False], {"": {"": []}}),
    *({"\\N": "\t", 'a"b': "\\", "שלום": "👩‍👩‍👧"}, {"a": 1, "A": 2, " a": 3}),
)
_ODD_BYTES = (b"", b"\0", b"\\x00", b"\\N\n\t", bytes(range(256)))
_ODD_IDS = (UUID(int=0), UUID(int=2**128 - 1))
_ADDRESSES = ("0.0.0.0", "255.255.255.255", "::", "2001:db8::1", "::ffff:10.0.0.1")  # noqa: S104
_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
_DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | _TEXTS | st.sampled_from(_ODD_TEXT),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)


def _some(of: Any) -> Any:
    return st.lists(of, min_size=1, max_size=6)


@dataclass(frozen=True)
class Drawn:
    """What values there are, by kind, besides those that are always there."""

    seed: int
    texts: list[str]
    amounts: list[Decimal]
    times: list[Any]
    dates: list[date]
    documents: list[Any]
    blobs: list[bytes]
    numbers: list[int]


DRAWN = st.builds(
    Drawn,
    seed=st.integers(0, 2**32 - 1),
    texts=_some(_TEXTS),
    amounts=_some(st.integers(-(10**38) + 1, 10**38 - 1).map(lambda n: Decimal(f"{n}E-18"))),
    times=_some(st.datetimes(timezones=st.just(UTC))),
    dates=_some(st.dates()),
    documents=_some(_DOCUMENTS),
    blobs=_some(st.binary(max_size=40)),
    numbers=_some(st.integers(-(2**63), 2**63 - 1)),
)


@dataclass
class Met:
    """Which columns have been put in with a value, and which without."""

    filled: set[tuple[str, str]] = field(default_factory=set)
    empty: set[tuple[str, str]] = field(default_factory=set)

    def note(self, table: str, row: Row) -> None:
        for column, value in row.items():
            (self.empty if value is None else self.filled).add((table, column))

    def missing(self) -> set[tuple[str, str]]:
        """Of all columns of all tables."""
        columns = [
            (model._meta.db_table, each)
            for model in _models()
            for each in model._meta.local_concrete_fields
        ]
        all_of_them = {(table, str(each.column)) for table, each in columns}
        nullable = {(table, str(each.column)) for table, each in columns if each.null}
        return (all_of_them - self.filled) | (nullable - self.empty)


class Inventor:
    """Of one tenant's rows; what it puts in is noted."""

    def __init__(self, tenant: Tenant, people: Sequence[UUID], drawn: Drawn, met: Met) -> None:
        self._tenant, self._drawn, self._met = tenant, drawn, met
        self._dice = random.Random(drawn.seed)
        # Some who are there, and some of whom nothing is known.
        self._people = [*people, self._id(), self._id()]
        self._rows: dict[str, list[Row]] = defaultdict(list)
        self._kinds = self._values_by_kind()

    def put(self, database: Connection[Any]) -> None:
        """By the superuser: no policy holds, and every check and trigger does. Parents first."""
        path = sql.SQL("SET LOCAL search_path = {}, public, pg_temp")
        database.execute(path.format(sql.Identifier(self._tenant.live_schema)))
        # What is checked at the end is checked row by row, while it can be dealt again.
        database.execute("SET CONSTRAINTS ALL IMMEDIATE")
        known = {model._meta.db_table: model for model in _models()}
        for table in carrying.tables():
            if table.name in known:
                for number in range(ROWS):
                    self._put_one(database, known[table.name], number)
        database.commit()

    def _put_one(self, database: Connection[Any], model: Any, number: int) -> None:
        """The first without all that may lack, the second with all of it."""
        for _ in range(_TRIES):
            row = self._row(model, number)
            if row is None:
                return
            try:
                with database.transaction():
                    database.execute(*_insertion(model, row))
            except (IntegrityError, DataError):
                continue
            self._rows[model._meta.db_table].append(row)
            self._met.note(model._meta.db_table, row)
            return

    def _row(self, model: Any, number: int) -> Row | None:
        """None where there is nothing yet that it has to refer to."""
        row: Row = {"tenant_id": self._tenant.id, "id": self._id()}
        if model.owner_column:
            row[model.owner_column] = self._people[number // 2 % len(self._people)]
        fields = [f for f in model._meta.local_concrete_fields if str(f.column) not in row]
        for each in sorted(fields, key=lambda f: (f.related_model is None, f.null)):
            lacks = each.null and (number == 0 or (number > 1 and self._dice.random() < 0.4))
            if each.related_model:
                value = self._reference(each, row, number)
                if value is None and not each.null:
                    return None
            else:
                value = self._value(each)
            row[str(each.column)] = None if lacks else value
        SOUND.get(model._meta.label, lambda *_: None)(row, self._dice)
        return row

    def _reference(self, each: Any, row: Row, number: int) -> UUID | None:
        """To a row of the same person; the first required one says whose this row is."""
        there = self._rows[each.related_model._meta.db_table]
        is_first = not each.null and not any(isinstance(v, _Reference) for v in row.values())
        if is_first and there:
            chosen = there[number % len(there)]
            row["user_id"] = chosen["user_id"]
            return _Reference(chosen["id"])
        own = [one for one in there if one["user_id"] == row["user_id"]]
        return _Reference(own[number % len(own)]["id"]) if own else None

    def _value(self, each: Any) -> Any:
        if each.choices and self._dice.random() < 0.8:
            return self._dice.choice([value for value, _ in each.choices])
        for kind, deal in self._kinds.items():
            if isinstance(each, kind):
                return deal(each)
        raise TypeError(f"Nobody has invented a {type(each).__name__} yet: {each}")

    def _values_by_kind(self) -> Mapping[type, Callable[[Any], Any]]:
        """Of a subclass before its parent."""
        drawn, choice = self._drawn, self._dice.choice
        texts = (*drawn.texts, *_ODD_TEXT, string.printable)
        return {
            models.BooleanField: lambda _: choice((True, False)),
            models.DecimalField: lambda _: choice((*drawn.amounts, *_ODD_AMOUNTS)),
            models.PositiveSmallIntegerField: lambda _: choice((0, 1, 32_767)),
            models.BigIntegerField: lambda _: choice((*drawn.numbers, -(2**63), 2**63 - 1)),
            models.DateTimeField: lambda _: choice((*drawn.times, *_ODD_TIMES)),
            models.DateField: lambda _: choice((*drawn.dates, *_ODD_DATES)),
            models.JSONField: lambda _: Jsonb(choice((*drawn.documents, *_ODD_DOCUMENTS))),
            models.BinaryField: lambda _: choice((*drawn.blobs, *_ODD_BYTES)),
            models.UUIDField: lambda _: choice((self._id(), *_ODD_IDS)),
            models.GenericIPAddressField: lambda _: choice(_ADDRESSES),
            models.CharField: lambda each: choice(texts)[: each.max_length],
            models.TextField: lambda _: choice(texts),
        }

    def _id(self) -> UUID:
        return UUID(int=self._dice.getrandbits(128))


class _Reference(UUID):
    """An id of another row, to be known among other ids."""

    def __init__(self, of: UUID) -> None:
        super().__init__(int=of.int)


def _models() -> list[Any]:
    return [model for model in ownership.tenant_models() if model not in _BY_ITSELF]


def _insertion(model: Any, row: Row) -> tuple[sql.Composed, list[Any]]:
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(model._meta.db_table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join([sql.Placeholder()] * len(row)),
    )
    values = [UUID(int=v.int) if isinstance(v, _Reference) else v for v in row.values()]
    return statement, values
