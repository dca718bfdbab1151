"""The pages of the interface in Chromium: their policy lets them work and lets nothing else run."""

import pytest
from playwright.sync_api import ConsoleMessage

from tests.browser.conftest import Phone
from tests.browser.hall import Hall


@pytest.mark.only_in_rounds  # the policy itself is tested without a browser; to draw all operations takes long
def test_the_api_pages_work_under_their_policy(hall: Hall, phone: Phone) -> None:
    refused: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            refused.append(message.text)

    page = phone()
    page.on("console", note)
    page.goto(f"{hall.base}/api/docs/", timeout=60_000)
    operation = page.locator(".opblock", has_text="/api/v1/files").first
    operation.wait_for(timeout=60_000)
    operation.locator("button").first.click()
    operation.get_by_text("Request body").first.wait_for(timeout=60_000)
    assert refused == []
