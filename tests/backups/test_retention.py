"""Which backups stay, as tables and as rules that hold of whatever there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.retention import FRESH, LAST, Rule, Taken, kept, kept_after_the_end

NOW = datetime(2026, 7, 1, 3, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
STARTER, PRO, ENTERPRISE = Rule(7), Rule(7, 4), Rule(30, 0, 12)


def nightly(days: int) -> list[Taken]:
    """One a night at 02:00, for so many nights; its id is how many nights ago."""
    return [Taken(UUID(int=n), NOW - timedelta(days=n, hours=1)) for n in range(days)]


def nights(taken: list[Taken], rule: Rule, **how: object) -> list[int]:
    stay = kept(taken, rule, **{"now": NOW, "zone": ZONE, **how})
    return sorted(each.int for each in stay)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (STARTER, [0, 1, 2, 3, 4, 5, 6]),
        # Wednesday the 1st of July: Sundays are 3, 10 and 17 nights ago.
        (PRO, [0, 1, 2, 3, 4, 5, 6, 10, 17]),
        # The ends of June, May, April and so on.
        (ENTERPRISE, [*range(30), 31, 62, 92, 123, 151, 182, 213, 243, 274, 304]),
    ],
)
def test_a_year_of_nights(rule: Rule, expected: list[int]) -> None:
    assert nights(nightly(400), rule) == expected


def test_days_without_a_backup_are_not_counted() -> None:
    taken = [Taken(UUID(int=n), NOW - timedelta(days=50 * n)) for n in range(9)]
    assert nights(taken, STARTER) == [0, 1, 2, 3, 4, 5, 6]


def test_of_a_day_the_newest_stays_once_the_day_is_over() -> None:
    hours = [Taken(UUID(int=n), NOW - timedelta(hours=n)) for n in range(72)]
    fresh = list(range(24))
    # 03:00 now: the last hours of the days before are 4, 28 and 52 hours ago.
    assert nights(hours, STARTER) == [*fresh, 28, 52]


def test_days_are_those_of_the_tenants_clock() -> None:
    late = Taken(UUID(int=1), datetime(2026, 6, 20, 23, 30, tzinfo=UTC))
    early = Taken(UUID(int=2), datetime(2026, 6, 21, 0, 30, tzinfo=UTC))
    assert nights([late, early], STARTER) == [1, 2]
    assert nights([late, early], STARTER, zone=ZoneInfo("Europe/Berlin")) == [2]


def test_the_last_of_a_tenant_that_is_gone_stays_for_its_time() -> None:
    taken = [Taken(UUID(int=1), NOW - LAST / 2, is_last=True), Taken(UUID(int=2), NOW - LAST / 2)]
    assert kept_after_the_end(taken, now=NOW) == {UUID(int=1)}
    assert kept_after_the_end(taken, now=NOW + LAST) == set()


ANY = st.lists(
    st.builds(
        Taken,
        st.uuids(),
        st.timedeltas(timedelta(0), timedelta(days=900)).map(lambda ago: NOW - ago),
        is_last=st.booleans(),
    ),
    max_size=40,
    unique_by=lambda taken: taken.id,
)
RULES = st.builds(Rule, st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))


@given(ANY, RULES)
def test_the_newest_and_the_fresh_always_stay(taken: list[Taken], rule: Rule) -> None:
    stay = kept(taken, rule, now=NOW, zone=ZONE)
    assert stay <= {each.id for each in taken}
    assert bool(stay) == bool(taken)
    assert {each.id for each in taken if NOW - each.at < FRESH} <= stay


@given(ANY, RULES)
def test_pruning_twice_takes_nothing_more(taken: list[Taken], rule: Rule) -> None:
    stay = kept(taken, rule, now=NOW, zone=ZONE)
    left = [each for each in taken if each.id in stay]
    assert kept(left, rule, now=NOW, zone=ZONE) == stay


@given(ANY, RULES)
def test_no_more_stays_than_the_rule_says(taken: list[Taken], rule: Rule) -> None:
    plain = [Taken(each.id, each.at) for each in taken if NOW - each.at >= FRESH]
    stay = kept(plain, rule, now=NOW, zone=ZONE)
    assert len(stay) <= max(1, rule.daily + rule.weekly + rule.monthly)


def test_a_backup_of_long_ago_that_was_just_made_stays_its_day() -> None:
    then, nightly_of_then = (
        NOW - timedelta(days=40),
        Taken(UUID(int=91), NOW - timedelta(days=39.9)),
    )
    for made_at, stays in ((NOW - FRESH / 2, True), (NOW - FRESH, False)):
        made = Taken(UUID(int=92), then, made_at=made_at)
        stay = kept([*nightly(8), nightly_of_then, made], STARTER, now=NOW, zone=ZONE)
        assert (made.id in stay) == stays
