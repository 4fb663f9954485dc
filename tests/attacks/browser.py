"""The staff's pages, as a browser asks for them."""

from __future__ import annotations

import re
from uuid import uuid4

import pyotp

from accounts.users import actions as users
from tests.attacks.wire import Answer, send
from tests.cast import PASSWORD, anywhere, now
from tests.web import Server


class Browser:
    """Keeps cookies as told, `Secure` ones too, and sends forms with their token."""

    def __init__(self, site: Server) -> None:
        self.site, self.at, self.cookies = site, anywhere(), dict[str, str]()

    def get(self, path: str) -> Answer:
        return self._keep(send(self.site, "GET", path, *self._pairs(), at=self.at))

    def post(self, path: str, *, seen: str = "", **form: str) -> Answer:
        """The form of the page `seen`, or of a fresh one."""
        page = seen or self.get(path).text
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert found, path
        fields = {"csrfmiddlewaretoken": found[1], **form}
        body = "&".join(f"{k}={v.replace('@', '%40')}" for k, v in fields.items()).encode()
        kind = ("Content-Type", "application/x-www-form-urlencoded")
        origin = ("Referer", self.site.url), ("Origin", self.site.url)
        sent = send(self.site, "POST", path, *self._pairs(), kind, *origin, body=body, at=self.at)
        return self._keep(sent)

    def post_without_token(self, path: str) -> Answer:
        return self._keep(send(self.site, "POST", path, *self._pairs(), at=self.at))

    def add_second_factor(self) -> None:
        """Of somebody of the staff who has shown the password, and has none yet."""
        page = self.post("/admin/code/", add="x").text
        secret = re.search(r"\b[A-Z2-7]{32}\b", page)
        assert secret, page
        code = pyotp.TOTP(secret[0]).now()
        assert self.post("/admin/code/", seen=page, otp=code).status in (200, 302)

    def _pairs(self) -> tuple[tuple[str, str], ...]:
        jar = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return (("Cookie", jar),) if jar else ()

    def _keep(self, answer: Answer) -> Answer:
        for name, value in re.findall(r"(sessionid|csrftoken)=(\w+)", answer.cookies):
            self.cookies[name] = value
        return answer


def staff_with_password(site: Server) -> Browser:
    """Somebody of the staff who has not shown a second factor."""
    email, browser = f"staff{uuid4().hex[:10]}@bulkhead.example", Browser(site)
    users.ensure(email=email, password=PASSWORD, now=now(), is_staff=True)
    assert browser.post("/admin/login/", email=email, password=PASSWORD).status == 302
    return browser


def staff(site: Server) -> Browser:
    """Somebody of the staff who has shown both factors."""
    browser = staff_with_password(site)
    browser.add_second_factor()
    return browser
