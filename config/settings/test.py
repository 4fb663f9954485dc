"""The suite: real servers, cheap passwords, short waits."""

import os

from config.settings.base import BULKHEAD_DATA_DIR, env  # noqa: F401 - the suite reads the folder here
from config.settings.local import *  # noqa: F403 - settings build on one another
from config.settings.local import BACKUPS_TASKS, OPERATORS_TASKS, WAL_TASKS

DEBUG = False
PLATFORM_HOSTS = ["testserver", "127.0.0.1", "localhost"]
# Nobody is there: what tests have to say to an exchange goes to one of their own.
VENUE_URLS = env.json("VENUE_URLS", default={"kraken": "http://127.0.0.1:9"})
COMPARE_AT_START = False
VENUES_ARE_PACED = False
# Processes that run tests side by side share a broker: each sends to workers of its own.
_PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "alone")
CELERY_TASK_DEFAULT_QUEUE = f"celery-{_PROCESS}"
OPERATORS_QUEUE, BACKUPS_QUEUE = f"operations-{_PROCESS}", f"backups-{_PROCESS}"
WAL_QUEUE = f"wal-{_PROCESS}"
CELERY_TASK_ROUTES = {
    **{name: {"queue": OPERATORS_QUEUE} for name in OPERATORS_TASKS},
    **{name: {"queue": WAL_QUEUE} for name in WAL_TASKS},
    **{name: {"queue": BACKUPS_QUEUE} for name in BACKUPS_TASKS},
}
# One address asks on behalf of everybody; the tests of the limit set their own.
ADDRESS_REQUESTS_PER_MINUTE = env.int("ADDRESS_REQUESTS_PER_MINUTE", default=10_000_000)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
