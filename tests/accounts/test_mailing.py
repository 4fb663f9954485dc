"""Mails that do not go out at once."""

from __future__ import annotations

from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from unittest import mock

import pytest
from celery.utils.time import get_exponential_backoff_interval
from django.conf import settings

from accounts import mailing
from accounts.emails.tasks import mail_confirmation
from accounts.mailing import MailTask
from accounts.members.tasks import mail_invitation
from accounts.passwords.tasks import mail_reset

_DAY = 24 * 3600


def refused(code: int) -> SMTPRecipientsRefused:
    return SMTPRecipientsRefused({"nobody@example.org": (code, b"no")})


def sent(fault: Exception) -> None:
    with mock.patch("accounts.mailing.send_mail", side_effect=fault):
        mailing.send("subject", "text", to="nobody@example.org")


def test_a_mail_is_tried_for_a_day_and_never_twice_at_once() -> None:
    for task in (mail_confirmation, mail_invitation, mail_reset):
        assert isinstance(task, MailTask)
        waits = [
            get_exponential_backoff_interval(
                factor=task.retry_backoff,
                retries=number,
                maximum=task.retry_backoff_max,
                full_jitter=task.retry_jitter,
            )
            for number in range(task.max_retries)
        ]
        assert sum(waits) >= _DAY
        assert max(waits) < settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]


@pytest.mark.parametrize(
    "fault", [SMTPServerDisconnected(), ConnectionRefusedError(), refused(450)]
)
def test_what_may_pass_is_tried_again(fault: Exception) -> None:
    assert isinstance(fault, MailTask.autoretry_for)
    with pytest.raises(type(fault)):
        sent(fault)


def test_what_is_refused_for_good_is_dropped_and_said(caplog: pytest.LogCaptureFixture) -> None:
    sent(refused(550))
    assert "refused for good: subject" in caplog.text
