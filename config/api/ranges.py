"""`Range` and `If-Range`: a file whose way here was broken off goes on where it stopped.

One range of bytes at a time (RFC 9110, §14). Several at once, other units and what is no range are
passed over, as the RFC allows: the answer is the whole file then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from config.api.errors import DomainError

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.IGNORECASE)
PARAMETERS = (
    OpenApiParameter(
        "Range",
        str,
        OpenApiParameter.HEADER,
        required=False,
        description="One range, such as `bytes=1000-`, is answered with 206 and that part.",
    ),
    OpenApiParameter(
        "If-Range",
        str,
        OpenApiParameter.HEADER,
        required=False,
        description="The ETag of what is there already: a file that is another by now comes whole.",
    ),
)


class RangeNotSatisfiable(DomainError):
    code = "range_not_satisfiable"
    status = 416
    title = "The file has no such bytes."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants of a file, as its headers say it: `Range`, and the tag of `If-Range`.
    `is_content` is False for who asks for the headers of the answer alone."""

    asked: str = ""
    tag: str = ""
    is_content: bool = True

    @classmethod
    def of(cls, request: Request) -> Wanted:
        """A range is of a GET, and of nothing else."""
        if request.method != "GET":
            return cls(is_content=False)
        headers = request.headers
        return cls(headers.get("Range", "").strip(), headers.get("If-Range", "").strip())

    def part(self, size: int, tag: str) -> range | None:
        """The bytes of a file of so many, by their numbers; None is all of it.

        Raises RangeNotSatisfiable.
        """
        asked = _RANGE.fullmatch(self.asked)
        if asked is None or self.tag not in ("", tag):
            return None
        first, last = asked.groups()
        if not first:
            return _last(int(last), size) if last else None
        if last and int(last) < int(first):
            return None
        stop = min(int(last) + 1, size) if last else size
        return _within(range(int(first), stop), size)


def _last(count: int, size: int) -> range:
    return _within(range(max(0, size - count), size), size)


def _within(part: range, size: int) -> range:
    if not part:
        raise RangeNotSatisfiable(headers={"Content-Range": f"bytes */{size}"})
    return part
