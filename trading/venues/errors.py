"""What a call to an exchange can come to, without a word of what was sent or answered."""

from __future__ import annotations


class VenueError(Exception):
    """Its only content is `code`: an exchange's own text may quote keys and signed addresses."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class VenueRefused(VenueError):
    """The exchange said no, and nothing has changed there."""


class OrderUnknown(VenueRefused):
    """The exchange knows no such order, or has it no longer open."""


class KeysRefused(VenueError):
    """The exchange does not take the account's keys; nothing has changed there."""


class TryLater(VenueError):
    """The exchange did not look at the call: too many, or out of turn."""


class OutcomeUnknown(VenueError):
    """Nobody knows whether the call was carried out: ask before it is made again."""
