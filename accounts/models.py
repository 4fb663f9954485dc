"""Index of the rooms' models, for Django."""

from accounts.access.models import Membership
from accounts.tokens.models import RefreshToken
from accounts.users.models import User

__all__ = ["Membership", "RefreshToken", "User"]
