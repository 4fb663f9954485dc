"""The Celery application. Its tasks are tenant tasks unless they say otherwise."""

import os

from celery import Celery
from celery.signals import worker_init, worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")

application = Celery("bulkhead", task_cls="tenants.tasks:TenantTask")
application.config_from_object("django.conf:settings", namespace="CELERY")
# Of every thread: without it a thread of the web process would look for a broker of its own.
application.set_default()
application.autodiscover_tasks(["tenants", "trading.orders"])


@worker_init.connect
def refuse_wrong_role(**_: object) -> None:
    """A worker that could see past the walls does not start."""
    from tenants import guards

    guards.refuse_wrong_role()


@worker_ready.connect
def show_first_pulse(**_: object) -> None:
    """`/readyz` need not wait for the scheduler's first turn."""
    from tenants.tasks import pulse

    pulse()
