"""`manage.py replay_market`: the demo's clock; walks through the bundled history."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone

from tenants.management.operator_command import OperatorCommand
from trading.market import bundle
from trading.orders import feed


class Command(OperatorCommand):
    help = (
        "Feed the bundled history at BULKHEAD_REPLAY_SPEED bars of each instrument a minute;"
        " 0 stands still. Example: manage.py replay_market"
    )

    def carry_out(self, **options: Any) -> dict[str, Any]:
        stop = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        speed = settings.BULKHEAD_REPLAY_SPEED
        if speed <= 0:
            self.say("the market stands still", options)
            stop.wait()
            return {"bars": 0}
        self.say(f"replaying {speed:g} bars a minute", options)
        # Whatever was interrupted: what is left of each tape is matched.
        feed.recover(bundle.symbols(), now=timezone.now())
        return {"bars": self._replay(stop, 60 / speed)}

    def _replay(self, stop: threading.Event, pause: float) -> int:
        bars = 0
        for moment in bundle.upcoming():
            for bar in moment:
                self._feed(bar, stop)
                bars += 1
            if stop.wait(pause):
                return bars
        self.stdout.write("the bundled history has ended; prices stand still")
        stop.wait()
        return bars

    def _feed(self, bar: Any, stop: threading.Event) -> None:
        """Feed one bar; while the database is away, wait and feed the same one again."""
        while not stop.is_set():
            try:
                feed.feed(bar, now=timezone.now())
            except OperationalError as fault:
                self.stderr.write(f"bar {bar.symbol} {bar.start}: {fault}; again in 2 s")
                connection.close()
                stop.wait(2)
            else:
                return
