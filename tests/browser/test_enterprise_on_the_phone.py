"""An enterprise on the phone: from the to-do over form, documents and sending to the receipt, and to the rating."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests import paperwork
from tests.browser.app import Bureau, build_if_stale, violations, wrong_on
from tests.demo_folder import demo_folder
from tests.servers import ROOT, running_server

Phone = Callable[..., Page]
REVIEWER = "demo_licence_reviewer"
LOOKS: dict[str, dict[str, Any]] = {"375": {"width": 375}, "320 dark": {"width": 320, "color_scheme": "dark"}}


@pytest.fixture(scope="module")
def bureau(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    build_if_stale()
    data_dir = demo_folder(tmp_path_factory, "bureau")
    # The captcha is a picture for people; how it is asked for is tested elsewhere.
    with running_server(data_dir, DEMO="1", ENTERPRISE_CAPTCHA="after_failure") as base:
        yield Bureau(base, data_dir)


def filing(bureau: Bureau, kind: str, status: str) -> dict[str, Any]:
    """The newest filing of the demo's enterprise of that kind and status."""
    found = bureau.call("enterprise", "GET", f"/filings?kind={kind}&status={status}")["items"]
    return dict(found[0])


def cut_writes(route: Route) -> None:
    """The network takes nothing to the server."""
    if route.request.method == "PUT":
        route.abort()
    else:
        route.continue_()


def close(page: Page) -> None:
    page.get_by_role("button", name="完成").click()


def test_an_outage_that_moved_a_deadline_is_said_on_home_in_the_list_and_in_the_filing(
    bureau: Bureau, phone: Phone
) -> None:
    due = filing(bureau, "rectification", "to_upload")["due_on"]
    add = ["outages", "add", "--from", f"{due} 08:00", "--to", f"{due} 18:00", "--reason", "机房停电"]
    environment = {**os.environ, "DATA_DIR": str(bureau.data_dir)}
    subprocess.run([sys.executable, "cli/__main__.py", *add], cwd=ROOT, env=environment, check=True, timeout=120)
    moved = filing(bureau, "rectification", "to_upload")
    said = f"因系统故障（机房停电）由{due}顺延至{moved['due_on']}"
    assert moved["due_on"] > due
    page = phone()
    bureau.open(page, "enterprise", "/pages/home/index")
    expect(page.get_by_role("link", name="待上传整改报告")).to_contain_text(said)
    for path in ("/pages/enterprise/filings?kind=rectification", f"/pages/enterprise/filing?id={moved['id']}"):
        found = wrong_on(
            page, f"{bureau.base}/app/#{path}", lambda shown: expect(shown.get_by_text(said).first).to_be_visible()
        )
        assert found == [], path


def test_a_rectification_goes_from_the_to_do_to_the_receipt(bureau: Bureau, phone: Phone) -> None:
    page, report = phone(), paperwork.pdf("整改报告")
    bureau.open(page, "enterprise", "/pages/home/index")
    todo, tile = page.get_by_role("link", name="待上传整改报告"), page.get_by_role("link", name="企业概况")
    expect(tile).to_be_visible()
    assert todo.bounding_box()["y"] < tile.bounding_box()["y"]  # type: ignore[index]
    expect(todo).not_to_contain_text("有限公司")  # whose account it is, the person knows
    todo.click()
    expect(page.get_by_role("link", name="整改情况")).to_contain_text("选填 1 项，已填 0 项")
    send = page.get_by_role("button", name="上传整改报告", exact=True)
    send.click()
    expect(page.get_by_role("alert").first).to_contain_text("还有 1 处需要处理")
    expect(page.get_by_role("link", name="请上传“整改报告”")).to_be_visible()
    page.get_by_role("link", name="整改情况").click()
    page.get_by_label("整改措施").fill("已补齐检验记录，重新培训检验人员")
    close(page)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="选择“整改报告”的文件").click()
    chooser.value.set_files({"name": "整改报告.pdf", "mimeType": "application/pdf", "buffer": report})
    expect(page.get_by_text("✓ 整改报告.pdf")).to_be_visible()
    expect(page.get_by_text("已备份")).to_be_visible()
    send.click()
    expect(page.get_by_role("heading", name="提交回执")).to_be_visible()
    expect(page.get_by_text("已提交，服务器")).to_be_visible()
    expect(page.get_by_text(hashlib.sha256(report).hexdigest())).to_be_visible()
    expect(page.locator(".receipt-number")).to_have_text(re.compile(r"^\d{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}$"))
    assert violations(page) == []
    sent = filing(bureau, "rectification", "to_follow")
    receipt = bureau.call("enterprise", "GET", f"/filings/{sent['id']}/receipt")
    expect(page.locator(".receipt-number")).to_have_text(receipt["number"])
    page.get_by_role("button", name="回到首页").click()
    expect(page.get_by_role("link", name="待上传整改报告")).to_have_count(0)


