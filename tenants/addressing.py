"""From host and path to a tenant: `<slug>.<base>`, a custom domain, or `/t/<slug>/`."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from threading import Lock
from uuid import UUID

from django.conf import settings
from django.http.request import split_domain_port

from tenants import admission, origin, queries
from tenants.errors import UnknownTenant
from tenants.models import SLUG_PATTERN, Domain

_PREFIX = re.compile(rf"/t/(?P<slug>{SLUG_PATTERN})(?=/|\Z)")
_REMEMBERED_FOR = 30.0  # seconds; the database decides the schema, so a stale entry misroutes none
_REMEMBERED_AT_MOST = 10_000

_known: dict[str, tuple[UUID, float]] = {}
_lock = Lock()


@dataclass(frozen=True, slots=True)
class Address:
    """Where a request is going: a tenant, or the platform (`tenant_id` None)."""

    tenant_id: UUID | None
    prefix: str  # "/t/<slug>", or "" when the host says it
    path: str  # what is left of the path


def resolve(host: str, path: str) -> Address:
    """The address of a request. Raises UnknownTenant for a host or slug nobody has.

    A name that has to be looked up is not, for who has asked too much: TooManyRequests.
    """
    name, _ = split_domain_port(host)
    if name not in settings.PLATFORM_HOSTS:
        return Address(_by_host(name), "", path)
    match = _PREFIX.match(path)
    if match:
        return Address(_tenant("slug", match["slug"]), match[0], path[match.end() :] or "/")
    if path.startswith("/t/"):
        raise UnknownTenant
    return Address(None, "", path)


def _by_host(name: str) -> UUID:
    label, _, rest = name.partition(".")
    if rest == settings.BULKHEAD_BASE_DOMAIN:
        return _tenant("slug", label)
    return _tenant("domain", name)


def _tenant(kind: str, name: str) -> UUID:
    key, now = f"{kind}:{name}", time.monotonic()
    known = _known.get(key)
    if known and known[1] > now:
        return known[0]
    admission.knock(origin.address.get())
    tenant_id = _look_up(kind, name)
    if tenant_id is None:
        raise UnknownTenant
    with _lock:
        if len(_known) >= _REMEMBERED_AT_MOST:
            _known.clear()
        _known[key] = (tenant_id, now + _REMEMBERED_FOR)
    return tenant_id


def _look_up(kind: str, name: str) -> UUID | None:
    found: UUID | None
    if kind == "slug":
        found = queries.there().filter(slug=name).values_list("id", flat=True).first()
    else:
        domains = Domain.objects.filter(domain=name, tenant__in=queries.there())
        found = domains.values_list("tenant_id", flat=True).first()
    return found
