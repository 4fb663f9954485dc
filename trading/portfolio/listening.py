"""Facts are sampled as they are booked: rooms below book them and know no portfolio."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save

from trading.portfolio import actions

_FACTS = ("trading.CashMovement", "trading.Fill")


def begin() -> None:
    """Once the models are there: keep what an account is worth with each fact of it."""
    for fact in _FACTS:
        post_save.connect(_sample, sender=fact, dispatch_uid=f"equity:{fact}")


def _sample(instance: Any, *, created: bool, raw: bool = False, **_: object) -> None:
    """In the transaction that booked the fact."""
    if created and not raw:
        actions.sample_fact(instance)
