"""The operator's worker puts a tenant back before it goes on trying the night's backups."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from backups import queries, tasks
from backups.models import Backup, Restoration
from backups.storage.errors import StorageAway
from tests.accounts.doors import post, stepped_up
from tests.backups.keepers import take
from tests.cast import build_house
from tests.isolation import valkey
from tests.scenarios.processes import until, working

_NIGHT = 4  # backups


def test_a_restore_waits_for_one_trial_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a worker of one process, that finds both asked for."""
    house = build_house("starter")
    backups = [take(house.tenant) for _ in range(_NIGHT)]
    monkeypatch.setattr(queries, "to_try", lambda most: [each.pk for each in backups][:most])
    valkey.forget(settings.OPERATORS_QUEUE)
    tasks.verify_some()
    path = f"backups/{backups[0].id}/restore/"
    asked = Restoration.objects.get(
        pk=post(path, {}, credential=stepped_up(house.olga)).json()["id"]
    )
    tried = Backup.objects.filter(pk__in=[each.pk for each in backups], verified_fault="")
    log, storage = tmp_path / "operator.log", {"BACKUP_STORAGE": settings.BACKUP_STORAGE}
    with working(settings.OPERATORS_QUEUE, log, processes=1, **storage):
        until(lambda: tried.exclude(verified_at=None).count() == _NIGHT)
    asked.refresh_from_db()
    assert asked.status == "done"
    assert asked.begun_at is not None
    assert tried.filter(verified_at__lt=asked.begun_at).count() == 1


def test_one_that_cannot_be_tried_stands_in_nobodys_way(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(tasks.verify, "delay", lambda first, then: sent.append((first, then)))

    def away(**_: object) -> None:
        raise StorageAway

    monkeypatch.setattr("backups.verifying.verify", away)
    with pytest.raises(StorageAway):
        tasks.verify("01a22cd4-f5d1-7632-bf39-f44ae00f207d", ["second", "third"])
    assert sent == [("second", ["third"])]
