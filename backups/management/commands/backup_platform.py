"""`manage.py backup_platform`: a copy of the whole server, and its WAL from then on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from backups.platform import actions
from backups.platform.phases import Phases
from tenants.management.operator_command import OperatorCommand

_BY = "system:backup_platform"


class Command(OperatorCommand):
    help = (
        "Copy all of the server's files into the storage, sealed; from the first time on its WAL is"
        " kept there too, so that any later instant can be brought back (restore_tenant --at,"
        " recover_platform). What leads to no instant of PLATFORM_BACKUP_DAYS goes."
        " Needs DATABASE_BACKUP_URL, BACKUP_KEYS and WAL_SPOOL."
        " Example: manage.py backup_platform --incremental"
    )

    def arguments(self, parser: CommandParser) -> None:
        how = parser.add_mutually_exclusive_group()
        how.add_argument(
            "--incremental", action="store_true", help="only what has changed since the last copy"
        )
        how.add_argument(
            "--wal", action="store_true", help="only bring all WAL so far into the storage"
        )

    def carry_out(self, **options: Any) -> dict[str, Any]:
        if options["wal"]:
            shipped = actions.ship_all()
            self.say(f"{shipped} files of WAL brought", options)
            return {"wal": shipped}
        phases = Phases(lambda line: self.say(line, options))
        taken = actions.take(is_incremental=options["incremental"], by=_BY, phases=phases)
        gone = actions.prune(now=timezone.now(), by=_BY)
        what = "incremental" if taken.parent else "full"
        self.say(f"{what} copy {taken.id}: {taken.size} bytes", options)
        self.say(f"{len(gone.bases)} copies and {gone.wal} files of WAL removed", options)
        for name, code in gone.unfit.items():
            self.say(f"{name} cannot be read: {code}", options)
        return {
            **asdict(taken),
            "removed": [each.id for each in gone.bases],
            "wal_removed": gone.wal,
            "unfit": gone.unfit,
            "seconds": phases.seconds,
        }
