"""The server as it was at an instant, standing still, beside the live one that goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from django.conf import settings
from psycopg import conninfo

from backups.platform import bases, scratch, server, unpacking, wal
from backups.platform.errors import InstantToCome, NotAtInstant, ScratchEnded, WalMissing
from backups.platform.feed import Feed
from backups.platform.phases import Phases
from backups.snapshot import Instant
from backups.storage import place

_REPLAYED = "SELECT pg_catalog.pg_last_xact_replay_timestamp()"
_TOO_SHORT = "recovery ended before configured recovery target was reached"


@contextmanager
def standing(at: datetime, phases: Phases) -> Iterator[Instant]:
    """All that had been committed by then, the instant itself included, and nothing after it.

    By a scratch server of ours; or what DATABASE_CLONE_URL names, which somebody else has brought
    there. Raises NoBase, InstantTooEarly, InstantToCome, TwoServers, WalMissing, WalNotArchived,
    NotAtInstant, ScratchEnded, BaseUnfit, NoPrograms, and what the storage raises.
    """
    facts = server.facts()
    if at >= facts.at:
        raise InstantToCome
    if url := settings.DATABASE_CLONE_URL:
        _check_clone(url, at)
        yield Instant(url, at)
        return
    storage = place.chosen()
    wal.check_ours(storage, facts)
    known = bases.stored(storage).of(facts.system)
    known.tell(phases.report)
    chain = known.chain(known.nearest(at))
    with phases.phase("WAL brought"):
        wal.ship_all(storage)
    with scratch.room() as room, ExitStack() as stack:
        unpacking.lay_out(storage, chain, room / scratch.HOME, phases)
        with phases.phase("WAL gone through"):
            feed = Feed(storage, room, segment_size=chain[-1].segment_size)
            url = stack.enter_context(_come_back(feed, room, at))
        yield Instant(url, at)


@contextmanager
def _come_back(feed: Feed, room: Path, at: datetime) -> Iterator[str]:
    database = conninfo.conninfo_to_dict(settings.DATABASE_BACKUP_URL)["dbname"]
    with ExitStack() as stack:
        came = scratch.comes_back(room, feed, until=at, database=str(database), is_safe=False)
        try:
            url = stack.enter_context(came)
        except ScratchEnded as fault:
            if feed.has_gap() or _TOO_SHORT in fault.detail:
                raise WalMissing(f"{feed.missing} is not there:\n{fault.detail}") from fault
            raise
        _check_replayed(url, at)
        yield url


def _check_replayed(url: str, at: datetime) -> None:
    """NULL where nothing was committed since the copy."""
    with server.connected(url) as connection:
        ((replayed,),) = connection.execute(_REPLAYED).fetchall()
    if replayed is not None and replayed > at:
        raise NotAtInstant(f"It stands at {replayed.isoformat()}.")


def _check_clone(url: str, at: datetime) -> None:
    """Whether it stands where it is said to, nobody but its maker knows; but it is another server,
    and has gone no further."""
    if server.facts(url).started_at == server.facts().started_at:
        raise NotAtInstant("DATABASE_CLONE_URL leads to the live server.")
    _check_replayed(url, at)
