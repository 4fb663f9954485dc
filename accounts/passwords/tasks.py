"""Celery doors: mail goes out after the answer, and so the answer's time tells nothing."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from accounts.mailing import MailTask
from accounts.passwords import mails


@shared_task(base=MailTask, name="accounts.passwords.tasks.mail_reset")
def mail_reset(user_id: str) -> None:
    """Empty for nobody: that too is sent, so that unknown and known take the same way."""
    if user_id:
        mails.send_reset(UUID(user_id))
