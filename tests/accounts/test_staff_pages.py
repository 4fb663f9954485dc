"""What the staff's pages tell of tenants as customers, and of what the platform stands on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from accounts.trail import actions as trail
from backups import actions as backups
from backups import verifying
from backups.models import Backup
from backups.platform import standing as whole
from config import health
from config.embedded.folder import DataFolder
from tenants import admission, valkey
from tenants.admission import Guest
from tenants.fleet import planning, standing
from tenants.fleet.planning import Due
from tenants.models import EmergencyLock, Plan, Tenant
from tenants.tasks import PULSE_SECONDS
from tests.accounts.doors import signed_in
from tests.accounts.test_staff import browser, logged_in, staff, with_password
from tests.cast import House, anywhere, build_tenant, now


@pytest.fixture
def client() -> Client:
    return logged_in(staff())


@pytest.fixture
def pulse(monkeypatch: pytest.MonkeyPatch) -> str:
    """A worker's pulse that no other test shows or stops."""
    key = f"pulse-{uuid4().hex}"
    monkeypatch.setattr(health, "PULSE_KEY", key)
    return key


@pytest.fixture
def busy() -> Tenant:
    """A tenant on a plan of four a minute: six requests of one person, four of them refused."""
    plan = Plan.objects.get(code="starter")
    plan.pk, plan.name, plan.requests_per_minute = f"b{uuid4().hex[:8]}", "Busy", 4
    plan.save(force_insert=True)
    tenant = build_tenant()
    Tenant.objects.filter(pk=tenant.pk).update(plan=plan)
    visitor = Guest(anywhere(), tenant.id, uuid4(), uuid4())
    for turn in range(6):
        if turn < 2:
            admission.admit(visitor, is_data=True)
        else:
            with pytest.raises(admission.TooManyRequests):
                admission.admit(visitor, is_data=True)
    tenant.refresh_from_db()
    return tenant


def text(answer: Any) -> str:
    """The page's words, without its tags."""
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


def test_a_tenants_page_tells_status_plan_and_use(client: Client, busy: Tenant) -> None:
    page = text(client.get(f"/admin/tenants/tenant/{busy.pk}/change/"))
    assert f"{busy.name} active {busy.slug}" in page
    assert "Plan Busy Lives in the shared tables" in page
    assert re.search(r"Requests a minute, this hour \d of 4 ", page)
    assert "Requests, 24 h 2 4 over the limit, 0 over the server time, 0 too many at a time" in page
    assert len(re.findall(r"\d{4}-\d\d-\d\d \d\d:00 \d+ \d+ [\d.]+", page)) == 24


def test_what_was_done_to_another_of_the_same_name_is_not_on_its_page(client: Client) -> None:
    """Such as a plan whose code is a tenant's short name."""
    tenant = build_tenant()
    for kind in ("plan", "tenant"):
        trail.record(f"{kind}.renamed", by="system:test", kind=kind, key=tenant.slug)
    page = text(client.get(f"/admin/tenants/tenant/{tenant.pk}/change/"))
    assert ("tenant.renamed" in page, "plan.renamed" in page) == (True, False)


def test_the_last_day_is_drawn_hour_by_hour(client: Client, busy: Tenant) -> None:
    page = client.get(f"/admin/tenants/tenant/{busy.pk}/change/").content.decode()
    told = re.findall(r'<rect class="(\w+)"[^>]*><title>([^<]*)</title>', page)
    assert [kind for kind, words in told if "2 let in, 4 turned away, 0 failed" in words] == [
        "good",
        "away",
    ]


def test_the_list_tells_the_same_of_each(client: Client, busy: Tenant) -> None:
    page = text(client.get(f"/admin/tenants/tenant/?q={busy.slug}"))
    assert f"{busy.name} active Busy 2 " in page
    assert "2 let in, 4 turned away" in page


