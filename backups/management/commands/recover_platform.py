"""`manage.py recover_platform`: everything back, where there is nothing but storage and key."""

from __future__ import annotations

from typing import Any

from backups.platform import recovering
from backups.platform.phases import Phases
from tenants.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Bring the database as of the last WAL, secrets and files back from BACKUP_STORAGE into an"
        " empty data folder; no server has to run. Needs BACKUP_KEYS. See"
        " docs/disaster-recovery.md. Example: BACKUP_KEYS=… BACKUP_STORAGE=file:///mnt/backups"
        " python -m config.embedded recover"
    )

    def carry_out(self, **options: Any) -> dict[str, Any]:
        phases = Phases(lambda line: self.say(line, options))
        done = recovering.recover(phases=phases)
        self.say(f"all of it is in {done.folder}, from copy {done.base.id} on", options)
        return {
            "folder": done.folder,
            "base": done.base.id,
            "unfit": done.unfit,
            "seconds": phases.seconds,
        }
