"""How much a first visit to the desk loads: the sign-in, a first list; charts come when one is shown."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from bench.phone import KB
from bundle import client_build
from tests.browser.app import Bureau
from tests.browser.desks import kept, sat_down
from tests.demo_folder import demo_folder
from tests.servers import running_server

pytestmark = pytest.mark.only_in_rounds
SIGN_IN, FIRST_LIST = 100 * KB, 220 * KB
"""Bytes as gzip."""


@pytest.fixture(scope="module")
def office(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    """The demo on a server of its own, with the desk's app."""
    client_build.build("desk", if_stale=True)
    data_dir = demo_folder(tmp_path_factory, "loading-office")
    with running_server(data_dir, DEMO="1") as base:
        yield Bureau(base, data_dir)


def loaded(page: Page, office: Bureau, path: str) -> dict[str, int]:
    """The files of the app that a page asks for, with their bytes as gzip."""
    names: set[str] = set()
    begins = f"{office.base}/desk/"
    page.on("request", lambda one: names.add(one.url.removeprefix(begins)) if one.url.startswith(begins) else None)
    page.goto(f"{begins}{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_load_state("networkidle")
    folder = client_build.built_folder("desk")
    files = {name for name in names if (folder / name).is_file()} | {"index.html"}
    packed = {name: folder / f"{name}.gz" for name in files}
    return {name: (path if path.is_file() else folder / name).stat().st_size for name, path in packed.items()}


@pytest.mark.parametrize(
    ("username", "path", "limit"),
    [(None, "", SIGN_IN), ("demo_licence_reviewer", "filings", FIRST_LIST),
     ("demo_rating_supervisor", "ratings", FIRST_LIST), ("demo_changzhou", "accounts", FIRST_LIST)],
)  # fmt: skip
def test_a_first_visit_loads_little_and_no_chart(
    office: Bureau, chromium: Browser, username: str | None, path: str, limit: int
) -> None:
    with sat_down(chromium) as page:
        if username is not None:
            kept(page, office, username)
        sizes = loaded(page, office, path)
    assert len(sizes) > 3
    assert sum(sizes.values()) <= limit, sizes
    assert not [name for name in sizes if "Chart" in name]