def test_the_list_asks_valkey_and_the_database_once_for_all(client: Client) -> None:
    prefix = f"many{uuid4().hex[:8]}"
    counted = []
    for number in (1, 12):
        for _ in range(number):
            tenant = build_tenant()
            Tenant.objects.filter(pk=tenant.pk).update(name=prefix)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/admin/tenants/tenant/?q={prefix}").status_code == 200
        counted.append(len(captured))
    assert counted[0] == counted[1]


def test_a_tenants_page_shows_nothing_of_what_it_has(client: Client, house: House) -> None:
    canary = f"canary{uuid4().hex}"
    house.alice.post("accounts/", {"name": canary})
    seen = [
        client.get(f"/admin/tenants/tenant/{house.tenant.pk}/change/"),
        client.get(f"/admin/tenants/tenant/?q={house.tenant.slug}"),
        client.get("/admin/health/"),
    ]
    for page in seen:
        assert canary not in page.content.decode()
        assert house.alice.email not in page.content.decode()
        assert str(house.alice.user_id) not in page.content.decode()


def test_health_says_what_answers_and_which_version(client: Client, pulse: str) -> None:
    caches["shared"].set(pulse, 1, timeout=PULSE_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (version,) = cursor.fetchone()
    page = text(client.get("/admin/health/"))
    assert re.search(rf"PostgreSQL yes {version} (embedded|outside)", page)
    version = valkey.client().info("server")["valkey_version"]
    assert re.search(rf"Valkey yes {version} (embedded|outside)", page)
    assert "Worker yes" in page


def test_health_says_how_the_whole_server_is_backed_up(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "_KEY", f"standing-{uuid4()}")
    assert "No worker has looked at it" in text(client.get("/admin/health/"))
    whole.look()
    page = text(client.get("/admin/health/"))
    assert "backup_platform takes the first" in page
    assert re.search(r"WAL not in the storage yet \d+ file", page)
    whole._note("unfit", '{"a/copy.base": "archive_altered"}')
    assert "cannot be read: archive_altered a/copy.base" in text(client.get("/admin/health/"))
    monkeypatch.setattr(whole, "seen", away)
    assert "No worker has looked at it" in text(client.get("/admin/health/"))


def away() -> None:
    raise valkey.ValkeyAway


def test_health_names_a_worker_that_is_away_as_readyz_does(client: Client, pulse: str) -> None:
    assert "Worker no" in text(client.get("/admin/health/"))
    told = client.get("/readyz")
    expected = {"status": "waiting", "database": True, "cache": True, "worker": False}
    assert (told.status_code, told.json()) == (503, expected)
    assert int(told["Retry-After"]) > 0
    caches["shared"].set(pulse, 1, timeout=PULSE_SECONDS)
    assert "Worker yes" in text(client.get("/admin/health/"))
    assert client.get("/readyz").status_code == 200


def test_health_counts_tenants_by_status(client: Client) -> None:
    for status in Tenant.Status.values:
        Tenant.objects.filter(pk=build_tenant().pk).update(status=status)
    page = text(client.get("/admin/health/"))
    for status in Tenant.Status.values:
        told = re.search(rf"\b{status} (\d+)", page)
        assert told is not None
        assert int(told[1]) >= 1


def test_a_server_is_embedded_where_the_data_folder_has_its_port(
    settings: Settings, tmp_path: Path, client: Client
) -> None:
    database, cache = settings.DATABASES["default"], urlsplit(settings.REDIS_URL)
    settings.BULKHEAD_DATA_DIR = tmp_path
    page = text(client.get("/admin/health/"))
    assert (page.count("outside"), page.count("embedded")) == (2, 0)
    folder = DataFolder(tmp_path)
    folder.remember_port("postgres", int(database["PORT"]))
    page = text(client.get("/admin/health/"))
    assert (page.count("outside"), page.count("embedded")) == (1, 1)
    folder.remember_port("valkey", int(cache.port or 0))
    assert text(client.get("/admin/health/")).count("embedded") == 2


def test_the_index_leads_to_health(client: Client) -> None:
    assert 'href="/admin/health/"' in client.get("/admin/").content.decode()


def test_every_place_is_in_the_sidebar_and_says_that_one_is_there(client: Client) -> None:
    for path in ("", "tenants/tenant/", "tenants/plan/", "fleet/", "health/"):
        page = client.get(f"/admin/{path}").content.decode()
        assert re.findall(r'<a href="([^"]+)" aria-current="page">', page) == [f"/admin/{path}"]


@pytest.mark.parametrize("bad", ["x", "", "0", "\0", "00000000-0000-7000-8000-000000000000"])
def test_an_id_that_no_form_sends_is_refused_or_nobodys(client: Client, bad: str) -> None:
    for action in ("let_in", "end", "show_token"):
        body = {"action": action, "_selected_action": bad, "index": "0"}
        answer = client.post("/admin/accounts/supportsession/", body)
        assert answer.status_code in (302, 400)
    for page in ("tenants/tenant", "accounts/supportsession", "accounts/platformevent"):
        assert client.get(f"/admin/{page}/{quote(bad or 'x')}/change/").status_code in (302, 400)


def test_who_is_not_staff_gets_nothing(house: House) -> None:
    paths = ["/admin/health/", f"/admin/tenants/tenant/{house.tenant.pk}/change/"]
    only_password, _ = with_password(staff())
    for path in paths:
        for visitor in (browser(), only_password):
            refused = visitor.get(path)
            assert (refused.status_code, refused.content) == (302, b"")
            assert refused["Location"].startswith("/admin/login/")
        owner = browser().get(path, headers={"Authorization": signed_in(house.olga)})
        assert (owner.status_code, owner.content) == (302, b"")
        at_home = browser().get(f"/t/{house.tenant.slug}{path}")
        assert at_home.status_code == 404


def test_a_locked_tenant_needs_somebody(client: Client) -> None:
    tenant = build_tenant("starter")
    EmergencyLock.objects.create(tenant=tenant, at=now())
    assert f"{tenant.slug} is locked" in client.get("/admin/").content.decode()
    assert "locked" in client.get(f"/admin/tenants/tenant/{tenant.pk}/change/").content.decode()


def test_schemas_that_are_behind_are_shown(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the operator's worker has seen them, and the staff is told."""
    tenant = build_tenant("enterprise")
    due = [Due(tenant.schema_name, tenant.slug, "internal: Trouble")]
    monkeypatch.setattr(planning, "due", lambda: due)
    standing.look()
    fleet = client.get("/admin/fleet/").content.decode()
    assert (tenant.slug in fleet, "internal: Trouble" in fleet) == (True, True)
    assert f"The tables of {tenant.slug} are behind" in client.get("/admin/").content.decode()
    monkeypatch.undo()
    standing.look()
    assert "Every schema has all migrations." in client.get("/admin/fleet/").content.decode()


def test_a_tenants_last_backup_is_shown(client: Client) -> None:
    tenant = build_tenant("enterprise")
    taken = backups.take(tenant=tenant, reason="asked", by="system:test", now=now())
    page = client.get(f"/admin/tenants/tenant/{tenant.pk}/change/").content.decode()
    assert f"{taken.taken_at:%Y-%m-%d %H:%M} UTC, not yet put back to try it" in page


def test_whether_it_can_be_put_back_is_shown_with_it(client: Client) -> None:
    tenant = build_tenant("enterprise")
    path = f"/admin/tenants/tenant/{tenant.pk}/change/"
    assert "none is known" in client.get(path).content.decode()
    taken = backups.take(tenant=tenant, reason="asked", by="system:test", now=now())
    verifying.verify(backup_id=taken.pk, now=now())
    assert "put back to try it 0\xa0minutes ago" in client.get(path).content.decode()
    Backup.objects.filter(pk=taken.pk).update(verified_fault="archive_torn")
    assert "cannot be put back: archive_torn" in client.get(path).content.decode()
