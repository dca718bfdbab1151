"""The desk of a clerk: a register is uploaded, looked at, and brought in with progress."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bundle import client_build
from tests.browser.app import Bureau
from tests.browser.desks import heading, kept, looked_at, sat_down
from tests.demo_folder import demo_folder
from tests.enterprise.test_register_import import csv_file, row
from tests.people import uscc
from tests.servers import running_server

pytestmark = pytest.mark.only_in_rounds
CLERK = "demo_licence_reviewer"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    """The demo on a server of its own, with the desk's app."""
    client_build.build("desk", if_stale=True)
    data_dir = demo_folder(tmp_path_factory, "register-office")
    with running_server(data_dir, DEMO="1", ENTERPRISE_CAPTCHA="after_failure") as base:
        yield Bureau(base, data_dir)


@pytest.fixture
def desk(chromium: Browser) -> Iterator[Page]:
    with sat_down(chromium, accept_downloads=True) as page:
        yield page


def test_a_clerk_uploads_a_register_looks_at_it_and_brings_it_in(office: Bureau, desk: Page, tmp_path: Path) -> None:
    kept(desk, office, CLERK)
    desk.goto(f"{office.base}/desk/")
    desk.get_by_role("link", name="名录", exact=True).click()
    heading(desk, "导入名录")
    expect(desk.get_by_text("三天内没有上传过表格。")).to_be_visible()
    looked_at(desk, "registers")

    wrong = tmp_path / "照片.csv"
    wrong.write_bytes(b"a,b\n1,2\n")
    desk.get_by_label("企业名录表格").set_input_files(wrong)
    expect(desk.get_by_role("alert")).to_contain_text("未找到表头")

    first = csv_file(tmp_path, *(row(uscc(500 + n), f"常州第{n}电缆厂") for n in range(60)))
    desk.get_by_label("企业名录表格").set_input_files(first)
    heading(desk, "核对“名录.csv”")
    expect(desk.get_by_label("概况")).to_contain_text("共 60 行，新增 60，变更 0，无变化 0，不导入 0")
    desk.get_by_role("button", name="导入 60 行").click()
    dialog = desk.get_by_role("dialog")
    expect(dialog).to_contain_text("导入 60 行到企业名录？")
    dialog.get_by_role("button", name="再看看").click()
    expect(dialog).to_have_count(0)
    desk.get_by_role("button", name="导入 60 行").click()
    dialog.get_by_role("button", name="导入 60 行").click()
    expect(desk.get_by_label("导入", exact=True).get_by_role("status")).to_contain_text("已新增 60", timeout=30_000)

    second = csv_file(
        tmp_path,
        *(row(uscc(500 + n), f"常州第{n}电缆有限公司") for n in range(55)),
        row("91320402MA1TEX0019", "代码有误公司"),
        row(uscc(600), "南京某公司", region="320102"),
    )
    desk.get_by_role("main").get_by_role("link", name="导入名录").click()
    expect(desk.get_by_role("row", name="名录.csv")).to_contain_text("已完成")
    desk.get_by_label("企业名录表格").set_input_files(second)
    heading(desk, "核对“名录.csv”")
    expect(desk.get_by_role("button", name="变更 55 行")).to_have_attribute("aria-pressed", "true")
    changes = desk.get_by_role("region", name="变更")
    expect(changes.get_by_role("row").nth(1)).to_contain_text("常州第0电缆厂")
    expect(changes.get_by_role("row").nth(1)).to_contain_text("常州第0电缆有限公司")
    desk.get_by_role("button", name="下一页").click()
    expect(changes.get_by_role("row")).to_have_count(6)
    looked_at(desk, "import-changes")
    desk.get_by_role("button", name="不导入 2 行").click()
    refused = desk.get_by_role("region", name="不导入")
    expect(refused.get_by_role("row").nth(2)).to_contain_text("玄武区不在本辖区，请由当地或上级机关导入")
    looked_at(desk, "import-refused")
    with desk.expect_download() as fetched:
        desk.get_by_role("button", name="下载核对报告").click()
    assert fetched.value.suggested_filename == "导入报告-名录.csv"
    assert "常州第3电缆有限公司" in Path(fetched.value.path()).read_text(encoding="utf-8-sig")

    desk.get_by_role("button", name="导入 55 行").click()
    desk.get_by_role("dialog").get_by_role("button", name="导入 55 行").click()
    result = desk.get_by_label("导入", exact=True).get_by_role("status")
    expect(result).to_contain_text("导入已完成：已新增 0，已变更 55，未导入 2", timeout=30_000)
    looked_at(desk, "import-done")
