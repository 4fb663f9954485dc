"""Time-based one-time passwords, against the vectors of RFC 6238, appendix B."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from accounts.mfa import recovery, totp

SECRET = b"12345678901234567890"
# Seconds since the epoch and the code of eight digits; six digits are its last six.
VECTORS = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    step = totp.step_at(datetime.fromtimestamp(seconds, UTC))
    assert totp.code_at(SECRET, step) == code[-6:]


@pytest.mark.parametrize(
    ("off", "known"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_one_step_before_and_after_is_near_enough(off: int, known: bool) -> None:
    now = datetime.fromtimestamp(1111111111, UTC)
    then = totp.step_at(now) + off
    found = totp.step_of(SECRET, totp.code_at(SECRET, then), now=now)
    assert found == (then if known else None)


@pytest.mark.parametrize("code", ["", "0", "12345", "1234567", "ä" * 6, "١٢٣٤٥٦", " " * 6])
def test_what_is_no_code_belongs_to_no_step(code: str) -> None:
    assert totp.step_of(SECRET, code, now=datetime.fromtimestamp(59, UTC)) is None


def test_a_step_lasts_thirty_seconds() -> None:
    start = datetime.fromtimestamp(30 * 1000, UTC)
    assert totp.step_at(start) == totp.step_at(start + timedelta(seconds=29)) == 1000
    assert totp.step_at(start + timedelta(seconds=30)) == 1001


def test_the_uri_says_what_an_authenticator_needs() -> None:
    uri = urlsplit(totp.uri(SECRET, name="alice@acme.example"))
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    asked = parse_qs(uri.query)
    assert asked["secret"] == [totp.shown(SECRET)]
    assert asked["issuer"] == ["Bulkhead"]


def test_recovery_codes_are_ten_different_ones_and_bear_being_copied_by_hand() -> None:
    codes = recovery.new_codes()
    assert len(set(codes)) == 10
    code = codes[0]
    scrawled = f"  {code.upper().replace('-', ' ').replace('0', 'O').replace('1', 'l')} "
    assert recovery.digest(scrawled) == recovery.digest(code)
    assert recovery.digest(code) != recovery.digest(codes[1])
