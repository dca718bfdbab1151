"""信息查看 on the phone: lists with filters, a record and what one may do with it, corrections and their decision."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from core import clock
from tests.browser.app import Bureau, build_if_stale, violations
from tests.browser.inspector import shop
from tests.demo_folder import demo_folder
from tests.people import new_id, production, uscc, with_problem
from tests.servers import ROOT, running_server

Phone = Callable[..., Page]
COUNTY, CITY = "demo_tianning", "demo_changzhou"


@pytest.fixture(scope="module")
def bureau(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    build_if_stale()
    data_dir = demo_folder(tmp_path_factory, "bureau")
    with running_server(data_dir, DEMO="1") as base:
        yield Bureau(base, data_dir)


def submitted(bureau: Bureau, number: int, body: dict[str, Any]) -> str:
    """A check that the county has submitted; its id."""
    record_id = new_id()
    more = {"uscc": uscc(8000 + number), "org_name": f"某某电缆{number}厂", "form_version": 2}
    bureau.call(COUNTY, "PUT", f"/inspections/{record_id}/submission", {**body, **more})
    return record_id


def record(bureau: Bureau, record_id: str) -> dict[str, Any]:
    """The record as the county reads it."""
    return bureau.call(COUNTY, "GET", f"/inspections/{record_id}")


def open_record(bureau: Bureau, page: Page, username: str, record_id: str) -> None:
    """The page of a record."""
    bureau.open(page, username, f"/pages/record/index?type=inspections&id={record_id}")


def test_the_list_is_narrowed_by_filters_that_stand_as_chips_and_are_taken_away_one_by_one(
    bureau: Bureau, phone: Phone
) -> None:
    page = phone()
    bureau.open(page, COUNTY, "/pages/records/index")
    expect(page.locator(".record-card").first).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="筛选").click()
    sheet = page.get_by_role("dialog")
    expect(sheet.get_by_text("销售企业检查", exact=True)).to_be_visible()
    expect(sheet.get_by_text("送达回证")).to_have_count(0)  # papers are no checks
    sheet.get_by_role("checkbox", name="办理中").click()
    sheet.get_by_role("checkbox", name="电线电缆").click()
    sheet.get_by_role("button", name="查看").click()
    expected = bureau.call(COUNTY, "GET", "/inspections?disposal=in_progress&product_code=06")
    expect(page.get_by_text(f"共 {expected['total']} 条").first).to_be_visible()
    expect(page.locator(".record-card")).to_have_count(expected["total"])
    page.get_by_role("button", name="去掉：处置办理中").click()
    page.get_by_role("button", name="去掉：电线电缆").click()
    everything = bureau.call(COUNTY, "GET", "/inspections")
    expect(page.get_by_text(f"共 {everything['total']} 条").first).to_be_visible()


@pytest.mark.only_in_rounds
def test_at_the_end_of_a_page_the_bar_stands_at_the_edge_of_the_screen(bureau: Bureau, phone: Phone) -> None:
    page = phone()
    bureau.open(page, COUNTY, "/pages/records/index")
    expect(page.locator(".record-card").first).to_be_visible()
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for_function("scrollY + innerHeight >= document.documentElement.scrollHeight - 1")
    bottom = page.evaluate("document.querySelector('.bottom-bar').getBoundingClientRect().bottom")
    assert abs(bottom - page.viewport_size["height"]) < 1  # type: ignore[index]


def test_a_search_that_finds_nothing_says_so_and_offers_to_clear_it(bureau: Bureau, phone: Phone) -> None:
    page = phone()
    bureau.open(page, COUNTY, "/pages/records/index")
    page.get_by_role("textbox", name="按企业名称查找").fill("没有这一家")
    expect(page.get_by_text("没有符合的记录。")).to_be_visible()
    page.get_by_role("button", name="清除筛选").click()
    expect(page.locator(".record-card").first).to_be_visible()


@pytest.mark.only_in_rounds
def test_more_goes_on_behind_the_last_record_seen(bureau: Bureau, phone: Phone) -> None:
    for number in range(12):
        submitted(bureau, 100 + number, production())
    page = phone()
    bureau.open(page, COUNTY, "/pages/records/index")
    expect(page.locator(".record-card")).to_have_count(20)
    page.get_by_role("button", name="更多").click()
    expect(page.locator(".record-card").nth(20)).to_be_visible()
    names = page.locator(".record-card .record-name").all_inner_texts()
    assert len(names) > 20
    total = bureau.call(COUNTY, "GET", "/inspections")["total"]
    assert len(names) == min(total, 40)


@pytest.mark.only_in_rounds
def test_what_was_read_stays_readable_without_a_network_and_tells_its_age(bureau: Bureau, phone: Phone) -> None:
    record_id = submitted(bureau, 1, production())
    page = phone()
    open_record(bureau, page, COUNTY, record_id)
    expect(page.get_by_role("heading", name="某某电缆1厂")).to_be_visible()
    page.route("**/api/v1/inspections/**", lambda route: route.abort())
    page.reload()
    expect(page.get_by_role("heading", name="某某电缆1厂")).to_be_visible()
    expect(page.get_by_text("的内容")).to_be_visible()
    expect(page.get_by_text("服务器暂时没有回应")).to_be_visible()


def test_a_disposal_is_moved_on_from_the_record_and_is_final(bureau: Bureau, phone: Phone) -> None:
    record_id = submitted(bureau, 2, with_problem({"7.1": "in_progress", "7.2": "in_progress"}))
    page = phone()
    open_record(bureau, page, COUNTY, record_id)
    expect(page.get_by_role("heading", name="发现的问题")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="更新处置").click()
    sheet = page.get_by_role("dialog")
    sheet.get_by_role("button", name="提交处置").click()
    expect(sheet).to_contain_text("请选择已经办结的处置项。")
    choices = sheet.get_by_role("radiogroup", name="7.1").get_by_role("radio")
    words = [text.removeprefix("✓\n") for text in choices.all_inner_texts()]
    assert words == ["是", "办理中", "不适用"], "not in the order of the form"
    choices.filter(has_text="是").first.click()
    sheet.get_by_role("radiogroup", name="7.2").get_by_role("radio", name="不适用").click()
    sheet.get_by_role("button", name="提交处置").click()
    expect(sheet).to_contain_text("请填写变更原因")
    sheet.get_by_role("textbox").fill("企业已停产")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    sheet.get_by_role("button", name="提交处置").click()
    # Who has scrolled down to the disposals sees it too.
    expect(page.locator(".card").get_by_text("处置已更新。")).to_be_in_viewport()
    assert record(bureau, record_id)["disposals"]["7.1"] == "done"
    assert record(bureau, record_id)["disposals"]["7.2"] == "na"
    expect(page.get_by_role("button", name="更新处置")).to_have_count(0)
    expect(page.get_by_text("办理中 → 是")).to_be_visible()


def who_inspects_and_reviews(bureau: Bureau) -> str:
    """A user of the county with both roles, who has a password of their own."""
    name, password = "inspects_and_reviews", "a password of their own 7"
    roles = ["--role", "inspector", "--role", "licence_reviewer"]
    made = subprocess.run(
        [sys.executable, "cli/__main__.py", "users", "create", "--username", name, "--region", "320402", *roles],
        cwd=ROOT, env={**os.environ, "DATA_DIR": str(bureau.data_dir)}, check=True, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    file = bureau.data_dir / "demo-accounts.json"
    accounts = json.loads(file.read_text(encoding="utf-8"))
    printed = re.search(r"一次性密码：(\S+)", made.stdout)
    assert printed is not None
    given = {"username": name, "password": printed[1]}
    file.write_text(json.dumps([*accounts, given]), encoding="utf-8")
    bureau.call(name, "PUT", "/me/password", {"old_password": given["password"], "new_password": password})
    file.write_text(json.dumps([*accounts, {**given, "password": password}]), encoding="utf-8")
    return name


def test_a_rectification_is_ordered_from_a_check_that_found_a_problem(bureau: Bureau, phone: Phone) -> None:
    works = shop(bureau, 6)
    record_id = new_id()
    found = with_problem(uscc=works["uscc"], org_name=works["name"], form_version=2, confirm_duplicate=True)
    bureau.call(COUNTY, "PUT", f"/inspections/{record_id}/submission", found)
    page = phone()
    open_record(bureau, page, who_inspects_and_reviews(bureau), record_id)
    order = page.get_by_role("button", name="下达整改", exact=True)
    expect(page.get_by_role("button", name="更多")).to_be_visible()
    if order.count() == 0:
        page.get_by_role("button", name="更多").click()
    order.click()
    sheet = page.get_by_role("dialog")
    expect(sheet.get_by_role("textbox").first).to_have_value(re.compile("存在无证生产"))
    assert violations(page) == []
    sheet.get_by_role("button", name="下达整改").click()
    expect(sheet.get_by_text("请选择")).to_be_visible()
    due = (clock.today() + timedelta(days=14)).isoformat()
    sheet.locator("#rectification-day-input").fill(due)
    sheet.get_by_role("button", name="下达整改").click()
    expect(page.get_by_text(f"已下达整改，期限 {due}").first).to_be_visible()
    ordered = bureau.call("demo_licence_reviewer", "GET", "/filings?kind=rectification&status=to_upload")["items"]
    assert due in [one["due_on"] for one in ordered]


@pytest.mark.only_in_rounds
def test_a_disposal_of_a_record_that_changed_meanwhile_says_who_did_what(bureau: Bureau, phone: Phone) -> None:
    record_id = submitted(bureau, 3, with_problem({"7.1": "in_progress"}))
    page = phone()
    open_record(bureau, page, COUNTY, record_id)
    page.get_by_role("button", name="更新处置").click()
    moved = {"disposals": {"7.1": "na"}, "version": 1, "reason": "企业已停产"}
    bureau.call(CITY, "PUT", f"/inspections/{record_id}/disposals", moved)
    sheet = page.get_by_role("dialog")
    sheet.get_by_role("radio", name="是", exact=True).click()
    sheet.get_by_role("button", name="提交处置").click()
    expect(page.get_by_role("status").filter(has_text="更新处置。已重新读取，请再看一遍。").first).to_be_visible()
    assert record(bureau, record_id)["disposals"]["7.1"] == "na"
    bureau.open(page, None, "/pages/outbox/index")
    expect(page.get_by_text("需要你处理")).to_have_count(0)


def test_a_record_is_corrected_with_a_reason_and_both_versions_stand_beside_each_other(
    bureau: Bureau, phone: Phone
) -> None:
    record_id = submitted(bureau, 4, production(escort="丙"))
    page = phone()
    open_record(bureau, page, COUNTY, record_id)
    page.get_by_role("button", name="更正", exact=True).click()
    page.get_by_role("textbox", name="现场陪同人员").fill("丁某")
    page.get_by_role("textbox", name="现场陪同人员").blur()
    page.reload()
    expect(page.get_by_role("textbox", name="现场陪同人员")).to_have_value("丁某")
    page.get_by_role("button", name="核对 1 处改动").click()
    sheet = page.get_by_role("dialog")
    sheet.get_by_role("button", name="提交更正").click()
    expect(sheet).to_contain_text("请写明更正原因")
    sheet.get_by_role("textbox", name="更正原因").fill("陪同人员填错")
    sheet.get_by_role("button", name="提交更正").click()
    expect(page.get_by_text("已更正 1 次")).to_be_visible()
    assert record(bureau, record_id)["escort"] == "丁某"
    page.get_by_role("button", name="查看更正前后").click()
    changed = page.locator(".diff-changed")
    expect(changed).to_have_count(1)
    expect(changed).to_contain_text("丙")
    expect(changed).to_contain_text("丁某")
    expect(page.get_by_text("原因：陪同人员填错")).to_be_visible()
    assert violations(page) == []


@pytest.mark.only_in_rounds
def test_a_faulty_correction_shows_the_faults_at_their_place_and_keeps_what_was_typed(
    bureau: Bureau, phone: Phone
) -> None:
    record_id = submitted(bureau, 5, production())
    page = phone()
    open_record(bureau, page, COUNTY, record_id)
    page.get_by_role("button", name="更正", exact=True).click()
    page.get_by_role("textbox", name="统一社会信用代码").fill("91320400MA1TEX0013")
    page.get_by_role("textbox", name="统一社会信用代码").blur()
    page.get_by_role("button", name="核对 1 处改动").click()
    page.get_by_role("textbox", name="更正原因").fill("代码填错")
    page.get_by_role("button", name="提交更正").click()
    expect(page.get_by_role("alert").filter(has_text="还有 1 处需要处理")).to_be_visible()
    expect(page.get_by_role("textbox", name="统一社会信用代码")).to_have_value("91320400MA1TEX0013")
    assert record(bureau, record_id)["version"] == 1


def test_a_superior_returns_a_record_and_its_owner_corrects_it(bureau: Bureau, phone: Phone) -> None:
    record_id = submitted(bureau, 6, production())
    city = phone()
    open_record(bureau, city, CITY, record_id)
    city.get_by_role("button", name="更多").click()
    city.get_by_role("dialog").get_by_role("button", name="退回更正").click()
    sheet = city.get_by_role("dialog")
    sheet.get_by_role("button", name="退回", exact=True).click()
    expect(sheet).to_contain_text("请填写退回意见。")
    sheet.get_by_role("textbox").fill("生产地址与照片不一致")
    sheet.get_by_role("button", name="退回", exact=True).click()
    expect(city.get_by_text("已退回，填报人会收到待办。").first).to_be_visible()
    county = phone()
    open_record(bureau, county, COUNTY, record_id)
    expect(county.get_by_text("生产地址与照片不一致").first).to_be_visible()
    expect(county.locator(".solid-button", has_text="更正")).to_be_visible()


@pytest.mark.only_in_rounds
def test_a_record_is_voided_with_a_reason_and_says_so(bureau: Bureau, phone: Phone) -> None:
    record_id = submitted(bureau, 7, production())
    page = phone()
    open_record(bureau, page, COUNTY, record_id)
    page.get_by_role("button", name="更多").click()
    page.get_by_role("dialog").get_by_role("button", name="作废").click()
    sheet = page.get_by_role("dialog")
    sheet.get_by_role("textbox", name="作废原因").fill("与上午的检查重复录入")
    sheet.get_by_role("button", name="作废", exact=True).click()
    expect(page.get_by_text("记录已作废。").first).to_be_visible()
    assert record(bureau, record_id)["status"] == "voided"
    expect(page.get_by_role("button", name="更正", exact=True)).to_have_count(0)


@pytest.mark.only_in_rounds
def test_an_application_of_the_demo_is_decided_by_the_city_with_both_versions_in_sight(
    bureau: Bureau, phone: Phone
) -> None:
    (request,) = bureau.call(CITY, "GET", "/correction-requests?status=pending")["items"]
    page = phone()
    open_record(bureau, page, CITY, request["record"]["id"])
    page.get_by_role("button", name="审核更正申请").click()
    expect(page.locator(".diff-changed").first).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="采纳", exact=True).click()
    expect(page.get_by_text("已采纳，记录已按申请更正。").first).to_be_visible()
    decided = bureau.call(CITY, "GET", f"/correction-requests/{request['id']}")
    assert decided["status"] == "approved"


@pytest.mark.only_in_rounds
def test_a_record_of_another_county_does_not_exist(bureau: Bureau, phone: Phone) -> None:
    record_id = submitted(bureau, 8, production())
    page = phone()
    open_record(bureau, page, "demo_zhonglou", record_id)
    expect(page.get_by_text("记录不存在，或不在你的辖区。")).to_be_visible()


@pytest.mark.only_in_rounds
def test_a_link_for_a_colleague_is_copied(bureau: Bureau, phone: Phone) -> None:
    record_id = submitted(bureau, 9, production())
    page = phone(permissions=["clipboard-read", "clipboard-write"])
    open_record(bureau, page, COUNTY, record_id)
    page.get_by_role("button", name="更多").click()
    page.get_by_role("dialog").get_by_role("button", name="转发给同事").click()
    expect(page.get_by_text("链接已复制。").first).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").endswith(
        f"#/pages/record/index?type=inspections&id={record_id}"
    )
