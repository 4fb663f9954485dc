"""Tokens made by hand: any header, any claims, any key, with a library's scruples left out."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import jwt

from accounts.tokens import credentials
from tests.cast import Person

Claims = dict[str, Any]
LEFT_OUT = object()


def claims_of(person: Person) -> Claims:
    """What the platform has signed for a person."""
    claims: Claims = jwt.decode(person.token, options={"verify_signature": False})
    return claims


def our_key() -> tuple[str, bytes]:
    """The key that signs, and its name."""
    return next(iter(credentials._keys().items()))


def written(header: Claims, claims: Any, sign: Callable[[bytes], bytes]) -> str:
    """Compact serialization (RFC 7515) of whatever it is."""
    text = b".".join(_coded(json.dumps(part).encode()) for part in (header, claims))
    return b".".join((text, _coded(sign(text)))).decode()


def with_key(key: bytes, digest: str = "sha256") -> Callable[[bytes], bytes]:
    return lambda text: hmac.digest(key, text, digest)


def unsigned(text: bytes) -> bytes:
    return b""


def with_header(claims: Claims, **header: Any) -> str:
    """The right key, and a header that says something else; `LEFT_OUT` leaves a name out."""
    name, key = our_key()
    full = {"typ": "JWT", "alg": "HS256", "kid": name, **header}
    kept = {field: value for field, value in full.items() if value is not LEFT_OUT}
    return written(kept, claims, with_key(key))


def with_claims(claims: Claims, **changes: Any) -> str:
    """The right key, and other claims: what a fault of ours could have signed."""
    full = {**claims, **changes}
    return with_header({name: value for name, value in full.items() if value is not LEFT_OUT})


def forgeries(claims: Claims) -> dict[str, str]:
    """What somebody writes who has not our key, or has it and lies in the header."""
    name, key = our_key()
    plain = {"typ": "JWT", "alg": "HS256"}
    public = hashlib.sha256(key).hexdigest().encode()
    made = {
        "none": written({"alg": "none", "kid": name}, claims, unsigned),
        "None": written({"alg": "None", "kid": name}, claims, unsigned),
        "none, signed": with_header(claims, alg="none"),
        "none, no kid": written({"alg": "none"}, claims, unsigned),
        "no signature": written({**plain, "kid": name}, claims, unsigned),
        "HS512": written({"alg": "HS512", "kid": name}, claims, with_key(key, "sha512")),
        "HS384": written({"alg": "HS384", "kid": name}, claims, with_key(key, "sha384")),
        "RS256, the key as public": with_header(claims, alg="RS256"),
        "ES256": with_header(claims, alg="ES256"),
        "EdDSA": with_header(claims, alg="EdDSA"),
        "no alg": with_header(claims, alg=LEFT_OUT),
        "alg is a list": with_header(claims, alg=["HS256"]),
        "its own key in the header": written(
            {**plain, "kid": name, "jwk": {"kty": "oct", "k": "AAAA"}}, claims, with_key(b"\0\0\0")
        ),
        "key at an address": written(
            {**plain, "kid": name, "jku": "https://evil.example/keys"}, claims, with_key(b"mine")
        ),
        "critical extension": with_header(claims, crit=["b64"], b64=False),
        "another key": written({**plain, "kid": name}, claims, with_key(b"another" * 8)),
        "the key's name as key": written({**plain, "kid": name}, claims, with_key(name.encode())),
        "the key's digest as key": written({**plain, "kid": name}, claims, with_key(public)),
        "empty key": written({**plain, "kid": name}, claims, with_key(b"")),
        "kid of a file": written({**plain, "kid": "../../../dev/null"}, claims, with_key(b"")),
        "kid with SQL": with_header(claims, kid="' OR 1=1 --"),
        "unknown kid": with_header(claims, kid="0" * 12),
        "no kid": with_header(claims, kid=LEFT_OUT),
        "kid is a list": with_header(claims, kid=[name]),
        "kid is a number": with_header(claims, kid=0),
        "kid is null": with_header(claims, kid=None),
        "claims are a list": with_header([claims]),
        "claims are null": with_header(None),
    }
    return {**made, **_mangled(with_header(claims))}


def odd_claims(claims: Claims) -> dict[str, str]:
    """Well signed, and still no token of ours."""
    required = ("sub", "tenant", "role", "session", "iat", "exp", "aud")
    made = {f"no {name}": with_claims(claims, **{name: LEFT_OUT}) for name in required}
    for name in required:
        for odd in (None, [], {}, "", -1, True, "nonsense", float("inf"), float("nan"), 10**30):
            if name in ("iat", "exp") and odd in (True, -1, 10**30):
                continue  # times like any other
            made[f"{name} is {odd!r}"] = with_claims(claims, **{name: odd})
    made["expired"] = with_claims(claims, exp=1)
    made["not yet"] = with_claims(claims, iat=claims["exp"] + 1000)
    made["not before"] = with_claims(claims, nbf=claims["exp"] + 1000)
    made["another audience"] = with_claims(claims, aud="elsewhere")
    made["another role"] = with_claims(claims, role="emperor")
    return made


def _mangled(good: str) -> dict[str, str]:
    head, body, signature = good.split(".")
    deep = _coded(b"[" * 4000).decode()
    return {
        "cut": good[:-4],
        "two parts": f"{head}.{body}",
        "four parts": f"{good}.{signature}",
        "empty parts": "..",
        "deep header": f"{deep}.{body}.{signature}",
        "deep claims": f"{head}.{deep}.{signature}",
        "no base64": f"{head}.!!!!.{signature}",
        "not utf-8": f"{_coded(bytes(range(128, 160))).decode()}.{body}.{signature}",
        "long number": f"{_coded(b'9' * 5000).decode()}.{body}.{signature}",
    }


def _coded(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")
