"""执法文书 on the phone: filled in, approved by the head, printed, served; drawn from declarations alone."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from core import clock
from tests.browser.app import Bureau, violations
from tests.drawn_papers import codes, words
from tests.people import new_id

Phone = Callable[..., Page]
INSPECTOR, HEAD = "demo_tianning", "demo_tianning_head"
OFFICERS = (("李敏", "320402101"), ("王强", "320402102"))
SOON = (clock.today() + timedelta(days=3)).isoformat()


def press(page: Page | Locator, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def link(page: Page | Locator, name: str) -> Locator:
    return page.get_by_role("link", name=name)


def sheet(page: Page) -> Locator:
    return page.get_by_role("dialog")


def is_in_order(page: Page) -> None:
    """Nothing that axe finds, and no sideways scrolling."""
    assert violations(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def write(page: Page, label: str, text: str) -> None:
    page.get_by_label(label, exact=True).fill(text)


def choose(page: Page, question: str, answer: str) -> None:
    page.locator(".form-item", has_text=question).get_by_role("radio", name=answer, exact=True).click()


def begin(page: Page, title: str) -> None:
    press(page, "新填文书")
    sheet(page).get_by_text(title, exact=True).click()
    expect(page.get_by_text("填写内容")).to_be_visible()


def part(page: Page, title: str) -> None:
    page.locator(".list-row", has_text=title).click()


def org(page: Page, section: str) -> None:
    part(page, section)
    write(page, section, "常州某某电缆有限公司")
    write(page, "住所（经营场所）", "常州市天宁区某路1号")
    press(page, "完成")


def officers(page: Page, group: str, there: int = 0) -> None:
    """Who is there already stands first; their numbers come from 执法人员."""
    for name, _ in OFFICERS[there:]:
        press(page, f"＋ 添加{group}")
        write(page, "姓名", name)
        press(page, "完成")


def printed(page: Page, title: str) -> bytes:
    with page.expect_download() as download:
        press(page, f"打印{title}（PDF）")
    return Path(download.value.path()).read_bytes()


def scanned(pdf: bytes, bureau: Bureau) -> str:
    (url,) = codes(pdf)
    return requests.get(bureau.base + url[url.index("/v/") :], timeout=30).text


def save(bureau: Bureau, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """A draft of the inspector, written over the API."""
    return bureau.call(INSPECTOR, "PUT", f"/enforcement-papers/{new_id()}", {"kind": kind, "data": data})


def test_a_check_is_filled_in_approved_by_the_head_and_printed(bureau: Bureau, phone: Phone) -> None:
    page = phone()
    bureau.open(page, INSPECTOR, "/pages/home/index")
    expect(page.get_by_text("送达回证")).to_have_count(0)  # forms of papers are no kind of check
    link(page, "执法文书").click()
    press(page, "执法人员和执法证号")
    for name, number in OFFICERS:
        press(page, "登记执法人员")
        write(page, "姓名", name)
        write(page, "执法证号", number)
        press(page, "保存")
        expect(link(page, name)).to_be_visible()
    is_in_order(page)
    page.get_by_label("返回", exact=True).first.click()
    is_in_order(page)
    begin(page, "行政检查审批表")
    press(page, "提交审批")
    expect(page.get_by_role("alert").first).to_contain_text("处需要处理")
    is_in_order(page)
    org(page, "被检查人")
    part(page, "检查事项")
    choose(page, "任务来源", "投诉举报")
    write(page, "检查依据", "《中华人民共和国产品质量法》第十八条")
    write(page, "检查事项和内容", "生产许可、出厂检验")
    choose(page, "检查方式", "现场检查")
    write(page, "检查日期", (clock.today() - timedelta(days=1)).isoformat())
    choose(page, "是否紧急检查", "否")
    is_in_order(page)
    press(page, "完成")
    part(page, "检查人员")
    officers(page, "检查人员", there=1)
    is_in_order(page)
    press(page, "完成")
    press(page, "提交审批")
    # Yesterday's check is approved afterwards only where it was urgent; the fault leads to its place.
    expect(page.get_by_role("alert").first).to_contain_text("检查日期已过")
    link(page, "检查日期已过").click()
    choose(page, "是否紧急检查", "是")
    write(page, "紧急情况说明", "举报现场销毁证据")
    press(page, "完成")
    press(page, "提交审批")
    expect(page.get_by_text("等待负责人审批")).to_be_visible()
    is_in_order(page)

    head = phone()
    bureau.open(head, HEAD, "/pages/home/index")
    todo = link(head, "常州某某电缆有限公司")
    expect(todo).to_contain_text("待审批：行政检查审批表（紧急检查，事后补批）")
    is_in_order(head)
    todo.click()
    expect(head.get_by_text("举报现场销毁证据")).to_be_visible()
    expect(head.get_by_text("320402101")).to_be_visible()
    is_in_order(head)
    press(head, "不同意")
    press(sheet(head), "不同意")
    expect(sheet(head).get_by_text("请填写不同意的理由。")).to_be_visible()
    press(sheet(head), "返回")
    press(head, "同意")
    head.get_by_label("审批意见").fill("同意补办")
    is_in_order(head)
    press(sheet(head), "同意")
    expect(head.get_by_text("已生效", exact=True)).to_be_visible()
    expect(head.get_by_text("同意补办")).to_be_visible()

    page.reload()
    expect(page.get_by_text("同意补办")).to_be_visible()
    is_in_order(page)
    pdf = printed(page, "行政检查审批表")
    assert "同意补办" in words(pdf) and "事后补办审批" in words(pdf) and "320402102" in words(pdf)
    assert "内容是最新的" in scanned(pdf, bureau)


def test_an_order_is_issued_served_with_a_witness_and_printed_with_its_receipt(bureau: Bureau, phone: Phone) -> None:
    two = [{"name": name, "certificate_no": number} for name, number in OFFICERS]
    for one in two:
        bureau.call(INSPECTOR, "PUT", "/enforcement-officers", one)
    order = save(bureau, "correction_order", {
        "org_name": "常州某某电缆有限公司", "org_address": "常州市天宁区某路1号", "facts": "出厂检验记录不齐全",
        "violated": "产品质量法第十二条", "basis": "产品质量法的有关规定", "mode": "deadline", "due_on": SOON,
        "demand": "补齐检验项目", "contact_name": "李敏", "contact_tel": "0519-88880000", "inspectors": two,
    })  # fmt: skip
    page = phone()
    bureau.open(page, INSPECTOR, f"/pages/papers/paper?id={order['id']}")
    press(page, "出具")
    expect(sheet(page)).to_contain_text("出具后编号生效")
    press(sheet(page), "出具")
    expect(page.get_by_text("市监责改")).to_be_visible()
    press(page, "填写送达回证")
    press(page, "填写送达回证")
    expect(page.get_by_role("alert").first).to_contain_text("处需要处理")
    write(page, "受送达人", "常州某某电缆有限公司")
    write(page, "送达日期", clock.today().isoformat())
    write(page, "送达地点", "该公司")
    choose(page, "送达方式", "留置送达")
    officers(page, "送达人")
    choose(page, "是否拒绝签字", "是")
    write(page, "拒绝签字的理由", "负责人不在，员工不愿签字")
    write(page, "见证人", "社区工作人员钱某")
    is_in_order(page)
    page.reload()  # what was typed is kept on this phone
    expect(page.get_by_label("见证人", exact=True)).to_have_value("社区工作人员钱某")
    press(page, "填写送达回证")
    expect(page.get_by_text("已送达", exact=True)).to_be_visible()
    is_in_order(page)
    receipt = printed(page, "送达回证")
    assert "社区工作人员钱某" in words(receipt) and "送达回证" in scanned(receipt, bureau)
    press(page, "登记复查")
    page.get_by_label("复查情况").fill("已改正")
    press(sheet(page), "登记复查")
    expect(sheet(page)).to_have_count(0)


@pytest.mark.only_in_rounds
def test_a_paper_that_a_colleague_changed_asks_which_one_is_kept(bureau: Bureau, phone: Phone) -> None:
    draft = save(bureau, "site_record", {"org_name": "甲厂"})
    page = phone()
    bureau.open(page, INSPECTOR, f"/pages/papers/paper?id={draft['id']}")
    part(page, "检查情况")
    write(page, "检查地点", "一号车间")
    body = {"kind": "site_record", "data": {"org_name": "乙厂"}, "version": draft["version"]}
    bureau.call(INSPECTOR, "PUT", f"/enforcement-papers/{draft['id']}", body)
    press(page, "完成")
    expect(page.get_by_text("别处已保存过更新的内容")).to_be_visible()
    is_in_order(page)
    press(page, "用本机的")
    press(page, "完成")
    expect(page.get_by_text("填写内容")).to_be_visible()
    kept = bureau.call(INSPECTOR, "GET", f"/enforcement-papers/{draft['id']}")["data"]
    assert (kept["org_name"], kept["place"]) == ("甲厂", "一号车间")
