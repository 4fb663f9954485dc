"""An installation as `make up` starts it, and a browser in it whose every complaint is kept."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Page, Response, expect, sync_playwright

from config.embedded import ports
from tests import extras

ROOT = Path(__file__).resolve().parents[2]
ARTEFACTS = ROOT / ".artifacts" / "staff"
_SECONDS = 90
WIDE, NARROW = {"width": 1360, "height": 900}, {"width": 390, "height": 844}


@dataclass(frozen=True)
class Installation:
    """One that runs, with its web, its workers and its operator."""

    url: str
    environment: dict[str, str]

    def manage(self, *command: str, given: str = "") -> str:
        ran = subprocess.run(
            [sys.executable, "-m", "config.embedded", "manage", *command],
            cwd=ROOT,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout


@contextmanager
def installation() -> Iterator[Installation]:
    """Servers, web, worker, operator and beat of its own; without the demo's tenants."""
    port = ports.choose(None)
    with tempfile.TemporaryDirectory(prefix="bulkhead-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL may run as another user than this process
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environment |= {"PORT": str(port), "DEBUG": "false", "BULKHEAD_DATA_DIR": f"{folder}/data"}
        environment["DJANGO_SETTINGS_MODULE"] = "config.settings.local"  # as make says
        with (Path(folder) / "up.log").open("wb") as log:
            up = subprocess.Popen(
                [sys.executable, "-m", "config.embedded", "up"],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            _await(port, up, Path(folder) / "up.log")
            yield Installation(f"http://127.0.0.1:{port}", environment)
        finally:
            up.send_signal(signal.SIGTERM)
            up.wait(timeout=_SECONDS)


@dataclass
class Walk:
    """A person at a browser; each look is a screenshot, wide and narrow."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def look(self, name: str) -> None:
        number = next(self._numbers)
        for width, view in (("wide", WIDE), ("narrow", NARROW)):
            self.page.set_viewport_size(view)
            is_over = self.page.evaluate("document.documentElement.scrollWidth > innerWidth")
            assert not is_over, f"{name} is wider than a {width} window"
            path = ARTEFACTS / f"{number:02}-{name}-{width}.png"
            self.page.screenshot(path=path, full_page=True)
        self.page.set_viewport_size(WIDE)

    def watch(self) -> None:
        """Keep what the console says, and answers that are faults. A policy's refusal is said
        there too."""
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda fault: self.complaints.append(str(fault)))
        self.page.on("response", self._see)

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.complaints.append(said.text)

    def _see(self, answer: Response) -> None:
        if answer.status >= 400:
            self.complaints.append(f"{answer.status} {answer.url}")


@contextmanager
def walking() -> Iterator[Walk]:
    """A person in a browser of their own."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    chromium = extras.program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(color_scheme="light", viewport=WIDE)
        page.set_default_timeout(_SECONDS * 1000)
        expect.set_options(timeout=_SECONDS * 1000)
        walk = Walk(page)
        walk.watch()
        yield walk
        browser.close()


def _await(port: int, up: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _SECONDS
    while _readiness(port) != http.client.OK:
        assert up.poll() is None and time.monotonic() < end, log.read_text()
        time.sleep(0.2)


def _readiness(port: int) -> int | None:
    probe = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    with closing(probe), suppress(OSError, http.client.HTTPException):
        probe.request("GET", "/readyz")
        return probe.getresponse().status
    return None
