"""A Chromium without a window, driven by its own protocol; what its pages may not do is kept."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests import extras

_SECONDS = 20
_OPTIONS = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--no-first-run",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
)
# Before any script of the page: what its policy refuses is told to the document alone.
_WATCH = """
window.refused = [];
document.addEventListener('securitypolicyviolation',
  (event) => window.refused.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


class Page:
    """One page, and what a person does on it."""

    def __init__(self, wire: ClientConnection) -> None:
        self._wire, self._numbers = wire, count(1)
        self._session = ""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        self._ask("Page.enable")
        self._ask("Page.addScriptToEvaluateOnNewDocument", source=_WATCH)

    def open(self, url: str) -> None:
        self._ask("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete'")

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        answer = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, condition: str) -> None:
        end = time.monotonic() + _SECONDS
        while not self.evaluate(condition):
            assert time.monotonic() < end, f"{condition}: {self.text()}"
            time.sleep(0.05)

    def fill(self, **fields: str) -> None:
        """By typing: each field is found by its label's `for`."""
        for name, value in fields.items():
            self.evaluate(f"document.querySelector('label[for={name}]').control.select()")
            self._ask("Input.insertText", text=value)

    def submit(self) -> None:
        """By the keyboard, from the last field."""
        for kind in ("keyDown", "keyUp"):
            key = {"key": "Enter", "code": "Enter", "text": "\r", "windowsVirtualKeyCode": 13}
            self._ask("Input.dispatchKeyEvent", type=kind, **key)

    def text(self) -> str:
        """What is to be seen."""
        return str(self.evaluate("document.body.innerText"))

    def refused(self) -> list[str]:
        """What the page's policy kept it from."""
        return list(self.evaluate("window.refused"))

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        session = {"sessionId": self._session} if self._session else {}
        self._wire.send(json.dumps(message | session))
        while True:
            answer = json.loads(self._wire.recv(timeout=_SECONDS))
            if answer.get("id") == number:
                assert "error" not in answer, answer["error"]
                return dict(answer["result"])


@contextmanager
def page(profile: Path) -> Iterator[Page]:
    """A page of a browser of its own."""
    command = [extras.program("chromium"), *_OPTIONS, f"--user-data-dir={profile}"]
    with (profile / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        with connect(_address(profile, process), max_size=None) as wire:
            yield Page(wire)
    finally:
        process.terminate()
        process.wait(timeout=_SECONDS)


def _address(profile: Path, process: subprocess.Popen[bytes]) -> str:
    """Where it listens, as it writes into its profile."""
    told, end = profile / "DevToolsActivePort", time.monotonic() + _SECONDS
    while not (told.exists() and len(told.read_text().splitlines()) == 2):
        assert process.poll() is None and time.monotonic() < end, (profile / "log").read_text()
        time.sleep(0.05)
    port, path = told.read_text().splitlines()
    return f"ws://127.0.0.1:{port}{path}"
