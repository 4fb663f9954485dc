"""Celery doors: mail goes out after the answer."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from accounts.members import mails
from tenants.tasks import PlatformTask


@shared_task(
    base=PlatformTask,
    name="accounts.members.tasks.mail_invitation",
    autoretry_for=(OSError,),
    retry_backoff=5,
    retry_jitter=True,
    max_retries=5,
)
def mail_invitation(invitation_id: str) -> None:
    """The mail of one invitation; none for one that is not open any more."""
    mails.send_invitation(UUID(invitation_id))
