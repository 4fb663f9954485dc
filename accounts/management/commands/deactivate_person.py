"""`manage.py deactivate_person`: one person is out everywhere, at once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from accounts.suspension import actions as suspension
from accounts.users.models import User
from tenants.context import Actor
from tenants.management.operator_command import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Shut a person out of all tenants and the staff's pages at once; safe to run twice."
        " Example: manage.py deactivate_person olga@acme.example"
    )

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def carry_out(self, **options: Any) -> dict[str, Any]:
        person = User.objects.filter(email=options["email"].lower()).first()
        if person is None:
            raise CommandError(f"There is no person {options['email']!r}.")
        changed = suspension.deactivate(
            user=person, by=Actor.system("deactivate_person"), now=timezone.now()
        )
        said = "deactivated" if changed else "was deactivated already"
        self.say(f"{person.email}: {said}", options)
        return {"email": person.email, "id": person.id, "changed": changed}
