"""Settings, routes, servers. Whoever imports it has the Celery application, as tasks need it."""

from config.celery import application as celery

__all__ = ["celery"]
