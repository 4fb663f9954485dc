"""What all tasks that send mail have in common."""

from __future__ import annotations

from tenants.tasks import PlatformTask


class MailTask(PlatformTask):
    """A mail server that is away for a while delays a mail, and loses none."""

    abstract = True
    autoretry_for = (OSError,)
    retry_backoff = 5  # seconds, doubled each time
    retry_jitter = True
    max_retries = 5
