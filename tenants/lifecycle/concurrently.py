"""Indexes that are made beside readers and writers: never inside a transaction."""

from __future__ import annotations

import copy
from typing import Any, cast

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations
from django.db.migrations import Migration
from django.db.migrations.operations.base import Operation


def is_repeatable(migration: Migration) -> bool:
    """Whether it may be run again from its beginning, wherever it was broken off."""
    steps = (AddIndexConcurrently, RemoveIndexConcurrently)
    return migration.atomic or all(isinstance(step, steps) for step in migration.operations)


def made(migration: Migration) -> list[str]:
    """The names of the indexes that it makes."""
    added = (step for step in migration.operations if isinstance(step, AddIndexConcurrently))
    return [str(step.index.name) for step in added]


def taken_out(migration: Migration) -> Migration:
    """The same for an empty schema, which comes to be in one transaction."""
    plain: Any = copy.copy(migration)
    plain.operations, plain.atomic = [_plain(step) for step in migration.operations], True
    return cast(Migration, plain)


def _plain(step: Operation) -> Any:
    if isinstance(step, AddIndexConcurrently):
        return migrations.AddIndex(step.model_name, step.index)
    if isinstance(step, RemoveIndexConcurrently):
        return migrations.RemoveIndex(step.model_name, step.name)
    return step
