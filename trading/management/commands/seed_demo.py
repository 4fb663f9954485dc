"""`manage.py seed_demo`: tenants, people and history to try things with."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone

from tenants.management.operator_command import OperatorCommand
from trading import demo


class Command(OperatorCommand):
    help = "Seed the demo (only where DEBUG is on). Example: manage.py seed_demo"

    def carry_out(self, **options: Any) -> dict[str, Any]:
        if not settings.DEBUG:
            raise CommandError("DEBUG is off: the demo's known passwords do not belong here.")
        return demo.seed(
            base_url=settings.BULKHEAD_ORIGIN,
            target=settings.BULKHEAD_DATA_DIR / "demo.json",
            now=timezone.now(),
            report=lambda line: self.say(line, options),
        )
