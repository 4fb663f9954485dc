"""Secrets at rest: which key opens them, and for what."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from accounts import sealing
from accounts.mfa.models import Authenticator
from accounts.users import actions as users
from tests.cast import PASSWORD, now

OLD, NEW = "11" * 32, "22" * 32
COLUMN = ("accounts.Authenticator", "sealed_secret")


@pytest.fixture
def authenticator(monkeypatch: pytest.MonkeyPatch) -> Authenticator:
    """The only sealed value there is, to rotation: other tests' rows keep their keys."""
    user = users.ensure(email=f"{uuid4().hex}@x.example", password=PASSWORD, now=now())
    made = Authenticator(user=user, created_at=now())
    made.sealed_secret = sealing.seal(b"secret", purpose=made.purpose)
    made.save(force_insert=True)

    class Alone:
        _default_manager = Authenticator.objects.filter(pk=made.pk)

    column = replace(sealing._columns[COLUMN], model=Alone)
    monkeypatch.setattr(sealing, "_columns", {COLUMN: column})
    return made


def rotate(*flags: str) -> dict[str, Any]:
    out = StringIO()
    call_command("rotate_sealed_secrets", "--json", *flags, stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())[".".join(COLUMN)]
    return found


def test_a_sealed_value_opens_for_its_purpose_and_for_no_other() -> None:
    sealed = sealing.seal(b"secret", purpose="totp:alice")
    assert b"secret" not in sealed
    assert sealing.unseal(memoryview(sealed), purpose="totp:alice") == b"secret"
    with pytest.raises(sealing.SealBroken):
        sealing.unseal(sealed, purpose="totp:mallory")


def test_the_same_secret_never_looks_the_same() -> None:
    assert sealing.seal(b"secret", purpose="x") != sealing.seal(b"secret", purpose="x")


def test_every_changed_byte_breaks_the_seal() -> None:
    sealed = sealing.seal(b"secret", purpose="x")
    for at in range(len(sealed)):
        changed = bytes(b ^ (i == at) for i, b in enumerate(sealed))
        with pytest.raises(sealing.Unsealable):
            sealing.unseal(changed, purpose="x")
    for length in range(len(sealed)):
        with pytest.raises(sealing.Unsealable):
            sealing.unseal(sealed[:length], purpose="x")


def test_the_first_key_seals_and_all_open(settings: Settings) -> None:
    settings.SEALING_KEYS = [OLD]
    sealed = sealing.seal(b"secret", purpose="x")
    settings.SEALING_KEYS = [NEW, OLD]
    assert sealing.unseal(sealed, purpose="x") == b"secret"
    assert not sealing.is_current(sealed)
    assert sealing.is_current(sealing.seal(b"secret", purpose="x"))
    settings.SEALING_KEYS = [NEW]
    with pytest.raises(sealing.SealingKeyMissing):
        sealing.unseal(sealed, purpose="x")


def test_without_keys_the_secret_keys_seal_and_their_fallbacks_open(
    settings: Settings,
) -> None:
    settings.SEALING_KEYS = []
    sealed = sealing.seal(b"secret", purpose="x")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    assert sealing.unseal(sealed, purpose="x") == b"secret"
    assert not sealing.is_current(sealed)


def test_the_first_explicit_key_loses_nothing_sealed_before(settings: Settings) -> None:
    settings.SEALING_KEYS = []
    sealed = sealing.seal(b"secret", purpose="x")
    settings.SEALING_KEYS = [NEW]
    assert sealing.unseal(sealed, purpose="x") == b"secret"
    assert not sealing.is_current(sealed)


@pytest.mark.parametrize("key", ["", "11" * 16, "not hex"])
def test_a_key_that_is_none_is_named(settings: Settings, key: str) -> None:
    settings.SEALING_KEYS = [key]
    with pytest.raises(sealing.SealingKeyUnfit):
        sealing.seal(b"secret", purpose="x")


def test_rotation_seals_anew_and_the_old_key_may_go(
    settings: Settings, authenticator: Authenticator
) -> None:
    settings.SEALING_KEYS = [NEW]
    todo = {"seen": 1, "resealed": 1, "changed": 0, "shut": 0, "unreached": 0}
    assert rotate("--dry-run") == rotate("--dry-run") == todo
    assert rotate() == todo
    assert rotate() == {**todo, "resealed": 0}
    settings.SECRET_KEY = "the old one is gone"
    authenticator.refresh_from_db()
    purpose = authenticator.purpose
    assert sealing.unseal(authenticator.sealed_secret, purpose=purpose) == b"secret"


def test_what_its_owner_replaced_meanwhile_is_left_alone(
    settings: Settings, authenticator: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SEALING_KEYS = [NEW]
    seal = sealing.seal

    def overtaken(secret: bytes, *, purpose: str) -> bytes:
        Authenticator.objects.filter(pk=authenticator.pk).update(sealed_secret=b"theirs")
        return seal(secret, purpose=purpose)

    monkeypatch.setattr(sealing, "seal", overtaken)
    assert rotate() == {"seen": 1, "resealed": 0, "changed": 1, "shut": 0, "unreached": 0}
    authenticator.refresh_from_db()
    assert bytes(authenticator.sealed_secret) == b"theirs"


def test_rotation_fails_aloud_for_what_no_key_opens(
    settings: Settings, authenticator: Authenticator
) -> None:
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the old one is lost", []
    with pytest.raises(CommandError, match="sealing_key_missing"):
        rotate()


def test_every_sealed_column_is_known_to_rotation() -> None:
    """By its name, and so for columns not yet made."""
    sealed = {
        (model._meta.label, field.name)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if field.name.startswith("sealed_")
    }
    assert COLUMN in sealed
    assert sealed == set(sealing._columns)
