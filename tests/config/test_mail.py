"""Mails hold links that open accounts: in production they go to a mail server, and nowhere else."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.settings import people

SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.mark.parametrize("scheme", ["consolemail", "filemail", "memorymail", "dummymail"])
def test_a_mail_that_goes_to_no_server_stops_the_start(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMAIL_URL", f"{scheme}://")
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL"):
        people._mail("EMAIL_URL")


@pytest.mark.parametrize("url", ["", "smtp://mail:25", "smtp+tls://u:p@mail:587"])
def test_without_a_word_it_goes_to_a_server_too(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if url:
        monkeypatch.setenv("EMAIL_URL", url)
    else:
        monkeypatch.delenv("EMAIL_URL", raising=False)
    assert people._mail("EMAIL_URL")["EMAIL_BACKEND"] == SMTP
    assert people.EMAIL_BACKEND == SMTP
