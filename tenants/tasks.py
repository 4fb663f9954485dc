"""Celery tasks: each names its tenant in a header, or is declared a task of the platform."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from celery import Task, shared_task
from celery.exceptions import Ignore
from django.conf import settings
from django.core.cache import caches

from config.observing import metrics
from tenants import context, leftovers, turns
from tenants.context import Actor, Scope, TenantContext
from tenants.errors import NoTenantContext, TenantAlreadyEntered, TenantRestoring

HEADER = "bulkhead_tenant"
PULSE_KEY = "worker-pulse"
PULSE_SECONDS = 30
_PUT_OFF = 1.0  # seconds
_RESTORED = 3.0  # seconds, until it is looked whether a tenant is there again


class _Patient(Task[..., Any]):
    """What cannot be done now is put off: the message goes again to the queue it came from."""

    abstract = True

    @property
    def is_delivered(self) -> bool:
        """Whether it came by a message, and is not run on the spot."""
        return not (self.request.is_eager or self.request.called_directly)

    def put_off(self, args: Any, kwargs: Any, *, seconds: float, **options: Any) -> Ignore:
        send: Any = self.apply_async
        delivered = self.request.delivery_info
        send(
            args,
            kwargs,
            task_id=self.request.id,
            queue=delivered["routing_key"] if delivered else None,
            retries=self.request.retries,
            countdown=seconds,
            **options,
        )
        return Ignore()


class TenantTask(_Patient):
    """A task inside one tenant. Its body is one transaction there, as the actor named after it.

    Sent from inside a tenant it goes to that tenant; from the platform only with `send_to`.
    Retries and redeliveries carry the same header. Raises NoTenantContext without one.

    A tenant has so many at a time (`TASKS_PER_TENANT`); what is more is put off, and what comes
    while its rows are exchanged for those of a backup.
    """

    abstract = True

    def apply_async(self, args: Any = None, kwargs: Any = None, *rest: Any, **options: Any) -> Any:
        headers = {**(options.pop("headers", None) or {})}
        entered = context.current()
        named = headers.get(HEADER)
        if entered and named not in (None, str(entered.tenant_id)):
            raise TenantAlreadyEntered("A tenant's task can be sent to its own tenant only.")
        if named is None:
            headers[HEADER] = str(context.require().tenant_id)
        return super().apply_async(args, kwargs, *rest, headers=headers, **options)

    def send_to(self, tenant_id: UUID, *args: Any, **kwargs: Any) -> Any:
        """Send the task to a tenant."""
        return self.apply_async(args, kwargs, headers={HEADER: str(tenant_id)})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        inside = self._context()
        if not self.is_delivered:
            return self._run(inside, args, kwargs)
        to = {HEADER: str(inside.tenant_id)}
        with turns.taken(inside.tenant_id, of=settings.TASKS_PER_TENANT) as is_taken:
            if is_taken:
                try:
                    return self._run(inside, args, kwargs)
                except TenantRestoring:
                    raise self.put_off(args, kwargs, seconds=_RESTORED, headers=to) from None
        raise self.put_off(args, kwargs, seconds=_PUT_OFF, headers=to)

    def _run(self, inside: TenantContext, args: Any, kwargs: Any) -> Any:
        leftovers.forget()
        with context.enter(inside):
            return super().__call__(*args, **kwargs)

    def _context(self) -> TenantContext:
        headers = self.request.headers or {}
        named = headers.get(HEADER) or getattr(self.request, HEADER, None)
        if named is None:
            raise NoTenantContext(f"The message of task {self.name} names no tenant.")
        return TenantContext(UUID(named), Actor.system(str(self.name)), Scope.TENANT)


class PlatformTask(_Patient):
    """A task outside all tenants. It may send tenant tasks, and sees no row but where it enters.

    One that came for a single tenant is put off while that is being restored.
    """

    abstract = True
    is_platform: ClassVar[bool] = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if context.current() is not None:
            raise TenantAlreadyEntered(f"{self.name} is a task of the platform.")
        leftovers.forget()
        try:
            return super().__call__(*args, **kwargs)
        except TenantRestoring:
            if not self.is_delivered:
                raise
            raise self.put_off(args, kwargs, seconds=_RESTORED) from None


@shared_task(base=PlatformTask, name="tenants.tasks.pulse")
def pulse() -> None:
    """Shows `/readyz` that beat, broker and worker are alive."""
    caches["shared"].set(PULSE_KEY, 1, timeout=PULSE_SECONDS)
    metrics.pulse()
