"""`manage.py check`: Django's, which without being asked reads the live catalogue too."""

from __future__ import annotations

from typing import Any

from django.core.checks import Tags
from django.core.management.commands import check
from django.db import DEFAULT_DB_ALIAS


class Command(check.Command):
    """Here and not in the check itself, which every command runs before it begins: reading the
    catalogue takes a second, and most of them need no database, or are there to mend it."""

    def handle(self, *app_labels: Any, **options: Any) -> None:
        asks_for_it = not options["tags"] or Tags.database in options["tags"]
        if options["databases"] is None and not app_labels and asks_for_it:
            options["databases"] = [DEFAULT_DB_ALIAS]
        super().handle(*app_labels, **options)