def test_taking_back_a_declaration_says_what_it_undoes_and_it_is_sent_anew(bureau: Bureau, phone: Phone) -> None:
    pending = filing(bureau, "data_declaration", "pending")
    page = phone()
    bureau.open(page, "enterprise", f"/pages/enterprise/filing?id={pending['id']}")
    page.get_by_role("button", name="撤回").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("第 1 次提交")
    expect(question).to_contain_text("状态回到“更新申报”")
    question.get_by_role("button", name="撤回").click()
    expect(page.get_by_text("请填写下列各项")).to_be_visible()
    page.get_by_role("link", name="企业基本信息").click()
    page.get_by_label("联系人手机").fill("1380000")
    close(page)
    page.get_by_role("button", name="提交", exact=True).click()
    page.get_by_role("link", name=re.compile("手机号")).click()
    expect(page.get_by_label("联系人手机")).to_be_focused()
    expect(page.locator(".field-fault:visible")).to_contain_text("手机号")
    page.get_by_label("联系人手机").fill("13800000009")
    expect(page.locator(".field-fault:visible")).to_have_count(0)
    close(page)
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.get_by_text("第 2 次", exact=True)).to_be_visible()
    again = bureau.call("enterprise", "GET", f"/filings/{pending['id']}")
    assert (again["status"], again["sent"], again["data"]["contact_mobile"]) == ("pending", 2, "13800000009")


@pytest.mark.only_in_rounds
def test_sending_what_nobody_touched_says_what_is_missing_and_not_that_it_has_to_be_saved(
    bureau: Bureau, phone: Phone
) -> None:
    own = filing(bureau, "data_declaration", "update")
    page = phone()
    bureau.open(page, "enterprise", f"/pages/enterprise/filing?id={own['id']}")
    page.get_by_role("button", name="提交", exact=True).click()
    faults = page.get_by_role("alert").first
    expect(faults).to_contain_text("联系人手机")
    expect(faults).to_contain_text("是否正常生产")
    expect(faults).not_to_contain_text("保存")


@pytest.mark.only_in_rounds
def test_what_was_typed_outlives_a_closed_app_without_a_network(bureau: Bureau, phone: Phone) -> None:
    own = filing(bureau, "data_declaration", "update")
    page = phone()
    bureau.open(page, "enterprise", f"/pages/enterprise/section?id={own['id']}&section=enterprise")
    expect(page.get_by_label("联系人", exact=True)).to_be_visible()
    page.route(
        "**/api/v1/filings/**", lambda route: route.abort() if route.request.method == "PUT" else route.continue_()
    )
    page.get_by_label("联系人", exact=True).fill("周某")
    expect(page.get_by_text("已存手机")).to_be_visible()
    page.unroute("**/api/v1/filings/**")
    page.reload()
    expect(page.get_by_label("联系人", exact=True)).to_have_value("周某")
    expect(page.get_by_text("已备份")).to_be_visible()
    assert bureau.call("enterprise", "GET", f"/filings/{own['id']}")["data"]["contact_name"] == "周某"


@pytest.mark.only_in_rounds
def test_what_was_saved_elsewhere_meanwhile_is_a_question_and_no_loss(bureau: Bureau, phone: Phone) -> None:
    own = filing(bureau, "data_declaration", "update")
    page = phone()
    bureau.open(page, "enterprise", f"/pages/enterprise/section?id={own['id']}&section=enterprise")
    expect(page.get_by_label("法定代表人")).to_be_visible()
    now = bureau.call("enterprise", "GET", f"/filings/{own['id']}")
    body = {"data": {**now["data"], "legal_representative": "别处填的"}, "version": now["version"]}
    bureau.call("enterprise", "PUT", f"/filings/{own['id']}", body)
    page.get_by_label("法定代表人").fill("本机填的")
    expect(page.get_by_text("别处已保存过更新的内容")).to_be_visible()
    page.get_by_role("button", name="用本机的").click()
    expect(page.get_by_text("已备份")).to_be_visible()
    assert bureau.call("enterprise", "GET", f"/filings/{own['id']}")["data"]["legal_representative"] == "本机填的"


