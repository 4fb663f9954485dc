"""The suite's settings with production's lines, and a beat that sends to nobody's queue."""

import os

from config.logs import logging_config
from config.settings.test import *  # noqa: F403 - settings build on one another

LOGGING = logging_config("INFO", as_json=True)
CELERY_TASK_DEFAULT_QUEUE = os.environ.get("BEAT_QUEUE") or CELERY_TASK_DEFAULT_QUEUE  # noqa: F405
# The shortest of them comes often enough to be waited for.
CELERY_BEAT_SCHEDULE = {
    "expire-orders": {"task": "trading.orders.tasks.expire_everywhere", "schedule": 0.2}
}
