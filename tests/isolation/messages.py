"""What a process says while something is done: tasks, group messages and lines of the log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from celery.signals import before_task_publish
from channels.layers import get_channel_layer


@dataclass
class Messages(logging.Handler):
    """All of it as text, in order; `groups` are the messages of the channel layer, by group."""

    tasks: list[str] = field(default_factory=list)
    groups: list[tuple[str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(logging.DEBUG)

    def __hash__(self) -> int:  # logging keeps its handlers by it
        return id(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    def sent(self, sender: Any = None, body: Any = None, headers: Any = None, **_: Any) -> None:
        """Celery's signal of a task on its way."""
        self.tasks.append(f"{sender} {body!r} {headers!r}")


@contextmanager
def heard() -> Iterator[Messages]:
    """What is said inside the block."""
    messages = Messages()
    layer = get_channel_layer()
    send = layer.group_send

    async def group_send(group: str, message: dict[str, Any]) -> None:
        messages.groups.append((group, repr(message)))
        await send(group, message)

    before_task_publish.connect(messages.sent, weak=False)
    logging.getLogger().addHandler(messages)
    try:
        with mock.patch.object(layer, "group_send", group_send):
            yield messages
    finally:
        logging.getLogger().removeHandler(messages)
        before_task_publish.disconnect(messages.sent)
