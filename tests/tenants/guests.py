"""Who comes to the door."""

from __future__ import annotations

from uuid import uuid4

from tenants import admission
from tenants.admission import Guest
from tenants.models import Tenant
from tenants.slots import Slot
from tests.cast import anywhere


def guest(tenant: Tenant, *, is_key: bool = False) -> Guest:
    return Guest(anywhere(), tenant.id, uuid4(), uuid4(), is_key)


def enter(tenant: Tenant, *, is_key: bool = False) -> Slot:
    slot = Slot(tenant.id)
    admission.admit(guest(tenant, is_key=is_key), is_data=True, slot=slot)
    return slot
