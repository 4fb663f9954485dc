"""What operators are told by mail at once; what they look up is measured (`measures.py`)."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from accounts import mailing
from backups.models import Backup

_SUBJECT = "A backup of {slug} cannot be put back"
_TEXT = """\
The newest backup of the tenant {slug}, {backup}, was put back to try it, and that failed: {fault}.

It is worth nothing until it is known why. Take another one at once, and try it:

    manage.py backup_tenant {slug}
    manage.py verify_backups {slug}

What the fault means, and what to do then: docs/runbooks.md, "Backup unfit".
"""


def unfit(backup: Backup) -> None:
    """Have each operator told, if any is named: a mail server that is away delays that."""
    for email in settings.OPERATORS_EMAILS:
        tell_of_unfit.delay(email, backup.slug, str(backup.pk), backup.verified_fault)


@shared_task(base=mailing.MailTask, name="backups.alarms.tell_of_unfit")
def tell_of_unfit(email: str, slug: str, backup_id: str, fault: str) -> None:
    text = _TEXT.format(slug=slug, backup=backup_id, fault=fault)
    mailing.send(_SUBJECT.format(slug=slug), text, to=email)
