"""`kill -9` in the midst of a backup: what was not finished does not count, and the next one is."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from django.conf import settings

from backups import actions, catalogue
from backups.models import Backup
from backups.storage.interface import Storage
from tests.backups.keepers import entries, entry_of, stored, take
from tests.cast import House, build_house, now
from tests.isolation.database import connected

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("BACKUP_KILLS", "3"))
_EVENTS = (
    "INSERT INTO trading_notification (tenant_id, id, user_id, number, kind, at, data)"
    " SELECT %s, gen_random_uuid(), %s, n, 'x', now(), to_jsonb(md5(n::text))"
    " FROM generate_series(1, 60000) n"
)


def long_log(house: House) -> None:
    """So much that a backup takes a while."""
    with connected("DATABASE_SUPERUSER_URL") as database:
        database.execute(_EVENTS.encode(), [house.tenant.id, house.alice.user_id])
        database.commit()


def killed(house: House, chance: random.Random) -> None:
    """Some time after the command has said that it begins."""
    running = Backup.objects.filter(tenant_id=house.tenant.id, status="running")
    known = set(running.values_list("id", flat=True))
    command = subprocess.Popen(
        [sys.executable, "manage.py", "backup_tenant", house.tenant.slug],
        cwd=ROOT,
        env={**os.environ, "BACKUP_STORAGE": settings.BACKUP_STORAGE},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while command.poll() is None and not running.exclude(pk__in=known).exists():
        time.sleep(0.01)
    time.sleep(chance.uniform(0, 0.5))
    command.send_signal(signal.SIGKILL)
    command.wait()


def test_a_killed_backup_leaves_none_that_counts_and_is_none(storage: Storage) -> None:
    house, chance = build_house("starter"), random.Random(1)
    long_log(house)
    for _ in range(KILLS):
        killed(house, chance)
    ours = Backup.objects.filter(tenant_id=house.tenant.id).exclude(reason="nightly")
    for entry in entries(storage):
        assert catalogue.check(storage, entry).rows > 60_000 - 1
    long_ago = now() - actions.BROKEN_OFF - timedelta(hours=1)
    ours.filter(status="running").update(asked_at=long_ago)
    actions.tidy(now=now())
    storage.sweep(before=now() + timedelta(hours=1))
    assert set(ours.values_list("status", flat=True)) <= {"complete", "failed"}
    counted = {entry.backup for entry in entries(storage)}
    assert counted == set(ours.filter(status="complete").values_list("id", flat=True))
    assert stored() == sorted(f"{b}{kind}" for b in counted for kind in (".bulkhead", ".json"))
    assert catalogue.check(storage, entry_of(take(house.tenant))).rows >= 60_000
