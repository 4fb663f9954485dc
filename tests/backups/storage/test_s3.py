"""A bucket that refuses, is away, is slow or is cut off: an error with a name, and nothing half."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from pytest_django.fixtures import Settings

from backups import actions, catalogue
from backups.archive.streams import read_up_to
from backups.models import Backup
from backups.storage import place, s3
from backups.storage.errors import StorageAway, StorageRefused, UnknownStorage
from backups.storage.s3 import Bucket
from tests.backups.keepers import entries, entry_of, restore, rows, take
from tests.backups.storage import servers
from tests.backups.storage.servers import Cutting
from tests.backups.storage.test_contract import SMALLEST_PART, got, put
from tests.cast import House, now
from tests.isolation.database import connected
from tests.market import Market
from tests.tenants.moving.movers import trade

CONTENT = random.Random(1).randbytes(3 * SMALLEST_PART)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PART", SMALLEST_PART)
    monkeypatch.setattr(s3, "_TRIES", 1)
    monkeypatch.setattr(s3, "_READ_SECONDS", 3)


@pytest.fixture
def prefix() -> str:
    return uuid4().hex


@pytest.fixture
def through(s3_bucket: str, prefix: str) -> Callable[[int], Bucket]:
    """The same place, by way of a port."""
    return lambda port: s3.bucket(servers.url(port, s3_bucket, prefix), servers.LOGIN)


@pytest.fixture
def whole(through: Callable[[int], Bucket], s3_port: int) -> Bucket:
    """As it is when nothing is in the way."""
    return through(s3_port)


def uses(bucket: Bucket) -> Iterator[Callable[[], object]]:
    yield lambda: put(bucket, "a/b.json")
    yield lambda: put(bucket, "a/b.json", CONTENT)
    yield lambda: got(bucket, "a/b.json")
    yield lambda: list(bucket.names(""))
    yield lambda: bucket.remove("a/b.json")
    yield lambda: bucket.sweep(before=now())


@pytest.mark.parametrize(
    ("bucket", "login", "said"),
    [
        ("no-such-bucket", servers.LOGIN, "NoSuchBucket"),
        ("", "test-id:wrong", "SignatureDoesNotMatch"),
        ("", "nobody:wrong", "InvalidAccessKeyId"),
    ],
)
def test_a_storage_that_refuses_is_told_from_one_that_is_away(
    s3_port: int, s3_bucket: str, bucket: str, login: str, said: str
) -> None:
    elsewhere = s3.bucket(servers.url(s3_port, bucket or s3_bucket), login)
    for use in uses(elsewhere):
        with pytest.raises(StorageRefused, match=said):
            use()


def test_one_that_is_away_or_never_answers_is_an_error(
    through: Callable[[int], Bucket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_READ_SECONDS", 0.2)
    with servers.silent() as port:
        for bucket in (through(port), through(servers.nobody())):
            for use in uses(bucket):
                with pytest.raises(StorageAway):
                    use()


@pytest.mark.parametrize("passes", [0.2, 0.5, 0.9])
def test_an_upload_that_is_cut_leaves_nothing_of_its_name(
    through: Callable[[int], Bucket], whole: Bucket, s3_port: int, passes: float
) -> None:
    with Cutting(s3_port, sends=len(CONTENT) * passes) as way, pytest.raises(StorageAway):
        put(through(way.port), "a/b.bulkhead", CONTENT)
    assert list(whole.names("")) == []
    put(whole, "a/b.bulkhead", CONTENT)
    assert got(whole, "a/b.bulkhead", len(CONTENT)) == CONTENT
    assert whole.sweep(before=now() - timedelta(hours=1)) == 0
    assert whole.sweep(before=now() + timedelta(hours=1)) <= 1
    assert list(whole.names("")) == ["a/b.bulkhead"]


def test_parts_that_nobody_could_take_away_are_swept_once_they_are_old(
    through: Callable[[int], Bucket], whole: Bucket, s3_port: int
) -> None:
    with (
        Cutting(s3_port) as way,
        pytest.raises(StorageAway),
        through(way.port).writing("a/b.bulkhead") as sink,
    ):
        sink.write(CONTENT[: 2 * SMALLEST_PART])
        way.sends = 0
        sink.write(CONTENT)
    assert whole.sweep(before=now() - timedelta(hours=1)) == 0
    assert whole.sweep(before=now() + timedelta(hours=1)) == 1
    assert whole.sweep(before=now() + timedelta(hours=1)) == 0


def test_what_is_cut_while_it_is_read_is_an_error_and_no_end(
    through: Callable[[int], Bucket], whole: Bucket, s3_port: int
) -> None:
    put(whole, "a/b.bulkhead", CONTENT)
    with (
        Cutting(s3_port, gives=len(CONTENT) / 2) as way,
        pytest.raises(StorageAway),
        through(way.port).reading("a/b.bulkhead") as source,
    ):
        while read_up_to(source, 65_536):
            pass


def test_no_more_than_a_part_is_held_however_much_is_written(whole: Bucket) -> None:
    with whole.writing("a/b.bulkhead") as sink:
        for size in (1, SMALLEST_PART, 3 * SMALLEST_PART + 5, 7):
            sink.write(bytes(size))
            assert len(sink._waiting) < SMALLEST_PART
    assert list(whole.names("")) == ["a/b.bulkhead"]


def test_without_a_log_in_nothing_is_guessed(
    s3_port: int, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(StorageRefused, match="BACKUP_STORAGE_LOGIN"):
        put(s3.bucket(servers.url(s3_port, s3_bucket, "nobodys"), ""), "a/b.json")
    with pytest.raises(UnknownStorage):
        s3.bucket(servers.url(s3_port, s3_bucket, "nobodys"), "id-without-secret")


@pytest.fixture
def in_bucket(settings: Settings, s3_port: int, s3_bucket: str, prefix: str) -> Settings:
    settings.BACKUP_STORAGE_LOGIN = servers.LOGIN
    settings.BACKUP_STORAGE = servers.url(s3_port, s3_bucket, prefix)
    return settings


def test_a_tenant_is_put_back_from_a_bucket(
    house: House, market: Market, in_bucket: Settings
) -> None:
    trade(house.alice, market)
    backup, was = take(house.tenant), rows(house.tenant)
    trade(house.bob, market)
    restore(backup)
    assert rows(house.tenant) == was
    backup.refresh_from_db()
    actions._remove(backup)
    assert not [name for name in place.chosen().names("") if str(backup.id) in name]


def many_rows(house: House) -> None:
    """So much that an archive takes parts."""
    noise = (
        "INSERT INTO trading_notification (tenant_id, id, user_id, number, kind, at, data)"
        " SELECT %s, gen_random_uuid(), %s, n, 'x', now(), to_jsonb((SELECT"
        " string_agg(encode(sha256((n || '-' || k)::text::bytea), 'hex'), '')"
        " FROM generate_series(1, 16) k)) FROM generate_series(1, 25000) n"
    )
    with connected("DATABASE_SUPERUSER_URL") as database:
        schema = house.tenant.live_schema
        database.execute(f'SET search_path = "{schema}", public'.encode())
        database.execute(noise.encode(), [house.tenant.id, house.alice.user_id])
        database.commit()


def test_a_backup_that_is_cut_does_not_count_and_the_next_is_whole(
    house: House, in_bucket: Settings, s3_port: int, s3_bucket: str, prefix: str
) -> None:
    many_rows(house)
    straight = in_bucket.BACKUP_STORAGE
    with Cutting(s3_port, sends=1.5 * SMALLEST_PART) as way, pytest.raises(StorageAway):
        in_bucket.BACKUP_STORAGE = servers.url(way.port, s3_bucket, prefix)
        take(house.tenant)
    in_bucket.BACKUP_STORAGE = straight
    failed = Backup.objects.get(tenant_id=house.tenant.id)
    assert (failed.status, failed.fault) == ("failed", "storage_away")
    assert entries(place.chosen()) == []
    backup = take(house.tenant)
    assert backup.size is not None
    assert backup.size > 2 * SMALLEST_PART
    assert catalogue.check(place.chosen(), entry_of(backup)).rows == backup.rows
    assert [entry.backup for entry in entries(place.chosen())] == [backup.id]
