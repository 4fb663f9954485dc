"""What those in charge take along: the sealed archive, and all rows to read."""

from __future__ import annotations

import csv
import io
import json
import shutil
import tarfile
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zipfile import ZipFile

import pytest
from django.conf import settings
from django.test import override_settings

from accounts import sealing
from accounts.access.roles import Role
from accounts.trail.models import PlatformEvent
from backups import lending, tasks
from backups.archive.errors import ArchiveAltered, ArchiveTorn
from backups.models import Backup
from tenants.ownership import TenantOwned
from tests.accounts.doors import call, post, stepped_up
from tests.backups.keepers import archive_of, restore, rows, spoiled, take
from tests.backups.test_commands import run
from tests.cast import House, Person, build_person, now
from tests.market import Market
from tests.tenants.moving.movers import trade

PATHS = (
    ("GET", "backups/{}/download/"),
    ("POST", "backups/{}/export/"),
    ("GET", "backups/{}/export/download/"),
)


def ask(person: Person, method: str, path: str, backup_id: UUID) -> Any:
    return call(method, path.format(backup_id), credential=stepped_up(person))


def downloaded(house: House, backup: Backup) -> bytes:
    answer = ask(house.olga, "GET", "backups/{}/download/", backup.id)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/x-tar"
    assert answer["Cache-Control"] == "private, no-store"
    content: bytes = answer.getvalue()
    assert answer["Content-Length"] == str(len(content))
    return content


def exported(house: House, backup: Backup) -> ZipFile:
    asked = ask(house.olga, "POST", "backups/{}/export/", backup.id)
    assert (asked.status_code, asked.json()["export_until"]) == (202, None)
    tasks.lend(str(backup.id))
    answer = ask(house.olga, "GET", "backups/{}/export/download/", backup.id)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    return ZipFile(io.BytesIO(answer.getvalue()))


def actions_of(house: House) -> list[str]:
    events = house.olga.get("audit-log/?kind=backup").json()["results"]
    return [event["action"] for event in events]


def test_a_download_is_all_it_takes_to_put_the_tenant_back(house: House, market: Market) -> None:
    """The storage is lost meanwhile, with its keys; the tar is unpacked in its place."""
    trade(house.alice, market)
    backup, was = take(house.tenant), rows(house.tenant)
    kept = downloaded(house, backup)
    trade(house.bob, market)
    folder = Path(settings.BACKUP_STORAGE.removeprefix("file://"))
    shutil.rmtree(folder)
    with tarfile.open(fileobj=io.BytesIO(kept)) as tar:
        names = tar.getnames()
        tar.extractall(folder, filter="data")
    assert [Path(name).suffix for name in names] == [".sealed", ".bulkhead", ".json"]
    assert sha256(archive_of(backup).read_bytes()).hexdigest() == backup.sha256
    restore(backup)
    assert rows(house.tenant) == was
    assert actions_of(house) == ["backup.downloaded"]


def test_what_is_downloaded_can_be_read_by_nobody(house: House) -> None:
    house.olga.post("accounts/", {"name": "a name to look for", "currency": "USD"})
    content = downloaded(house, take(house.tenant))
    for text in (b"a name to look for", str(house.olga.user_id).encode()):
        assert text not in content


def test_an_export_has_every_row_of_the_tenant_and_none_of_another(
    house: House, market: Market
) -> None:
    for person in (house.alice, house.bob, house.mallory):
        trade(person, market)
    backup = take(house.tenant)
    have = rows(house.tenant, without=frozenset())
    with exported(house, backup) as file:
        told = json.loads(file.read("manifest.json"))
        for table in told["tables"]:
            content = file.read(table["file"])
            assert sha256(content).hexdigest() == table["sha256"]
            read = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
            assert [row["id"] for row in read] == [str(row["id"]) for (row,) in have[table["name"]]]
            assert len(read) == table["rows"]
            for stranger in (house.mallory.user_id, house.mallory.tenant.id):
                assert str(stranger).encode() not in content
        assert {table["name"] for table in told["tables"]} == set(have)
        orders = file.read("trading_order.csv").decode()
    assert market.symbol in orders
    assert (told["tenant"]["slug"], told["backup"]) == (house.tenant.slug, str(backup.id))
    assert {p["email"]: p["role"] for p in told["people"]} == {
        p.email: p.role for p in (house.alice, house.bob, house.olga, house.vera)
    }
    assert actions_of(house) == ["backup.exported", "backup.export_asked"]


def test_no_secret_is_exported(house: House) -> None:
    account = {"name": "at an exchange", "kind": "exchange", "exchange": "kraken"}
    made = house.alice.post("accounts/", account).json()["id"]
    keys = {"api_key": "key-to-look-for", "api_secret": "secret-to-look-for"}
    put = house.alice.request("PUT", f"accounts/{made}/credentials/", keys)
    assert put.status_code == 200
    with exported(house, take(house.tenant)) as file:
        found = b"".join(file.read(name) for name in file.namelist())
        header, row = file.read("trading_exchangecredential.csv").splitlines()
    assert b"-to-look-for" not in found
    assert header == b"id,account_id,updated_at,user_id"
    assert made.encode() in row


