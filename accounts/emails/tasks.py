"""Celery doors: mail goes out after the answer."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from accounts.emails import mails
from tenants.tasks import PlatformTask


@shared_task(
    base=PlatformTask,
    name="accounts.emails.tasks.mail_confirmation",
    autoretry_for=(OSError,),
    retry_backoff=5,
    retry_jitter=True,
    max_retries=5,
)
def mail_confirmation(user_id: str) -> None:
    """The link that proves somebody's email; none where it has been proven."""
    mails.send_confirmation(UUID(user_id))
