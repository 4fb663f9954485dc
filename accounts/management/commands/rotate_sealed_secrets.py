"""`manage.py rotate_sealed_secrets`: what is sealed goes under the first of SEALING_KEYS."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from accounts import sealing
from accounts.trail import actions as trail
from tenants.management.operator_command import OperatorCommand

_BY = "system:rotate_sealed_secrets"


class Command(OperatorCommand):
    help = (
        "Re-seal every secret that is not under the first key; safe to run twice. Old keys may go"
        " once it ends without an error and finds nothing more to do."
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count, and change nothing")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        found = sealing.reseal_everything(dry_run=options["dry_run"])
        columns = [{"column": name, **asdict(count)} for name, count in found.items()]
        if not options["dry_run"]:
            trail.record("secrets.resealed", by=_BY, kind="sealing", after={"columns": columns})
        verb = "to re-seal" if options["dry_run"] else "re-sealed"
        for name, count in found.items():
            self.say(f"{name}: {count.seen} seen, {count.resealed} {verb}", options)
        shut = {name: count.shut for name, count in found.items() if count.shut}
        if shut:
            raise sealing.SealingKeyMissing(
                f"Rows that no key opens: {shut}. Put the key that sealed them back, and run again."
            )
        unreached = max((count.unreached for count in found.values()), default=0)
        if unreached:
            raise sealing.SealingKeyMissing(
                f"{unreached} tenants may not be entered, and keep what they have: leave the old"
                " keys in place, and run again when they are resumed or deleted."
            )
        return {"dry_run": options["dry_run"], **{k: asdict(v) for k, v in found.items()}}
