"""A person's walk through the staff's pages, on an installation as `make up` starts it.

The screenshots stay in `.artifacts/staff`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyotp
import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from tenants.moving.phases import STEPS
from tests.browser.walk import Installation, Walk, installation, walking

EMAIL, PASSWORD = "sam@bulkhead.example", "Correct-horse-7"
pytestmark = [pytest.mark.extra, pytest.mark.timeout(420)]


@pytest.fixture(scope="module")
def place() -> Iterator[Installation]:
    with installation() as running:
        running.manage("create_staff", EMAIL, given=f"{PASSWORD}\n")
        yield running


def status(page: Page) -> str:
    return page.locator("h1 .pill").first.inner_text()


def await_status(page: Page, wanted: str) -> None:
    """By looking at the page, which is not reloaded by the person."""
    expect(page.locator("h1 .pill").first).to_have_text(wanted)


def log_in(walk: Walk, place: Installation) -> list[str]:
    """Password, and a first second factor; gives its recovery codes."""
    page = walk.page
    page.goto(f"{place.url}/admin/")
    walk.look("log-in")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Add a second factor").click()
    secret = page.locator("code.secret").inner_text()
    page.get_by_label("Code").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Second factor").click()
    codes = page.locator(".codes code").all_inner_texts()
    page.get_by_role("link", name="Go on").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    return codes


def create(page: Page, place: Installation, slug: str, name: str, plan: str) -> None:
    page.goto(f"{place.url}/admin/")
    page.get_by_role("link", name="New tenant").click()
    page.get_by_label("Short name").fill(slug)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Owner's email").fill(f"owner@{slug}.example")
    page.get_by_label("Plan").select_option(plan)


def change(walk: Walk, button: str, **fields: str) -> None:
    """A button, the page that says what will happen, and the button there."""
    page = walk.page
    page.get_by_role("link", name=button, exact=True).click()
    expect(page.get_by_role("heading", name="What will happen")).to_be_visible()
    for label, value in fields.items():
        page.get_by_label(label.replace("_", " ")).fill(value)
    walk.look(button.lower().replace(" ", "-"))
    page.get_by_role("button", name=button, exact=True).click()


def look_around(walk: Walk, place: Installation) -> None:
    """Every place of the sidebar, a plan, and a tenant in the dark."""
    page = walk.page
    for name in (
        "Overview",
        "Tenants",
        "Plans",
        "Fleet",
        "Support sessions",
        "Trail",
        "Health",
    ):
        page.get_by_role("navigation", name="Places").get_by_role("link", name=name).click()
        walk.look(name.lower().replace(" ", "-"))
    page.get_by_role("navigation", name="Places").get_by_role("link", name="Plans").click()
    page.get_by_role("link", name=re.compile("Enterprise", re.I)).first.click()
    walk.look("plan")
    page.goto(f"{place.url}/admin/tenants/tenant/?q=harbour")
    page.get_by_role("link", name="Harbour Capital").click()
    page.emulate_media(color_scheme="dark")
    walk.look("enterprise-tenant-dark")


def test_a_person_makes_watches_graduates_suspends_and_deletes(place: Installation) -> None:
    with walking() as walk:
        page = walk.page
        codes = log_in(walk, place)
        walk.look("overview-empty")

        create(page, place, "harbour", "Harbour Capital", "enterprise")
        walk.look("new-tenant")
        page.get_by_role("button", name="Create tenant").click()
        expect(page.get_by_text("Making the tenant")).to_be_visible()
        walk.look("provisioning")
        await_status(page, "active")
        expect(page.locator(".live")).to_have_count(0)
        walk.look("enterprise-tenant")
        assert "a schema of its own" in page.inner_text("main")

        create(page, place, "lantern", "Lantern Trading", "starter")
        page.get_by_role("button", name="Create tenant").click()
        await_status(page, "active")
        expect(page.locator(".live")).to_have_count(0)

        change(walk, "Graduate")
        walk.look("graduating")
        expect(page.get_by_text("Moving the tenant to a schema of its own")).to_be_visible()
        expect(page.get_by_role("link", name="Demote", exact=True)).to_be_visible()
        steps = len(settings.TENANT_STEPS["provision"]) + len(STEPS)  # to make it, and to move it
        expect(page.locator(".steps .done")).to_have_count(steps)
        walk.look("graduated")

        change(walk, "Suspend", Reason="The invoice of October is open")
        await_status(page, "suspended")
        walk.look("suspended")
        change(walk, "Resume")
        await_status(page, "active")

        page.get_by_role("link", name="Delete", exact=True).click()
        page.get_by_label("Short name of the tenant").fill("harbour")
        page.get_by_label("Code").fill(codes[0])
        page.get_by_role("button", name="Delete", exact=True).click()
        expect(page.get_by_text("another name than this tenant's")).to_be_visible()
        walk.look("delete-refused")
        page.get_by_label("Short name of the tenant").fill("lantern")
        page.get_by_label("Code").fill(codes[0])
        page.get_by_role("button", name="Delete", exact=True).click()
        await_status(page, "deleted")
        expect(page.get_by_text("Its short name stays taken")).to_be_visible()
        walk.look("deleted")
        look_around(walk, place)
        assert walk.complaints == []
