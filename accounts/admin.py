"""Where Django looks for the staff's pages."""

from accounts.staff import admin

__all__ = ["admin"]
