"""Celery doors: mail goes out after the answer."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from accounts.mailing import MailTask
from accounts.members import mails


@shared_task(base=MailTask, name="accounts.members.tasks.mail_invitation")
def mail_invitation(invitation_id: str) -> None:
    """The mail of one invitation; none for one that is not open any more."""
    mails.send_invitation(UUID(invitation_id))
