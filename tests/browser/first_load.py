"""`python -m tests.browser.first_load`: prints the files that a first visit loads, with their bytes as gzip."""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from bench.phone import KB, asked_for, sizes_of
from tests.browser.app import build_if_stale
from tests.servers import running_server

SIGN_IN, HOME = 100 * KB, 150 * KB
"""Bytes that a first visit may cost: until somebody can sign in, and until an inspector's home is there."""


def main() -> int:
    """Entry point; its exit status."""
    path = next((found for name in ("chromium-headless-shell", "chromium") if (found := shutil.which(name))), None)
    if path is None:
        print("Chromium is needed: apt-get install chromium", file=sys.stderr)
        return 1
    build_if_stale()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder), DEMO="0") as base,
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(service_workers="block")
        names = asked_for(page, base)
        page.goto(f"{base}/app/")
        page.get_by_role("button", name="登录", exact=True).wait_for()
        page.wait_for_load_state("networkidle")
        browser.close()
    sizes = sizes_of(names)
    for name, size in sorted(sizes.items(), key=lambda entry: -entry[1]):
        print(f"{size:8} {name}")
    print(f"{sum(sizes.values()):8} of {SIGN_IN} until somebody can sign in")
    return 0


if __name__ == "__main__":
    sys.exit(main())
