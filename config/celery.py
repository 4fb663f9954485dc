"""The Celery application. Its tasks are tenant tasks unless they say otherwise."""

import os

from celery import Celery
from celery.signals import worker_init, worker_ready

from config.observing import heartbeats, served, tasks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")

application = Celery("bulkhead", task_cls="tenants.tasks:TenantTask")
application.config_from_object("django.conf:settings", namespace="CELERY")
__all__ = ["application", "heartbeats", "served", "tasks"]  # the three listen to signals
# Of every thread: without it a thread of the web process would look for a broker of its own.
application.set_default()
application.autodiscover_tasks(["tenants", "trading.orders", "trading.venues"])


@worker_init.connect
def refuse_wrong_role(**_: object) -> None:
    """A worker that could see past the walls does not start."""
    from tenants import guards

    guards.refuse_wrong_role()


@worker_ready.connect
def show_first_pulse(**_: object) -> None:
    """`/readyz` need not wait for the scheduler's first turn."""
    from tenants.tasks import pulse

    if not _is_apart():
        pulse()


@worker_ready.connect
def look_after_exchanges(**_: object) -> None:
    """What happened at the exchanges while no worker was there."""
    from django.conf import settings

    from trading.venues.tasks import look_after_everywhere

    if settings.COMPARE_AT_START and not _is_apart():
        look_after_everywhere.delay("start")


def _is_apart() -> bool:
    """Whether this worker does what operators do, or backups, and nothing that a request waits
    for."""
    from django.conf import settings

    apart = {settings.OPERATORS_QUEUE, settings.BACKUPS_QUEUE, settings.WAL_QUEUE}
    return set(application.amqp.queues.consume_from) <= apart
