"""What all operators' commands share: `--json`, one action, a clear error and exit code 1."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.api.errors import DomainError
from tenants.errors import WrongDatabaseRole


class OperatorCommand(BaseCommand):
    """Subclasses add arguments in `arguments()` and do their work in `carry_out()`."""

    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        self.arguments(parser)

    def arguments(self, parser: CommandParser) -> None:
        """Room for the command's own arguments."""

    def carry_out(self, **options: Any) -> dict[str, Any]:
        """The work; gives what `--json` prints. Raises DomainError for what the operator did."""
        raise NotImplementedError  # each command has its own

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = self.carry_out(**options)
        except DomainError as error:
            raise CommandError(f"{error.code}: {error.detail}") from error
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        except (ValueError, OSError, WrongDatabaseRole) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(result, default=str))

    def say(self, line: str, options: dict[str, Any]) -> None:
        """A line for people; `--json` keeps it back."""
        if not options["json"]:
            self.stdout.write(line)
