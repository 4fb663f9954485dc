"""`manage.py create_staff`: a colleague who may use the staff's pages."""

from __future__ import annotations

import sys
from getpass import getpass
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from accounts.staff import actions as staff
from tenants.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Create a member of staff; the password is read from the terminal, from a pipe or from a"
        " file, never from the command line. The second factor is added at the first log-in."
        " Example: manage.py create_staff sam@bulkhead.example --password-file /run/secrets/sam"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--password-file", type=Path, metavar="PATH", help="its first line")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        person = staff.create(
            email=options["email"],
            password=_password(options["password_file"]),
            by="system:create_staff",
            now=timezone.now(),
        )
        self.say(f"{person.email}: staff; add the second factor under /admin/", options)
        return {"email": person.email, "id": person.id}


def _password(file: Path | None) -> str:
    """Raises OSError for a file that cannot be read."""
    if file is not None:
        return file.read_text().partition("\n")[0]
    if sys.stdin.isatty():
        return getpass()
    return sys.stdin.readline().rstrip("\n")
