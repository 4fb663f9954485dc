"""What names of stored files look like. Pure."""

from __future__ import annotations

import re

_NAME = re.compile(r"[0-9a-z-]+(/[0-9a-z-]+)*(\.[a-z]+)?")


def checked(name: str) -> str:
    """Raises ValueError for what no name of ours looks like, such as a way out of the storage."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an archive")
    return name
