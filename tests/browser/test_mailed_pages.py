"""From the link of a mail to its end, in a browser that says what a page's policy refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail

from accounts.access.models import Membership
from accounts.emails import mails as email_mails
from accounts.members import mails as invitation_mails
from accounts.passwords import mails as reset_mails
from accounts.sessions.models import Session
from accounts.users.models import User
from tests.accounts.doors import post
from tests.accounts.test_invitations import invited
from tests.browser import chromium
from tests.browser.chromium import Page
from tests.cast import PASSWORD, House, build_house
from tests.web import Server

NEW = "Another-horse-8"


@pytest.fixture
def page(tmp_path: Path, server: Server, settings: Any) -> Iterator[Page]:
    """A page, while mails lead to the web process of this run."""
    settings.INVITATION_URL = f"{server.url}/invitation/"
    settings.EMAIL_CONFIRMATION_URL = f"{server.url}/email/confirm/"
    settings.PASSWORD_RESET_URL = f"{server.url}/password/reset/"
    with chromium.page(tmp_path) as opened:
        yield opened
        assert opened.refused() == []


@pytest.fixture(scope="module")
def house() -> House:
    return build_house("starter")


def link_in_mail(to: str) -> str:
    body = next(str(message.body) for message in reversed(mail.outbox) if message.to == [to])
    found = re.search(r"^http\S+#\S+$", body, re.M)
    assert found, body
    return found[0]


def follow(page: Page, to: str) -> None:
    """The link; what it holds does not stay in the address."""
    page.open(link_in_mail(to))
    assert page.evaluate("location.hash") == ""
    assert page.evaluate("document.querySelectorAll('input').length") == page.evaluate(
        "document.querySelectorAll('label').length"
    )


def sent(page: Page, **fields: str) -> str:
    """What the page says once the form has been answered."""
    page.fill(**fields)
    page.submit()
    page.wait_for(
        "!document.querySelector('#done').hidden"
        " || document.querySelector('[role=alert]').textContent !== ''"
    )
    return page.text()


def can_log_in(email: str, password: str) -> bool:
    status = post("auth/login/", {"email": email, "password": password}).status_code
    return bool(status == 200)


def test_an_invitation_is_accepted_by_somebody_new(page: Page, house: House) -> None:
    email = f"new{uuid4().hex[:10]}@example.org"
    invitation_mails.send_invitation(invited(house.olga, email).id)
    follow(page, email)
    assert "8 characters" in sent(page, password="short")
    assert house.tenant.name in sent(page, password=NEW)
    member = Membership.objects.get(email=email)
    assert (member.tenant_id, member.role) == (house.tenant.id, "trader")
    assert can_log_in(email, NEW)


def test_an_invitation_is_accepted_by_somebody_known(page: Page, house: House) -> None:
    email = house.mallory.email
    invitation_mails.send_invitation(invited(house.olga, email).id)
    follow(page, email)
    assert "not right" in sent(page, password=NEW)
    assert "trader" in sent(page, password=PASSWORD)
    assert Membership.objects.filter(email=email, tenant=house.tenant).exists()


def test_an_email_is_confirmed_by_who_logs_in(page: Page, house: House) -> None:
    person = User.objects.get(pk=house.alice.user_id)
    User.objects.filter(pk=person.pk).update(email_proven_at=None)
    email_mails.send_confirmation(person.pk)
    follow(page, person.email)
    assert "not right" in sent(page, email=person.email, password=NEW)
    assert "Confirmed" in sent(page, password=PASSWORD)
    person.refresh_from_db()
    assert person.is_email_proven
    assert not Session.objects.filter(user=person, ended_at=None).exists()


def test_a_new_password_is_set(page: Page, house: House) -> None:
    person = house.bob
    reset_mails.send_reset(person.user_id)
    follow(page, person.email)
    assert "not the same" in sent(page, password=NEW, again=PASSWORD)
    assert "It is set" in sent(page, password=NEW, again=NEW)
    assert can_log_in(person.email, NEW)
    assert not can_log_in(person.email, PASSWORD)


@pytest.mark.parametrize("path", ["invitation/", "email/confirm/", "password/reset/"])
def test_without_its_link_a_page_asks_for_it(page: Page, server: Server, path: str) -> None:
    page.open(f"{server.url}/{path}")
    assert "Open that link again" in page.text()
    assert page.evaluate("document.querySelector('form').checkVisibility()") is False


def test_a_page_that_broke_its_policy_would_be_told_of(tmp_path: Path, server: Server) -> None:
    """The mutation: a style in the page itself."""
    with chromium.page(tmp_path) as opened:
        opened.open(f"{server.url}/invitation/")
        opened.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=color:red>x</p>')")
        opened.wait_for("window.refused.length > 0")
        assert opened.refused() == ["style-src-attr inline"]
