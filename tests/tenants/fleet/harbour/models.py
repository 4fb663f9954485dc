"""One table, so that there is something to migrate."""

from __future__ import annotations

from django.db import models

from tenants.ownership import TenantOwned


class Boat(TenantOwned):
    name = models.CharField(max_length=40, blank=True)

    class Meta:
        app_label = "harbour"

    def __str__(self) -> str:
        return self.name
