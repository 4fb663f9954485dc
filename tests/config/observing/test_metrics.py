"""`/metrics`: for whoever brings the token, and as many series as there is code."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from prometheus_client.samples import Sample

from config import health
from config.celery import application
from config.observing import exposition, work
from tenants.models import Plan, Tenant
from tests.cast import House, build_house, build_person, build_tenant
from tests.config.observing.routes import route_names
from tests.config.observing.scraped import TOKEN, read, scrape, value

CODE = {"__name__", "le", "quantile"}
# Labels whose values are few by their nature: SQLSTATE's classes, kinds of events, places of WAL.
BOUNDED = {"sqlstate_class", "kind", "source", "queue", "server", "outcome", "where"}
# What may name tenants, a few each.
NAMING = {"bulkhead_busiest_tenant_requests", "bulkhead_backup_tenant_untried_seconds"}


@pytest.fixture(autouse=True)
def _token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


@pytest.mark.parametrize("brought", ["", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"])
def test_who_brings_no_token_is_told_what_any_path_is(brought: str) -> None:
    headers = {"Authorization": brought} if brought else {}
    asked, other = (Client().get(path, headers=headers) for path in ("/metrics", "/nothing-here"))
    assert asked.status_code == other.status_code in (401, 404)
    assert set(asked.headers) == set(other.headers)
    assert {**asked.json(), "request_id": ""} == {**other.json(), "request_id": ""}


def test_without_a_token_set_nobody_reads(settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code != 200


def test_a_tenant_s_address_has_no_metrics(house: House) -> None:
    path = f"/t/{house.tenant.slug}/metrics"
    answer = Client().get(path, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code in (401, 404)


def test_a_request_is_counted_by_its_route_and_tier(house: House) -> None:
    told = {"method": "GET", "route": "account-list", "status": "2xx", "tier": house.tier}
    before = value(scrape(), "bulkhead_requests_total", **told)
    house.alice.get("accounts/")
    samples = scrape()
    assert value(samples, "bulkhead_requests_total", **told) == before + 1
    assert value(samples, "bulkhead_request_seconds_count", route="account-list") > 0
    assert value(samples, "bulkhead_statements_total", work="account-list") > 0


def test_what_nobody_serves_has_no_route_of_its_own() -> None:
    Client().generic("BREW", f"/{uuid.uuid4().hex}")
    routes = {(s.labels.get("method"), s.labels.get("route")) for s in scrape()}
    assert ("OTHER", "-") in routes


def test_what_the_platform_stands_on_is_measured() -> None:
    build_tenant("pro")
    samples = scrape()
    assert value(samples, "bulkhead_up", server="database") == 1
    assert value(samples, "bulkhead_up", server="valkey") == 1
    assert value(samples, "bulkhead_tenants", tier="pro", status="active") > 0
    assert value(samples, "bulkhead_valkey_memory_bytes") > 0
    free, size = (value(samples, f"bulkhead_disk_{what}_bytes") for what in ("free", "size"))
    assert 0 < free < size
    assert value(samples, "bulkhead_measures_missing") == 0


def test_a_measure_that_fails_is_missed_alone(settings: Any) -> None:
    settings.MEASURES = {f"{__name__}.failing": "", "config.observing.servers.disk": ""}
    samples = scrape()
    assert value(samples, "bulkhead_measures_missing", source=f"{__name__}.failing") == 1
    assert value(samples, "bulkhead_disk_free_bytes") > 0


def test_who_needs_a_server_that_is_away_does_not_wait_for_it(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MEASURES = {f"{__name__}.waiting": "database", "config.observing.servers.disk": ""}
    away = health.Readiness(database=False, cache=True, worker=True)
    monkeypatch.setattr(health, "look", lambda: away)
    samples = scrape()
    assert value(samples, "bulkhead_up", server="database") == 0
    assert value(samples, "bulkhead_measures_missing", source=f"{__name__}.waiting") == 1
    assert value(samples, "bulkhead_disk_free_bytes") > 0


def waiting() -> None:
    raise AssertionError("nobody asks")


def failing() -> None:
    raise ConnectionError("away")


def test_connections_are_counted_out_and_in_again(house: House) -> None:
    connection.close()
    before = value(_counted(), "bulkhead_connections_in_use")
    house.alice.get("accounts/")
    assert value(_counted(), "bulkhead_connections_in_use") == before + 1
    connection.close()
    assert value(_counted(), "bulkhead_connections_in_use") == before


def _counted() -> list[Sample]:
    return read(exposition.counted().decode())


def test_no_series_names_anybody(settings: Any) -> None:
    """After what fifty tenants have done, in both tiers and in vain, labels hold words of code."""
    people = [build_person(build_tenant("starter"), f"person{n}") for n in range(49)]
    people.append(build_house("enterprise").alice)
    settings.METRICS_TENANTS_NAMED = 5
    before = len(scrape())
    for person in people:
        name = uuid.uuid4().hex
        account = person.post("accounts/", {"name": name}).json()["id"]
        person.get(f"accounts/{account}/")
        person.get(f"accounts/{uuid.uuid4()}/")
        person.get(f"{name}/")
        person.get("orders/", X_Request_ID=name)
        Client().get(f"/t/{person.tenant.slug}/api/v1/accounts/")
    samples = scrape()
    told = {word for s in samples for name, word in s.labels.items() if name not in CODE}
    for person in people:
        names = {str(person.user_id), person.email, person.tenant.slug, person.name}
        assert not names & told
    named = {str(person.tenant.id) for person in people}
    naming = [s for s in samples if named & set(s.labels.values())]
    assert {s.name for s in naming} <= NAMING
    for name in NAMING:
        told_of = {s.labels["tenant"] for s in naming if s.name == name}
        assert len(told_of) <= settings.METRICS_TENANTS_NAMED
    # A handful of routes by two tiers, each with its buckets, whoever many have asked.
    assert len(samples) - before < 250


def test_every_label_is_a_word_of_code(house: House) -> None:
    """Whatever series there are: the values of a label come from a list that somebody wrote."""
    house.alice.get("orders/")
    known = known_words()
    for sample in scrape():
        if sample.name in NAMING:
            continue
        for name, word in sample.labels.items():
            if name in known:
                is_a_tests = word.startswith("tests.")  # a view that only another test has
                assert word in known[name] or is_a_tests, (sample.name, name, word)
            else:
                assert name in CODE | BOUNDED, name


def known_words() -> dict[str, set[str]]:
    routes = route_names() | {work.NAMELESS}
    tasks = set(application.tasks)
    return {
        "method": {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER"},
        "route": routes,
        "work": routes | tasks | {"socket"},
        "task": tasks,
        "worker": set(settings.WORKERS_APART),
        "tier": {plan.code for plan in Plan.objects.all()} | {work.NAMELESS},
        "status": {f"{n}xx" for n in range(1, 6)} | set(Tenant.Status.values),
    }
