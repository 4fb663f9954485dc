"""Index of the rooms' models, for Django."""

from accounts.access.models import Invitation, Membership, TenantPolicy
from accounts.mfa.models import Authenticator, RecoveryCode
from accounts.sessions.models import RefreshToken, Session
from accounts.support.models import SupportSession
from accounts.tokens.models import ApiKey
from accounts.trail.models import PlatformEvent, PlatformHead, PlatformLink
from accounts.users.models import User

__all__ = [
    "ApiKey",
    "Authenticator",
    "Invitation",
    "Membership",
    "PlatformEvent",
    "PlatformHead",
    "PlatformLink",
    "RecoveryCode",
    "RefreshToken",
    "Session",
    "SupportSession",
    "TenantPolicy",
    "User",
]
