"""A tenant's last day as bars, and what it has beside what it may have: geometry for small SVGs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tenants.usage import Period

SLOT, GAP, HEIGHT = 10, 2, 60  # units of the drawing, which is stretched to its place
_WARM, _FULL = 80, 100  # percent


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle; `told` is what it says to who points at it."""

    x: float
    y: float
    height: float
    kind: str
    told: str
    width: int = SLOT - GAP


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars side by side, the oldest first; `most` is what the highest stands for."""

    title: str
    bars: tuple[Bar, ...]
    slots: int
    most: str

    @property
    def width(self) -> int:
        return self.slots * SLOT - GAP

    @property
    def height(self) -> int:
        return HEIGHT

    @property
    def has_any(self) -> bool:
        return bool(self.bars)


@dataclass(frozen=True, slots=True)
class Meter:
    """How much of what a plan allows is taken. `most` is None where there is no end."""

    label: str
    told: str
    percent: int | None

    @property
    def kind(self) -> str:
        percent = self.percent or 0
        return "full" if percent >= _FULL else "warm" if percent >= _WARM else "calm"


def requests(hours: Sequence[Period]) -> Chart:
    """What was answered well, what was turned away, and what failed, hour by hour."""
    columns = []
    for hour in hours:
        count = hour.count
        turned_away = count.refused + count.overdrawn + count.crowded
        parts = (
            ("good", max(count.admitted - count.failed, 0)),
            ("away", turned_away),
            ("failed", count.failed),
        )
        told = f"{hour.start:%H:%M} UTC: {count.admitted:,} let in, {turned_away:,} turned away"
        columns.append((f"{told}, {count.failed:,} failed", parts))
    return _drawn("Requests an hour", columns, "{:,}".format)


def slowness(hours: Sequence[Period]) -> Chart:
    """How long nineteen of twenty requests took at most, hour by hour."""
    columns = []
    for hour in hours:
        took = hour.p95_ms or 0
        columns.append((f"{hour.start:%H:%M} UTC: {took:,} ms", (("good", took),)))
    return _drawn("Slowest but one in twenty (p95)", columns, "{:,} ms".format)


def meter(
    label: str, held: int | None, most: int | None, told: Callable[[int], str] = "{:,}".format
) -> Meter:
    """Such as `12 of 8,000`; a dash for what nobody has counted yet."""
    shown = "–" if held is None else told(held)
    if most is None:
        return Meter(label, shown, None)
    percent = min(100 * (held or 0) // most, 100) if most else 100
    return Meter(label, f"{shown} of {told(most)}", percent)


def _drawn(
    title: str,
    columns: Sequence[tuple[str, tuple[tuple[str, int], ...]]],
    said: Callable[[int], str],
) -> Chart:
    """Parts stand on one another, in the order given."""
    most = max((sum(value for _, value in parts) for _, parts in columns), default=0)
    bars = []
    for slot, (told, parts) in enumerate(columns):
        top = float(HEIGHT)
        for kind, value in parts:
            if value:
                height = round(HEIGHT * value / most, 2)
                top = round(top - height, 2)
                bars.append(Bar(slot * SLOT, max(top, 0.0), height, kind, told))
    return Chart(title, tuple(bars), len(columns), said(most))