def test_a_step_with_a_form_of_its_own_is_filled_in_and_sent_with_its_answers(bureau: Bureau, phone: Phone) -> None:
    pending = filing(bureau, "data_declaration", "pending")
    options = [{"value": "error", "label": "填写有误"}, {"value": "other", "label": "其他"}]
    items = [
        {"field": "cause", "text": "撤回原因", "type": "choice", "required": True, "options": options},
        {"field": "detail", "text": "说明", "type": "text", "required": True,
         "visible_when": {"item": "cause", "in": ["other"]}},
    ]  # fmt: skip
    section = {"code": "a", "title": "撤回说明", "items": items}
    form = {"code": "withdrawal", "version": 1, "title": "撤回说明", "kind": "filing", "sections": [section]}
    sent: list[Any] = []

    def with_form(route: Route) -> None:
        kind = route.fetch().json()
        for step in kind["steps"]:
            if step["action"] == "withdraw":
                step |= {"form": form, "comment_required": True}
        route.fulfill(json=kind)

    def refuse(route: Route) -> None:
        sent.append(route.request.post_data_json)
        fault = {"path": "/data/detail", "code": "meaningless", "message": "“说明”请写明具体情况"}
        problem = {"status": 422, "code": "validation_failed", "title": "填写的内容有误", "errors": [fault]}
        route.fulfill(status=422, json=problem, content_type="application/problem+json")

    page = phone()
    page.route("**/api/v1/filing-kinds/data_declaration", with_form)
    page.route("**/actions/withdraw", refuse)
    bureau.open(page, "enterprise", f"/pages/enterprise/filing?id={pending['id']}")
    page.get_by_role("button", name="撤回").click()
    expect(page.get_by_role("heading", name="撤回说明")).to_be_visible()
    take = page.locator(".app-foot .solid-button")
    take.click()
    expect(page.get_by_role("alert").first).to_contain_text("还有 2 处需要处理")
    page.get_by_role("radio", name="其他").click()
    page.locator("#at-detail-input").fill("重复提交")
    page.locator("#step-comment-input").fill("请予撤回")
    assert violations(page) == []
    page.reload()
    # What was typed is there again.
    expect(page.locator("#at-detail-input")).to_have_value("重复提交")
    take.click()
    expect(page.get_by_role("link", name="“说明”请写明具体情况")).to_be_visible()
    assert sent == [
        {"version": pending["version"], "comment": "请予撤回", "due_on": None,
         "data": {"cause": "other", "detail": "重复提交"}},
    ]  # fmt: skip


def test_the_rating_to_do_leads_to_the_rating_and_back_to_the_home_page(bureau: Bureau, phone: Phone) -> None:
    pending = filing(bureau, "data_declaration", "pending")
    version = bureau.call(REVIEWER, "GET", f"/filings/{pending['id']}")["version"]
    bureau.call(REVIEWER, "POST", f"/filings/{pending['id']}/actions/approve", {"version": version})
    page = phone()
    bureau.open(page, "enterprise", "/pages/home/index")
    page.get_by_role("link", name="好差评").click()
    expect(page.get_by_text("您对本次服务是否满意？")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("radio", name="非常满意", exact=True).click()
    page.get_by_label("姓名或单位名称").fill("周某")
    page.get_by_label("手机号").fill("13800006001")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("评价提交成功")).to_be_visible()
    page.get_by_role("button", name="回到首页").click()
    expect(page.get_by_role("heading", name="工品查")).to_be_visible()
    expect(page.get_by_role("link", name="好差评")).to_have_count(0)


SCREENS = {
    "overview": "/pages/enterprise/index",
    "filings": "/pages/enterprise/filings?kind=data_declaration",
    "all filings": "/pages/enterprise/filings",
    "findings": "/pages/enterprise/findings",
}


@pytest.mark.only_in_rounds
@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_and_nothing_is_wider_than_a_narrow_window(look: str, bureau: Bureau, phone: Phone) -> None:
    own = filing(bureau, "data_declaration", "update")["id"]
    of_filing = {
        "filing": f"/pages/enterprise/filing?id={own}",
        "section": f"/pages/enterprise/section?id={own}&section=enterprise",
    }
    first = phone(**LOOKS[look])
    bureau.open(first, "enterprise", "/pages/home/index")
    expect(first.get_by_role("heading", level=1)).to_be_visible()

    def opened(page: Page) -> None:
        expect(page.locator(".card, .form-item").first).to_be_visible()
        page.wait_for_load_state("networkidle")

    for screen, path in {**SCREENS, **of_filing}.items():
        assert wrong_on(first, f"{bureau.base}/app/#{path}", opened) == [], screen
