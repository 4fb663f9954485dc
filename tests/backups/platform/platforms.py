"""The whole server, copied and brought to instants as tests do it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.conf import settings
from django.test import override_settings

from backups.archive.entry import Entry
from backups.platform import actions, server
from backups.platform.base import Base
from backups.platform.phases import Phases
from tests.backups.keepers import BY
from tests.cast import now


@contextmanager
def storing(url: str) -> Iterator[None]:
    with override_settings(BACKUP_STORAGE=url):
        yield


def copy(*, is_incremental: bool = False) -> Base:
    return actions.take(is_incremental=is_incremental, by=BY.name, phases=quiet())


def quiet() -> Phases:
    said: list[str] = []
    return Phases(said.append)


def clock() -> datetime:
    """The server's."""
    return server.facts().at


def of_instant(slug: str, at: datetime) -> Entry:
    how: dict[str, Any] = {"by": BY.name, "now": now(), "phases": quiet()}
    return actions.of_instant(slug=slug, at=at, **how)


def left_over() -> list[str]:
    """Of scratch servers."""
    scratch = settings.BULKHEAD_DATA_DIR / "scratch"
    return [path.name for path in scratch.iterdir() if path.is_dir()]
