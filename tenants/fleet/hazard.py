"""What a migration does that a release which runs meanwhile does not survive, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

SENTENCES = {
    "column_without_default": "{object} may not be NULL and has no default in the database: what"
    " the running release inserts is refused. Give it a db_default, or let it be NULL until every"
    " release fills it.",
    "column_required": "{object} must be there from now on: all rows are read under a lock, and"
    " the running release may still leave it out. Add a NOT VALID check and validate it first.",
    "default_removed": "{object} loses what the database puts in by itself: the running release"
    " leaves it out, and is refused or stores NULL. Have a release write it, and take the default"
    " away in a later one.",
    "column_removed": "The running release still reads and writes {object}. Take it out of the"
    " state in one release, and out of the database in a later one.",
    "table_removed": "The running release still reads and writes {object}. Take it out of the"
    " state in one release, and out of the database in a later one.",
    "object_removed": "The running release still calls {object}, keeps values of it or counts on"
    " it. Add what comes after it, and remove it in a later release.",
    "rights_taken": "{object} takes from a role what the running release may do. Take rights away"
    " in the release after the last one that needs them.",
    "wall_changed": "{object} changes which rows the running release sees and writes. Leave walls"
    " to the house's operations (CloseInsideTenants, SharedTable, RenewWalls), and shut a release"
    " out of a table only when it is gone.",
    "renamed": "The running release knows {object} by its name of now. Add the new one, have both"
    " written, and remove the old one later.",
    "type_changed": "{object} gets another type: its table is written anew under a lock that nobody"
    " passes. Add a column, fill it in batches, and remove the old one later.",
    "table_rewritten": "{object} has its table written anew under a lock that nobody passes."
    " Of a column: add it without, fill it in batches, and give it its default afterwards.",
    "table_emptied": "{object} takes all rows, under a lock that nobody passes, while the running"
    " release works with them. Delete rows in batches.",
    "unreadable_sql": "{object} is SQL of which nobody can tell by its words what it does. Say it"
    " in plain statements, or accept it with the reason why a running release survives it.",
    "index_under_lock": "{object} is built while nobody may write to its table. Use"
    " AddIndexConcurrently in a migration with atomic = False.",
    "index_dropped_under_lock": "{object} goes under a lock that waits for all who read its table,"
    " and whoever comes after waits behind it. Use RemoveIndexConcurrently in a migration with"
    " atomic = False.",
    "constraint_under_lock": "{object} is checked against all rows under a lock. Add it NOT VALID"
    " (AddConstraintNotValid), and validate it in a later migration.",
    "rows_under_lock": "{object} changes rows in the transaction that changes tables, whose locks"
    " are held as long. Change the rows in a migration of their own.",
    "rows_at_once": "{object} may change all rows of a table at once: whoever writes one of them"
    " waits for the last. Change rows that a LIMIT or their id names, and commit batch by batch:"
    " in a task of the release, or in Python with atomic = False that may be run again.",
    "no_way_back": "{object} can't be undone. Give it a reverse, if it is one that does nothing.",
    "not_repeatable": "{object} runs without a transaction and can't be run again where it was"
    " broken off. Only indexes that are made or dropped concurrently can.",
    "own_locks": "{object} asks for locks, or sets how long to wait for them. Leave that to"
    " migrate_fleet, which waits shortly and tries again.",
    "stale_acceptance": "It accepts {object}, which it does not do. Remove that.",
}


@dataclass(frozen=True, slots=True, order=True)
class Hazard:
    """One of them, in one migration; `code` stays the same between releases."""

    migration: str
    code: str
    object: str

    @property
    def sentence(self) -> str:
        return SENTENCES[self.code].format(object=self.object)