def test_what_is_sealed_is_of_a_kind_that_does_not_come_along() -> None:
    for (_, column), sealed in sealing._columns.items():
        if issubclass(sealed.model, TenantOwned):
            kind = sealed.model._meta.get_field(column).get_internal_type()
            assert kind == "BinaryField", column


def test_who_is_in_charge_and_has_just_proven_it_takes_along(house: House) -> None:
    backup = take(house.tenant)
    adam = build_person(house.tenant, "adam", Role.ADMIN)
    for method, path in PATHS:
        unproven = house.olga.request(method, path.format(backup.id))
        assert (unproven.status_code, unproven.json()["code"]) == (403, "step_up_needed")
        for person in (house.alice, house.vera):
            assert ask(person, method, path, backup.id).status_code == 403
    assert actions_of(house) == []
    assert ask(adam, "POST", PATHS[1][1], backup.id).status_code == 202
    tasks.lend(str(backup.id))
    for method, path in (PATHS[0], PATHS[2]):
        answer = ask(adam, method, path, backup.id)
        assert (answer.status_code, bool(answer.getvalue())) == (200, True)


def test_no_key_takes_along(house: House) -> None:
    backup = take(house.tenant)
    key = {"name": "all", "scope": "admin"}
    made = post("api-keys/", key, credential=stepped_up(house.olga)).json()["key"]
    for method, path in PATHS:
        answer = call(method, path.format(backup.id), credential=f"Api-Key {made}")
        assert answer.status_code == 403


def test_another_tenants_is_as_missing_as_one_that_is_nowhere(house: House) -> None:
    theirs = take(house.mallory.tenant)
    Backup.objects.filter(pk=theirs.pk).update(export_asked_at=now())
    lending.lend(backup_id=theirs.id, now=now())
    for method, path in PATHS:
        met = [ask(house.olga, method, path, each) for each in (theirs.id, uuid4())]
        assert [answer.status_code for answer in met] == [404, 404]
        met_shapes = [{**answer.json(), "request_id": ""} for answer in met]
        assert met_shapes[0] == met_shapes[1]


@pytest.mark.parametrize("status", ["asked", "running", "failed", "removed"])
def test_one_that_is_not_complete_is_missing(house: House, status: str) -> None:
    backup = take(house.tenant)
    Backup.objects.filter(pk=backup.pk).update(status=status)
    for method, path in PATHS:
        assert ask(house.olga, method, path, backup.id).status_code == 404


def test_an_export_is_ready_once_its_key_is_lent_and_for_an_hour(house: House) -> None:
    backup = take(house.tenant)
    where = "backups/{}/export/download/"
    early = ask(house.olga, "GET", where, backup.id)
    assert (early.status_code, early.json()["code"]) == (409, "export_not_ready")
    assert early["Retry-After"] == "2"
    exported(house, backup).close()
    lent = Backup.objects.get(pk=backup.pk)
    assert lent.export_until is not None
    asked = ask(house.olga, "POST", "backups/{}/export/", backup.id)
    assert asked.json()["export_until"] is not None
    Backup.objects.filter(pk=backup.pk).update(export_until=now() - timedelta(seconds=1))
    assert ask(house.olga, "GET", where, backup.id).status_code == 409
    assert lending.take_back(now=now()) >= 1
    gone = Backup.objects.get(pk=backup.pk)
    assert (gone.sealed_key, gone.export_until, gone.export_asked_at) == (None, None, None)


def test_a_lent_key_opens_its_archive_and_no_other(house: House) -> None:
    one, other = take(house.tenant), take(house.tenant)
    exported(house, one).close()
    lent = Backup.objects.get(pk=one.pk)
    assert lent.sealed_key is not None
    with pytest.raises(sealing.SealBroken):
        sealing.unseal(lent.sealed_key, purpose=other.purpose)
    secret = sealing.unseal(lent.sealed_key, purpose=lent.purpose)
    Backup.objects.filter(pk=other.pk).update(
        export_until=lent.export_until, sealed_key=sealing.seal(secret, purpose=other.purpose)
    )
    answer = ask(house.olga, "GET", "backups/{}/export/download/", other.id)
    with pytest.raises(ArchiveAltered):
        answer.getvalue()


def test_a_key_that_nobody_asked_for_is_not_lent(house: House) -> None:
    backup = take(house.tenant)
    tasks.lend(str(backup.id))
    assert Backup.objects.get(pk=backup.pk).sealed_key is None


