"""When a nightly backup is due."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from accounts.access import queries as access
from accounts.access.models import TenantPolicy
from backups import queries
from backups.models import Backup
from backups.schedule import due_at, is_due
from tenants.models import Tenant
from tests.accounts.doors import stepped_up
from tests.cast import build_house, build_tenant

FIRST = UUID(int=0)  # at the very beginning of the hour
BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("zone", "day", "at"),
    [
        (ZoneInfo("UTC"), date(2026, 1, 5), datetime(2026, 1, 5, 2, tzinfo=UTC)),
        (BERLIN, date(2026, 1, 5), datetime(2026, 1, 5, 1, tzinfo=UTC)),
        (BERLIN, date(2026, 7, 5), datetime(2026, 7, 5, 0, tzinfo=UTC)),
        # the clock leaps from 2 to 3, and back from 3 to 2
        (BERLIN, date(2026, 3, 29), datetime(2026, 3, 29, 1, tzinfo=UTC)),
        (BERLIN, date(2026, 10, 25), datetime(2026, 10, 25, 0, tzinfo=UTC)),
        (NEW_YORK, date(2026, 1, 5), datetime(2026, 1, 5, 7, tzinfo=UTC)),
    ],
)
def test_it_is_due_at_two_of_the_tenants_clock(zone: ZoneInfo, day: date, at: datetime) -> None:
    assert due_at(day, zone, FIRST) == at


def test_tenants_of_a_zone_are_spread_over_an_hour() -> None:
    day, utc = date(2026, 1, 5), ZoneInfo("UTC")
    moments = {due_at(day, utc, uuid4()) for _ in range(300)}
    assert len(moments) > 200
    assert max(moments) - min(moments) < timedelta(hours=1)


@pytest.mark.parametrize(
    ("last", "now", "expected"),
    [
        (None, datetime(2026, 1, 5, 0, tzinfo=UTC), True),  # a new tenant
        (datetime(2026, 1, 4, 2, tzinfo=UTC), datetime(2026, 1, 5, 1, 59, tzinfo=UTC), False),
        (datetime(2026, 1, 4, 2, tzinfo=UTC), datetime(2026, 1, 5, 2, tzinfo=UTC), True),
        (datetime(2026, 1, 5, 2, tzinfo=UTC), datetime(2026, 1, 5, 2, 1, tzinfo=UTC), False),
        # after a day without workers one is taken, at once, and not two
        (datetime(2026, 1, 3, 2, tzinfo=UTC), datetime(2026, 1, 5, 1, tzinfo=UTC), True),
        (datetime(2026, 1, 5, 1, tzinfo=UTC), datetime(2026, 1, 5, 1, 30, tzinfo=UTC), False),
    ],
)
def test_it_is_due_once_a_night(last: datetime | None, now: datetime, *, expected: bool) -> None:
    assert is_due(last, now=now, zone=ZoneInfo("UTC"), tenant_id=FIRST) is expected


NIGHTS = {
    "the clock leaps over 02:00": ("Europe/Berlin", date(2026, 3, 28)),
    "it is 02:00 twice": ("Europe/Berlin", date(2026, 10, 24)),
    "the clock leaps by half an hour": ("Australia/Lord_Howe", date(2026, 10, 3)),
    "half an hour comes twice": ("Australia/Lord_Howe", date(2026, 4, 4)),
    "midnight is missing": ("America/Santiago", date(2026, 9, 5)),
    "the farthest east": ("Pacific/Kiritimati", date(2026, 1, 5)),
    "the farthest west": ("Pacific/Pago_Pago", date(2026, 1, 5)),
}


def asked_for(zone: ZoneInfo, since: datetime, *, days: int, tenant_id: UUID) -> list[datetime]:
    """When a timer that looks every five minutes asks."""
    asked: list[datetime] = [since]
    for minute in range(0, days * 24 * 60, 5):
        now = since + timedelta(minutes=minute)
        if is_due(asked[-1], now=now, zone=zone, tenant_id=tenant_id):
            asked.append(now)
    return asked[1:]


@pytest.mark.parametrize("offset", [0, 3_599])
@pytest.mark.parametrize("name", NIGHTS)
def test_there_is_one_in_each_night_whatever_the_clock_does(name: str, offset: int) -> None:
    zone, before = ZoneInfo(NIGHTS[name][0]), NIGHTS[name][1]
    noon = datetime.combine(before, time(12), tzinfo=zone).astimezone(UTC)
    asked = asked_for(zone, noon, days=4, tenant_id=UUID(int=offset))
    nights = [at.astimezone(zone) for at in asked]
    assert [night.date() - before for night in nights] == [timedelta(days=n) for n in range(1, 5)]
    assert {night.hour for night in nights} <= {1, 2, 3, 4}
    gaps = [later - sooner for sooner, later in itertools.pairwise(asked)]
    assert all(timedelta(hours=22) < gap < timedelta(hours=26) for gap in gaps)


def test_a_day_that_a_zone_leaves_out_has_no_night() -> None:
    """Samoa went from the 29th of December 2011 to the 31st."""
    apia, noon = ZoneInfo("Pacific/Apia"), datetime(2011, 12, 28, 22, tzinfo=UTC)
    asked = asked_for(apia, noon, days=4, tenant_id=FIRST)
    assert [at.astimezone(apia).day for at in asked] == [29, 31, 1, 2]


def test_a_tenant_is_due_in_its_own_night() -> None:
    tokyo, utc = build_house("starter"), build_tenant()
    proven = {"Authorization": stepped_up(tokyo.olga)}
    set_to = {"time_zone": "Asia/Tokyo"}
    assert tokyo.olga.request("PATCH", "tenant/policy/", set_to, **proven).status_code == 200
    ours = {tokyo.tenant.id, utc.id}
    last = datetime(2026, 1, 5, 12, tzinfo=UTC)
    for tenant in (tokyo.tenant, utc):
        row = {"tenant_id": tenant.id, "slug": tenant.slug, "reason": "nightly"}
        Backup.objects.create(**row, status="running", asked_by="x", asked_at=last)

    def due(now: datetime) -> set[UUID]:
        return ours & {tenant.id for tenant in queries.due(now=now)}

    assert due(datetime(2026, 1, 5, 16, 59, tzinfo=UTC)) == set()
    assert due(datetime(2026, 1, 5, 18, tzinfo=UTC)) == {tokyo.tenant.id}
    assert due(datetime(2026, 1, 6, 3, tzinfo=UTC)) == ours


def test_many_of_one_tenant_keep_nobody_else_waiting() -> None:
    """Such as by SQL, which no bound of the API holds: of each kind the first is sent for."""
    many, other = build_tenant(), build_tenant()
    last = datetime(2026, 1, 5, 12, tzinfo=UTC)

    def ask(tenant: Tenant, reason: str, hour: int) -> UUID:
        row = {"tenant_id": tenant.id, "slug": tenant.slug, "reason": reason}
        at = last + timedelta(hours=hour)
        return Backup.objects.create(**row, status="asked", asked_by="x", asked_at=at).id

    asked = [ask(many, "asked", hour) for hour in range(3)]
    nightly, undo = ask(many, "nightly", 4), ask(many, "undo", 5)
    others = ask(other, "asked", 2)
    ours = {*asked, nightly, undo, others}
    assert [pk for pk in queries.waiting() if pk in ours] == [asked[0], others, nightly]


def test_a_zone_that_this_machine_does_not_know_any_more_is_utc() -> None:
    tenant = build_tenant()
    TenantPolicy.objects.create(tenant=tenant, time_zone="Atlantis/Capital")
    assert access.clocks()[tenant.id].key == "UTC"
