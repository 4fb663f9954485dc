"""The one family of errors that may reach a client."""

from __future__ import annotations

from collections.abc import Mapping


class DomainError(Exception):
    """Something the caller can understand; `problems` turns it into an HTTP problem document.

    `code` is stable and machine-readable, `status` the HTTP status, `title` the general sentence;
    the message given at the raise says what to change.
    """

    code = "error"
    status = 400
    title = "The request could not be carried out."

    def __init__(
        self,
        detail: str = "",
        *,
        errors: list[dict[str, object]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = errors or []
        self.headers = dict(headers or {})
