"""How far to trust what a figure says: a quiet line at its foot, measured when the reader wants it, then unfolded."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.alone


def test_it_is_measured_when_asked_and_cancelled_when_not(open_page: Any) -> None:
    page = open_page()
    foot = page.locator(".dictionary .standing")
    expect(foot).to_contain_text(re.compile("Activation x gradient of units of .*: not yet measured on this model"))
    expect(foot.get_by_role("img", name="not yet measured")).to_be_visible()
    foot.get_by_role("button", name=re.compile("Measure it on 12 photographs")).press("Enter")
    expect(foot.get_by_role("status")).to_contain_text(re.compile("waiting its turn|measuring"))
    foot.get_by_role("button", name="Cancel").click()
    expect(foot.get_by_role("button", name=re.compile("Measure it"))).to_be_visible()
