"""Celery doors: mail goes out after the answer."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from accounts.mailing import MailTask
from accounts.onboarding import mails


@shared_task(base=MailTask, name="accounts.onboarding.tasks.mail_welcome")
def mail_welcome(membership_id: str) -> None:
    """That a tenant is ready, to its first owner; none where they have left."""
    mails.send_welcome(UUID(membership_id))
