"""A trader's desk at an exchange: accounts with keys, orders, and the worker's part by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.cast import Person, job, now
from tests.market import Market
from tests.trading import books
from tests.trading.venues.exchange import Exchange, Holder
from trading.models import Fill, Reconciliation, VenueIntent
from trading.venues import intents, reconciliation


@dataclass(frozen=True)
class Seat:
    """An account here, and the customer that it is at the exchange."""

    person: Person
    account: str
    holder: Holder

    @property
    def tenant_id(self) -> UUID:
        tenant_id: UUID = self.person.tenant.id
        return tenant_id


@dataclass(frozen=True)
class Desk:
    exchange: Exchange
    market: Market
    name: str = "kraken"

    def seat(self, person: Person, **totals: str) -> Seat:
        """A new account with keys, whose money has been seen at the exchange."""
        seat = self.unseen(person, **(totals or {"USD": "10000"}))
        found = codes(self.reconcile(seat))
        assert found == ["balance_differed"], found
        return seat

    def unseen(self, person: Person, **totals: str) -> Seat:
        holder = self.exchange.open(**totals)
        real = {"name": uuid4().hex, "kind": "exchange", "exchange": self.name, "currency": "USD"}
        made = person.post("accounts/", real)
        assert made.status_code == 201, made.json()
        seat = Seat(person, made.json()["id"], holder)
        self.write_keys(seat, holder.key, holder.secret)
        return seat

    def write_keys(self, seat: Seat, key: str, secret: str) -> None:
        keys = {"api_key": key, "api_secret": secret}
        path = f"accounts/{seat.account}/credentials/"
        assert seat.person.request("PUT", path, keys).status_code == 200

    def asked(self, seat: Seat, **asked: Any) -> dict[str, Any]:
        body = {"account": seat.account, "instrument": self.market.symbol, "side": "buy"}
        return {**body, "type": "market", "quantity": "1", **asked}

    def place(self, seat: Seat, **asked: Any) -> str:
        answer = seat.person.post("orders/", self.asked(seat, **asked))
        assert answer.status_code == 201, answer.json()
        assert answer.json()["status"] == "submitted"
        return str(answer.json()["id"])

    def limit(self, seat: Seat, **asked: Any) -> str:
        return self.place(seat, **{"type": "limit", "limit_price": "99", **asked})

    def cancel(self, seat: Seat, order: str) -> None:
        answer = seat.person.request("DELETE", f"orders/{order}/")
        assert answer.status_code == 200, answer.json()

    def order(self, seat: Seat, order: str) -> dict[str, Any]:
        found: dict[str, Any] = seat.person.get(f"orders/{order}/").json()
        return found

    def status(self, seat: Seat, order: str) -> tuple[str, str]:
        found = self.order(seat, order)
        return found["status"], found["status_reason"]

    def work(self, seat: Seat, *, later: timedelta = timedelta(0)) -> list[Any]:
        """Carry out all that is due in the seat's tenant, as its worker would by then."""
        at = now() + later
        with job(seat.person.tenant):
            rows = VenueIntent.objects.filter(account=seat.account).due(at)
            due = list(rows.order_by("id").values_list("id", flat=True))
        return [self.carry_out(seat, intent_id, at=at) for intent_id in due]

    def carry_out(self, seat: Seat, intent_id: UUID, *, at: datetime | None = None) -> Any:
        return intents.carry_out(seat.tenant_id, intent_id, clock=lambda: at or now())

    def reconcile(
        self, seat: Seat, reason: str = "request", *, later: timedelta = timedelta(0)
    ) -> list[dict[str, str]]:
        """Gives the findings."""
        report = self.report(seat, reason, later=later)
        return [] if report is None else report.findings

    def report(
        self, seat: Seat, reason: str = "request", *, later: timedelta = timedelta(0)
    ) -> Reconciliation | None:
        account = UUID(seat.account)
        return reconciliation.reconcile(
            seat.tenant_id, account, reason=reason, clock=lambda: now() + later
        )

    def intents(self, seat: Seat, order: str) -> list[tuple[str, str, str]]:
        with job(seat.person.tenant):
            rows = VenueIntent.objects.filter(order=order).order_by("id")
            return list(rows.values_list("kind", "state", "last_error"))

    def venue_id(self, seat: Seat, order: str) -> str:
        with job(seat.person.tenant):
            rows = VenueIntent.objects.filter(order=order, kind="place")
            return str(rows.values_list("venue_order_id", flat=True).get())

    def fills(self, seat: Seat) -> list[Fill]:
        with job(seat.person.tenant):
            return list(Fill.objects.filter(account=seat.account).order_by("id"))

    def money(self, seat: Seat) -> dict[str, dict[str, str]]:
        rows = seat.person.get(f"accounts/{seat.account}/balances/").json()["results"]
        return {row["currency"]: row for row in rows}

    def check_books(self, seat: Seat) -> None:
        with job(seat.person.tenant):
            books.check(seat.account)

    def account(self, seat: Seat) -> tuple[str, str]:
        found = seat.person.get(f"accounts/{seat.account}/").json()
        return found["status"], found["status_reason"]


def codes(findings: list[dict[str, str]]) -> list[str]:
    return [finding["code"] for finding in findings]
