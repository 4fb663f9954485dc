"""The two ways to say who one is: `Bearer` with an access token, `Api-Key` with a key."""

from __future__ import annotations

from django.utils import timezone

from accounts.access.errors import InvalidCredential
from accounts.tokens import credentials, keys
from tenants.identity import Identity


def identify(authorization: str, address: str) -> Identity:
    """The identity behind an `Authorization` value sent from an IP address.

    Raises InvalidCredential. A token takes no query, a key takes one.
    """
    scheme, _, credential = authorization.partition(" ")
    match scheme.lower():
        case "bearer":
            return credentials.identify(credential.strip())
        case "api-key":
            return keys.identify(credential.strip(), address=address, now=timezone.now())
    raise InvalidCredential("Use `Authorization: Bearer <access token>` or `Api-Key bk_…`.")
