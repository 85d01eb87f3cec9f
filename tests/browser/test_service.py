"""The page when its server goes and comes back."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.alone


def test_it_says_that_the_server_is_gone_and_goes_on_when_it_is_back(open_page: Any, server: Any) -> None:
    page = open_page()
    ready = page.locator(".unit:visible .picture[data-state=ready]")
    expect(ready).to_have_count(6, timeout=180_000)
    server.stop()
    page.get_by_role("link", name="coffee").click()
    notice = page.locator(".notices")
    expect(notice).to_contain_text("The server does not answer.")
    server.start()
    expect(notice).to_be_empty(timeout=60_000)
    expect(page.locator(".predictions .label").first).to_have_text("espresso")
    expect(page.locator(".unit").first).to_be_visible()
    page.get_by_role("link", name="cat", exact=True).click()
    # Drawn before the restart, so nothing is drawn again.
    expect(ready).to_have_count(6, timeout=10_000)
    assert_quiet(page)


def assert_quiet(page: Page) -> None:
    """No unit of the page waits to be drawn."""
    waiting = page.locator(".unit:visible .evidence", has_text=re.compile("drawing|waiting"))
    expect(waiting).to_have_count(0)
