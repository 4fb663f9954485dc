"""What traders ask for and markets do, as hypothesis draws it around the last price."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

QUANTITIES = ("1", "2", "4", "0.5", "1.337")
# None: nothing breaks.
moments = st.none() | st.integers(1, 60)
# Mostly hours; a bar of four tells the time of those that come after it, too.
timeframes = st.sampled_from(["1h", "1h", "1h", "1h", "15m", "4h"])
amounts = st.sampled_from(["1", "99.99", "400", "1500"])


@st.composite
def prices(draw: st.DrawFn, last: Decimal) -> str:
    return str(last + Decimal(draw(st.integers(-28, 28))) / 4)


@st.composite
def bars(draw: st.DrawFn, last: Decimal) -> dict[str, str]:
    """The next bar: sometimes with a gap, sometimes thin; a volume of 0 is an unknown one."""
    first = last + draw(st.sampled_from([0, 0, 0, -5, 5]))
    close = max(first + draw(st.integers(-4, 4)), Decimal(40))
    first = max(first, Decimal(40))
    numbers = {
        "open": first,
        "high": max(first, close) + draw(st.integers(0, 3)),
        "low": min(first, close) - draw(st.integers(0, 3)),
        "close": close,
        "volume": draw(st.sampled_from(["0", "0", "6", "25"])),
    }
    return {name: str(number) for name, number in numbers.items()}


@st.composite
def ticks(draw: st.DrawFn, last: Decimal) -> tuple[timedelta, str, str]:
    """How long after the last, at what price, and how much."""
    wait = timedelta(minutes=draw(st.sampled_from([0, 0, 7, 40])))
    price = max(last + Decimal(draw(st.integers(-12, 12))) / 4, Decimal(40))
    return wait, str(price), draw(st.sampled_from(["3", "25", "1000"]))


@st.composite
def orders(draw: st.DrawFn, last: Decimal, at: datetime) -> dict[str, Any]:
    """Some order, as the API takes it; not each can be paid, or makes sense to the market."""
    side = draw(st.sampled_from(["buy", "buy", "sell"]))
    kind = draw(st.sampled_from(["market", "limit", "stop", "stop_limit", "trailing_stop"]))
    body = {"side": side, "type": kind, **draw(_sizes(kind)), **draw(_times(at))}
    if kind in ("limit", "stop_limit"):
        body["limit_price"] = draw(prices(last))
    if kind in ("stop", "stop_limit"):
        body["stop_price"] = draw(prices(last))
    if kind == "trailing_stop":
        body[draw(st.sampled_from(["trail_amount", "trail_percent"]))] = draw(_trails)
    if kind == "limit" and body["time_in_force"] in ("gtc", "day", "gtd"):
        body["post_only"] = draw(st.booleans())
    if draw(st.booleans()):
        body |= draw(_legs(body, last))
    elif side == "sell":
        body["reduce_only"] = draw(st.booleans())
    return body


@st.composite
def changes(draw: st.DrawFn, order: dict[str, Any], last: Decimal) -> dict[str, Any]:
    """What is to be different in an order: its price or its quantity."""
    priced = [name for name in ("limit_price", "stop_price") if order[name]]
    trailing = [name for name in ("trail_amount", "trail_percent") if order[name]]
    name = draw(st.sampled_from([*priced, *trailing, "quantity"]))
    if name == "quantity":
        return {name: draw(st.sampled_from(QUANTITIES))}
    return {name: draw(prices(last) if name in priced else _trails)}


_trails = st.sampled_from(["1", "2.5", "4"])


@st.composite
def _sizes(draw: st.DrawFn, kind: str) -> dict[str, str]:
    if kind in ("market", "limit") and draw(st.integers(0, 3)) == 0:
        return {"notional": str(draw(st.integers(50, 500)))}
    return {"quantity": draw(st.sampled_from(QUANTITIES))}


@st.composite
def _times(draw: st.DrawFn, at: datetime) -> dict[str, str]:
    time = draw(st.sampled_from(["gtc", "gtc", "day", "ioc", "fok", "gtd"]))
    if time != "gtd":
        return {"time_in_force": time}
    ends = at + timedelta(hours=draw(st.integers(1, 5)), minutes=draw(st.sampled_from([0, 30])))
    return {"time_in_force": time, "expires_at": ends.isoformat()}


@st.composite
def _legs(draw: st.DrawFn, body: dict[str, Any], last: Decimal) -> dict[str, Any]:
    """A bracket's exits for a buy; for a limit that sells, the other half of an OCO."""
    level = last - draw(st.integers(1, 6))
    stop: dict[str, str] = {"stop_price": str(level)}
    if draw(st.booleans()):
        stop["limit_price"] = str(level - draw(st.integers(0, 3)))
    profit = {"limit_price": str(last + draw(st.integers(1, 6)))}
    if body["side"] == "sell":
        is_oco = body["type"] == "limit" and body["time_in_force"] in ("gtc", "day", "gtd")
        both = {"order_class": "oco", "stop_loss": stop, "post_only": False}
        return both if is_oco else {}
    return draw(
        st.sampled_from(
            [
                {"take_profit": profit, "stop_loss": stop},
                {"take_profit": profit},
                {"stop_loss": stop},
            ]
        )
    )
