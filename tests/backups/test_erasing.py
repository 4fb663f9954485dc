"""A deleted tenant's archives go in their time, and then nothing opens a copy of them any more."""

from __future__ import annotations

import pytest

from accounts.trail.models import PlatformEvent
from backups import actions, erasing, keys, queries
from backups.errors import WrongBackupKey
from backups.models import Backup
from backups.storage import place
from tests.backups.keepers import archive_of, entry_of, restore_into, take
from tests.cast import House, build_tenant, now
from tests.market import Market
from tests.tenants.lifecycle.test_commands import run
from tests.tenants.moving.movers import trade


def told(house: House) -> list[str]:
    """What the platform's trail says of the tenant's end, oldest first."""
    mine = [str(backup.pk) for backup in Backup.objects.filter(tenant_id=house.tenant.pk)]
    events = PlatformEvent.objects.filter(key__in=[house.tenant.slug, *mine]).order_by("at", "id")
    ends = ("tenant.deleted", "backup.removed", "tenant.erased")
    return [event.action for event in events if event.action in ends]


def prune(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the time of all its backups were over, and of nobody else's."""
    rows = Backup.objects.filter(tenant_id=house.tenant.pk, status="complete")
    monkeypatch.setattr(queries, "surplus", lambda **_now: list(rows))
    actions.prune(now=now())


def test_with_the_last_archive_the_keys_go_and_that_is_on_record(
    house: House, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade(house.alice, market)
    copied, neighbour = take(house.tenant), build_tenant()
    of_neighbour = take(neighbour)
    storage, key_id = place.chosen(), entry_of(copied).key
    erasing.erase()
    assert keys.ids(storage, house.tenant.pk) == [key_id]  # it is there, and so are they
    run("delete_tenant", house.tenant.slug, "--yes")
    erasing.erase()
    assert keys.ids(storage, house.tenant.pk) == [key_id]  # its archives can still be asked for
    archive = archive_of(copied).read_bytes()
    prune(house, monkeypatch)
    assert keys.ids(storage, house.tenant.pk) == []
    assert told(house) == ["tenant.deleted", "backup.removed", "backup.removed", "tenant.erased"]
    erased = PlatformEvent.objects.get(action="tenant.erased", key=house.tenant.slug)
    assert erased.after == {"id": str(house.tenant.pk), "keys": [str(key_id)]}
    archive_of(copied).write_bytes(archive)  # whoever has kept a copy has nothing
    with pytest.raises(WrongBackupKey):
        keys.of(storage, house.tenant.pk, key_id)
    archive_of(copied).unlink()
    assert restore_into(of_neighbour, f"{neighbour.slug}-2").status == "active"


def test_archives_that_the_database_has_lost_keep_their_keys(
    house: House, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been brought back from before they were taken."""
    trade(house.alice, market)
    run("delete_tenant", house.tenant.slug, "--yes")
    last = Backup.objects.get(tenant_id=house.tenant.pk, reason="last")
    key_ids = keys.ids(place.chosen(), house.tenant.pk)
    Backup.objects.filter(tenant_id=house.tenant.pk).update(status="failed")
    prune(house, monkeypatch)
    assert keys.ids(place.chosen(), house.tenant.pk) == key_ids
    assert "tenant.erased" not in told(house)
    Backup.objects.filter(pk=last.pk).update(status="complete")
    prune(house, monkeypatch)
    assert told(house)[-1] == "tenant.erased"


def test_it_is_said_though_nobody_lived_to_say_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("delete_tenant", house.tenant.slug, "--yes")
    keys.destroy(place.chosen(), house.tenant.pk)
    prune(house, monkeypatch)
    assert told(house)[-1] == "tenant.erased"


def test_it_is_said_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    run("delete_tenant", house.tenant.slug, "--yes")
    for _ in range(2):
        prune(house, monkeypatch)
    assert told(house).count("tenant.erased") == 1
