"""Celery doors: mail goes out after the answer."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from accounts.emails import mails
from accounts.mailing import MailTask


@shared_task(base=MailTask, name="accounts.emails.tasks.mail_confirmation")
def mail_confirmation(user_id: str) -> None:
    """The link that proves somebody's email; none where it has been proven."""
    mails.send_confirmation(UUID(user_id))
