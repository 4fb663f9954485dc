"""Celery: which worker does what, and what is done by the clock."""

from __future__ import annotations

from celery.schedules import crontab

from config.settings.environment import env
from config.settings.servers import REDIS_URL

CELERY_BROKER_URL = REDIS_URL
CELERY_IMPORTS = [
    "accounts.emails.tasks",
    "accounts.members.tasks",
    "accounts.onboarding.tasks",
    "accounts.passwords.tasks",
    "accounts.sessions.tasks",
    "accounts.trail.tasks",
    "tenants.measuring.tasks",
    "tenants.fleet.tasks",
    "tenants.lifecycle.tasks",
    "tenants.moving.tasks",
    "backups.alarms",
    "backups.tasks",
    "trading.idempotency.tasks",
    "trading.notifications.tasks",
    "trading.market.tasks",
    "trading.portfolio.tasks",
    "trading.positions.tasks",
]
# Schemas are the owner's. Of the workers one alone has its log-in, the operator, and what needs it
# has a queue of its own. So have backups, which read what is in all of them and take the night:
# nobody who waits for a tenant, or to be put back, stands behind them. WAL does not wait for the
# night's end either: whoever takes backups takes from its queue and from theirs in turn.
OPERATORS_QUEUE, BACKUPS_QUEUE, WAL_QUEUE = "operations", "backups", "wal"
OPERATORS_TASKS = (
    "backups.tasks.restore",
    "backups.tasks.take_up",
    "backups.tasks.verify",
    "tenants.fleet.tasks.*",
    "tenants.lifecycle.tasks.*",
    "tenants.moving.tasks.*",
    "trading.market.tasks.make_partitions",
)
WAL_TASKS = ("backups.tasks.ship_wal", "backups.tasks.look_at_server")
BACKUPS_TASKS = ("backups.tasks.*",)  # but for those above: a name goes before a pattern
CELERY_TASK_ROUTES = {
    **{name: {"queue": OPERATORS_QUEUE} for name in OPERATORS_TASKS},
    **{name: {"queue": WAL_QUEUE} for name in WAL_TASKS},
    **{name: {"queue": BACKUPS_QUEUE} for name in BACKUPS_TASKS},
}
# Workers of these queues, by the names that they are started with, say that they live.
WORKERS_APART = ("operator", "backups")
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
# Of one tenant at a time, so that the others' find a worker: at most half of all processes.
TASKS_PER_TENANT = env.int("TASKS_PER_TENANT", default=1)
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A dead worker's tasks come back after the visibility timeout; kombu's own sweep takes 100 s.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 60,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5.0,
}
CELERY_BEAT_SCHEDULE = {
    "expire-orders": {"task": "trading.orders.tasks.expire_everywhere", "schedule": 60.0},
    "check-open-orders": {
        "task": "trading.orders.tasks.check_index_everywhere",
        "schedule": 300.0,
    },
    "sweep-open-orders": {
        "task": "trading.orders.tasks.sweep_index",
        "schedule": crontab(minute="35"),
    },
    "match-what-is-left": {
        "task": "trading.orders.tasks.match_what_is_left",
        "schedule": 60.0,
    },
    "catch-up-with-returns": {
        "task": "trading.orders.tasks.catch_up_everywhere",
        "schedule": 60.0,
    },
    "sample-equity": {"task": "trading.portfolio.tasks.sample_everywhere", "schedule": 300.0},
    "thin-equity": {
        "task": "trading.portfolio.tasks.thin_everywhere",
        "schedule": crontab(hour="4", minute="40"),
    },
    "check-books": {
        "task": "trading.positions.tasks.check_books_everywhere",
        "schedule": crontab(hour="4", minute="10"),
    },
    "look-after-exchanges": {
        "task": "trading.venues.tasks.look_after_everywhere",
        "schedule": 60.0,
    },
    "measure-tenants": {
        "task": "tenants.measuring.tasks.measure_everywhere",
        "schedule": 300.0,
    },
    "look-at-the-fleet": {
        "task": "tenants.fleet.tasks.look",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "take-up-tenants": {
        "task": "tenants.lifecycle.tasks.take_up",
        "schedule": 30.0,
        "options": {"expires": 30.0},
    },
    "take-up-moves": {
        "task": "tenants.moving.tasks.take_up",
        "schedule": 30.0,
        "options": {"expires": 30.0},
    },
    "worker-pulse": {"task": "tenants.tasks.pulse", "schedule": 5.0},
    "make-partitions": {
        "task": "trading.market.tasks.make_partitions",
        "schedule": crontab(hour="2", minute="40"),
    },
    "anchor-trails": {
        "task": "accounts.trail.tasks.anchor_everywhere",
        "schedule": crontab(hour="1", minute="20"),
    },
    "take-nightly-backups": {
        "task": "backups.tasks.take_due",
        "schedule": 300.0,
        "options": {"expires": 300.0},
    },
    "take-up-restorations": {
        "task": "backups.tasks.take_up",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "lend-keys-of-backups": {"task": "backups.tasks.lend_waiting", "schedule": 300.0},
    "verify-backups": {
        "task": "backups.tasks.verify_some",
        "schedule": crontab(hour="3", minute="50"),
    },
    "ship-wal": {
        "task": "backups.tasks.ship_wal",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "look-at-server": {
        "task": "backups.tasks.look_at_server",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "copy-platform": {
        "task": "backups.tasks.copy_platform",
        "schedule": crontab(hour="0", minute="30"),
    },
    "prune-backups": {
        "task": "backups.tasks.prune",
        "schedule": crontab(hour="5", minute="20"),
    },
    "purge-sessions": {
        "task": "accounts.sessions.tasks.purge",
        "schedule": crontab(hour="3", minute="10"),
    },
    "trim-notifications": {
        "task": "trading.notifications.tasks.trim_everywhere",
        "schedule": crontab(minute="50"),
    },
    "purge-idempotency-keys": {
        "task": "trading.idempotency.tasks.purge_everywhere",
        "schedule": crontab(hour="3", minute="40"),
    },
}