def test_a_wish_whose_message_was_lost_is_fulfilled(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup, sent = take(house.tenant), []
    monkeypatch.setattr(tasks.lend, "delay", sent.append)
    ask(house.olga, "POST", "backups/{}/export/", backup.id)
    tasks.lend_waiting()
    assert sent.count(str(backup.id)) == 2


def test_what_cannot_be_opened_is_not_lent_and_said(house: House) -> None:
    backup = take(house.tenant)
    ask(house.olga, "POST", "backups/{}/export/", backup.id)
    with spoiled(backup), pytest.raises(ArchiveAltered):
        tasks.lend(str(backup.id))
    left = Backup.objects.get(pk=backup.pk)
    assert (left.sealed_key, left.export_asked_at) == (None, None)
    event = PlatformEvent.objects.get(action="backup.not_opened", key=str(backup.id))
    assert event.after["fault"] == "archive_altered"


def test_a_parameter_that_there_is_not_is_refused(house: House) -> None:
    backup = take(house.tenant)
    for path in ("backups/{}/download/?range=1", "backups/{}/export/download/?table=x"):
        assert ask(house.olga, "GET", path, backup.id).status_code == 400


def test_an_archive_that_is_gone_is_missing(house: House) -> None:
    backup = take(house.tenant)
    archive_of(backup).unlink()
    assert ask(house.olga, "GET", "backups/{}/download/", backup.id).status_code == 404
    assert actions_of(house) == []


def test_a_download_that_lacks_its_end_breaks_off(house: House) -> None:
    backup = take(house.tenant)
    path = archive_of(backup)
    path.write_bytes(path.read_bytes()[:-1])
    answer = ask(house.olga, "GET", "backups/{}/download/", backup.id)
    with pytest.raises(ArchiveTorn):
        answer.getvalue()


def part(house: House, backup: Backup, asked: str, **headers: str) -> Any:
    path = f"backups/{backup.id}/download/"
    return call("GET", path, credential=stepped_up(house.olga), Range=asked, **headers)


def test_a_download_that_was_broken_off_goes_on(house: House) -> None:
    """Wherever that was: in the key, the archive or its entry, and at their ends."""
    backup = take(house.tenant)
    first = ask(house.olga, "GET", "backups/{}/download/", backup.id)
    all_of_it, tag = first.getvalue(), first["ETag"]
    assert first["Accept-Ranges"] == "bytes"
    assert backup.size is not None
    edges = [1, 511, 512, 1_024, 1_536, 1_537, 1_536 + backup.size, len(all_of_it) - 1]
    for edge in edges:
        answer = part(house, backup, f"bytes={edge}-", If_Range=tag)
        assert (answer.status_code, answer["ETag"]) == (206, tag)
        assert answer["Content-Range"] == f"bytes {edge}-{len(all_of_it) - 1}/{len(all_of_it)}"
        rest = answer.getvalue()
        assert answer["Content-Length"] == str(len(rest))
        assert all_of_it[:edge] + rest == all_of_it
        before = part(house, backup, f"bytes=0-{edge - 1}")
        assert before.getvalue() == all_of_it[:edge]
    assert part(house, backup, "bytes=-700").getvalue() == all_of_it[-700:]
    assert part(house, backup, "bytes=600-601").getvalue() == all_of_it[600:602]


def test_what_is_another_file_by_now_comes_whole(house: House) -> None:
    """The archive is the same, but its key was sealed anew."""
    backup = take(house.tenant)
    was = ask(house.olga, "GET", "backups/{}/download/", backup.id)
    with override_settings(BACKUP_KEYS=["22" * 32, *settings.BACKUP_KEYS]):
        run("reseal_backups")
    answer = part(house, backup, "bytes=1000-", If_Range=was["ETag"])
    assert (answer.status_code, "Content-Range" in answer) == (200, False)
    assert answer["ETag"] != was["ETag"]
    assert len(answer.getvalue()) == len(was.getvalue())


def test_beyond_its_end_nothing_is_given_and_nothing_is_recorded(house: House) -> None:
    backup = take(house.tenant)
    size = len(downloaded(house, backup))
    answer = part(house, backup, f"bytes={size}-")
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{size}")
    assert answer.json()["code"] == "range_not_satisfiable"
    assert actions_of(house) == ["backup.downloaded"]


def test_each_part_is_on_record(house: House) -> None:
    part(house, take(house.tenant), "bytes=5-9").close()
    (event,) = house.olga.get("audit-log/?kind=backup").json()["results"]
    assert (event["action"], event["after"]) == ("backup.downloaded", {"first": 5, "last": 9})


def test_who_asks_how_large_it_is_gets_none_of_it(house: House) -> None:
    backup = take(house.tenant)
    answer = ask(house.olga, "HEAD", "backups/{}/download/", backup.id)
    assert (answer.status_code, answer.getvalue()) == (200, b"")
    assert actions_of(house) == []
    size = len(downloaded(house, backup))
    assert answer["Content-Length"] == str(size)
    assert answer["Accept-Ranges"] == "bytes"
    assert ask(house.olga, "HEAD", "backups/{}/download/", uuid4()).status_code == 404


def test_a_part_of_another_tenants_is_as_missing_as_the_whole(house: House) -> None:
    theirs = take(house.mallory.tenant)
    assert part(house, theirs, "bytes=0-1").status_code == 404
    assert part(house, theirs, "bytes=99999999-").status_code == 404
