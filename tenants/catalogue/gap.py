"""One hole in the walls, as an operator reads it."""

from __future__ import annotations

from dataclasses import dataclass

# Where a gap lies that is no schema's own: roles, the database, functions of PostgreSQL itself.
DATABASE = "(database)"


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """`sentence` says what is wrong and what to do; `code` stays the same between releases."""

    schema: str
    object: str
    code: str
    sentence: str
