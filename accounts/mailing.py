"""What all mails have in common: how one goes out, and how long that is tried."""

from __future__ import annotations

import logging
from smtplib import SMTPRecipientsRefused

from django.core.mail import send_mail

from tenants.tasks import PlatformTask

_FOR_GOOD = 500  # of SMTP: no such mailbox, and the like
_log = logging.getLogger("bulkhead.mail")


class MailTask(PlatformTask):
    """A mail server that is away for less than a day delays a mail, and loses none.

    No wait is longer than a message may be held (`visibility_timeout`): the broker would hand out
    another one of it meanwhile, and the mail would go out twice.
    """

    abstract = True
    autoretry_for = (OSError,)
    retry_backoff = 5  # seconds, doubled each time
    retry_backoff_max = 45
    retry_jitter = False
    max_retries = 2_000


def send(subject: str, text: str, *, to: str) -> None:
    """Raises OSError when it does not go out; one that the server refuses for good is dropped."""
    try:
        send_mail(subject, text, None, [to])
    except SMTPRecipientsRefused as fault:
        if any(code < _FOR_GOOD for code, _ in fault.recipients.values()):
            raise
        _log.warning("a mail was refused for good: %s", subject)
