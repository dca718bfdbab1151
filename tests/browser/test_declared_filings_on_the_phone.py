"""Drawn from declarations alone: registering without an account, locks, parties, steps for many, notices."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from tests import paperwork
from tests.browser.app import violations
from tests.browser.proof import AGENCY, Proof, proof
from tests.people import new_id, uscc

Phone = Callable[..., Page]
__all__ = ["proof"]
FIRM, CODE = "常州某评价有限公司", uscc(950)
REGION = ("江苏省", "常州市", "天宁区")
REVIEWER = "demo_licence_reviewer"


def press(page: Page | Locator, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def is_in_order(page: Page) -> None:
    """Nothing that axe finds, and no sideways scrolling."""
    assert violations(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def sheet(page: Page) -> Locator:
    return page.get_by_role("dialog")


def act(server: Proof, who: str, filing: str, action: str, **body: Any) -> None:
    """Take a step over the API."""
    version = server.call(who, "GET", f"/filings/{filing}")["version"]
    server.call(who, "POST", f"/filings/{filing}/actions/{action}", {"version": version, **body})


def register(page: Page) -> str:
    """Register as nobody, from the sign-in page; the query code."""
    press(page, "登记和查询")
    page.get_by_role("link", name="评价机构报名").click()
    press(page, "登记")
    expect(page.get_by_role("alert").first).to_contain_text("还有 4 处需要处理")
    page.get_by_label("单位名称").fill(FIRM)
    page.get_by_label("统一社会信用代码").fill(CODE)
    page.get_by_label("手机号").fill("13800000021")
    press(page, "请选择")
    for name in REGION:
        page.get_by_role("link", name=name).click()
    press(page, "登记")
    code = page.locator(".register-code").inner_text()
    is_in_order(page)
    press(page, "已记下，开始填写")
    return code


def fill_in(page: Page) -> None:
    """Both tabs, with a searched choice; the proof of the place is owed (容缺)."""
    page.get_by_role("link", name="基本情况").click()
    press(page, "选择备案地")
    for name in REGION:
        sheet(page).get_by_text(name, exact=True).click()
    page.get_by_text("容缺", exact=True).click()
    page.get_by_label("负责人").fill("周某")
    press(page, "完成")
    page.get_by_role("link", name="设备").click()
    expect(page.get_by_text("可容缺，稍后补交")).to_be_visible()
    press(page, "查找进口设备HS编码")
    page.get_by_label("编码的开头").fill("控制装置")
    press(page, "查找")
    sheet(page).get_by_role("radio", name="8537100003 电力控制装置3").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text("8537100003 电力控制装置3")).to_be_visible()
    press(page, "完成")


def test_who_has_no_account_registers_fills_in_sends_and_mends_by_the_query_code(proof: Proof, phone: Phone) -> None:
    page = phone()
    proof.open(page, None, "/pages/sign-in/index")
    code = register(page)
    press(page, "检查有没有漏填")
    expect(page.get_by_role("link", name="单位情况：请填写“负责人”")).to_be_visible()
    is_in_order(page)
    fill_in(page)
    press(page, "检查有没有漏填")
    expect(page.get_by_text("没有漏填和填错。容缺的材料请按期补交。")).to_be_visible()
    press(page, "提交")
    expect(page.get_by_text("之后凭查询码查看结果。")).to_be_visible()
    page.get_by_label("返回", exact=True).first.click()
    expect(page.get_by_text("申报人（凭查询码）").first).to_be_visible()
    press(page, "结束办理")
    press(sheet(page), "结束办理")
    expect(page.get_by_label("查询码")).to_be_visible()
    assert page.evaluate("localStorage.getItem('guest')") is None

    sent = proof.call("authority", "GET", "/filings?kind=proof_agency")["items"][0]["id"]
    act(proof, "authority", sent, "return", comment="负责人请写全名")
    page.get_by_label("名称或姓名").fill(FIRM)
    page.get_by_label("统一社会信用代码或身份证号").fill(CODE)
    page.get_by_label("查询码").fill(code)
    press(page, "查询")
    expect(page.get_by_text("负责人请写全名").first).to_be_visible()
    page.get_by_role("link", name="基本情况").click()
    # The declaration locks the place of a correction (`locks`).
    expect(page.locator(".form-item", has_text="备案地")).to_contain_text("不能修改")
    expect(page.locator(".form-item", has_text="备案地").get_by_role("button")).to_have_count(0)
    is_in_order(page)
    page.get_by_label("负责人").fill("周某某")
    press(page, "完成")
    press(page, "补正提交")
    expect(page.get_by_text("第 2 次", exact=True)).to_be_visible()
    assert proof.call("authority", "GET", f"/filings/{sent}")["data"]["leader"] == "周某某"


def evaluated(server: Proof) -> str:
    """An evaluation that three reviewers have to confirm; one has."""
    data = {"area": "320400", "agency": server.office(AGENCY), "self_score": "900"}
    filing = str(
        server.call("enterprise", "PUT", f"/filings/{new_id()}", {"kind": "transport_evaluation", "data": data})["id"]
    )
    act(server, "enterprise", filing, "submit")
    rows = [{"username": f"reviewer_{n}", "leader": n == 1} for n in (1, 2, 3)]
    act(server, "agency", filing, "assign", data={"reviewers": rows})
    file = {"file": ("报告.pdf", paperwork.pdf(new_id()), "application/pdf")}
    headers = {"Authorization": f"Bearer {server.tokens['agency']}"}
    purpose = {"purpose": "declaration_attachment"}
    paper = requests.post(f"{server.base}/api/v1/files", headers=headers, files=file, data=purpose, timeout=60).json()
    report = [{"category": "evaluation_report", "file_id": paper["id"]}]
    act(server, "agency", filing, "score", data={"total": "880"}, documents=report)
    act(server, "reviewer_1", filing, "confirm")
    return filing


@pytest.mark.only_in_rounds
def test_parties_confirm_and_an_office_takes_a_step_for_many(proof: Proof, phone: Phone) -> None:
    filing = evaluated(proof)
    page = phone()
    proof.open(page, "reviewer_2", f"/pages/enterprise/filing?id={filing}")
    expect(page.get_by_text("已确认 1/3")).to_be_visible()
    expect(page.locator(".fact-row", has_text="reviewer_1（组长）").first).to_contain_text("已确认")
    expect(page.locator(".fact-row", has_text="reviewer_2").first).to_contain_text("○ 未确认")
    is_in_order(page)
    press(page, "确认考评")
    expect(page.get_by_text("已确认 2/3")).to_be_visible()
    act(proof, "reviewer_3", filing, "confirm")
    act(proof, "agency", filing, "conclude")

    office = phone()
    proof.open(office, "agency", "/pages/home/index")
    office.get_by_role("link", name="办件").click()
    office.get_by_role("button", name="事项：全部").click()
    sheet(office).get_by_role("link", name="达标评价").click()
    press(office, "批量办理")
    is_in_order(office)
    press(office, "开始公示 1 件")
    expect(office.get_by_text("办成 1 件，未办 0 件", exact=True)).to_be_visible()
    is_in_order(office)
    assert proof.call("agency", "GET", f"/filings/{filing}")["status"] == "publishing"


@pytest.mark.only_in_rounds
def test_a_posts_work_is_delegated_by_business_type_and_taken_back(proof: Proof, phone: Phone) -> None:
    page = phone()
    proof.open(page, "authority", "/pages/home/index")
    page.get_by_role("link", name="办件").click()
    press(page, "委托")
    page.get_by_role("link", name="评价机构审核").click()
    sheet(page).get_by_role("link", name="容缺").click()
    is_in_order(page)
    press(sheet(page), "委托")
    expect(page.get_by_text("业务类型：容缺", exact=True)).to_be_visible()
    expect(page.get_by_text("委托中", exact=True)).to_be_visible()
    is_in_order(page)
    press(page, "撤销委托")
    press(sheet(page), "撤销委托")
    expect(page.get_by_text("已撤销", exact=True)).to_be_visible()
    is_in_order(page)


@pytest.mark.only_in_rounds
def test_many_rows_of_a_group_are_searched_and_read_page_by_page(proof: Proof, phone: Phone) -> None:
    staff = [{"name": f"评审员{number:02d}", "kind": "公路" if number % 2 else "水路"} for number in range(1, 31)]
    data = {"area": "320400", "mode": "general", "leader": "周某", "staff": staff}
    path = f"/filings/{new_id()}"
    filing = proof.call("enterprise", "PUT", path, {"kind": "proof_agency", "data": data})["id"]
    page = phone()
    proof.open(page, "enterprise", f"/pages/enterprise/filing?id={filing}")
    press(page, "查找评审员（30 行）")
    expect(page.get_by_text("共 30 行", exact=True)).to_be_visible()
    expect(page.get_by_text("评审员20", exact=True)).to_be_visible()
    press(page, "更多")
    expect(page.get_by_text("评审员30", exact=True)).to_be_visible()
    is_in_order(page)
    page.get_by_label("查找：名称、证件号等").fill("评审员07")
    press(page, "查找")
    expect(page.get_by_text("共 1 行", exact=True)).to_be_visible()
    expect(page.get_by_text("评审员07", exact=True)).to_be_visible()
    is_in_order(page)


@pytest.mark.only_in_rounds
def test_an_office_writes_a_notice_that_everybody_reads_until_it_is_withdrawn(proof: Proof, phone: Phone) -> None:
    page = phone()
    proof.open(page, REVIEWER, "/pages/home/index")
    page.get_by_role("link", name="通知公告").click()
    press(page, "写公告")
    press(page, "发布")
    expect(page.get_by_text("请填写标题")).to_be_visible()
    page.get_by_label("标题").fill("关于开展自查的通知")
    page.get_by_label("正文").fill("请于 12 月底前提交。\n联系电话：0519-12345678")
    press(page, "发布")
    press(sheet(page), "发布")
    expect(page.get_by_text("已发布，“通知公告”中可以看到。")).to_be_visible()
    is_in_order(page)
    reader = phone()
    proof.open(reader, None, "/pages/notices/index")
    reader.get_by_role("link", name="关于开展自查的通知").click()
    expect(reader.get_by_text("请于 12 月底前提交。")).to_be_visible()
    press(page, "撤回")
    sheet(page).get_by_label("撤回的原因").fill("日期有误")
    press(sheet(page), "撤回")
    expect(page.get_by_text("已撤回，别人看不到了。")).to_be_visible()
    reader.goto(f"{proof.base}/app/#/pages/notices/index")
    reader.reload()
    expect(reader.get_by_text("还没有公告。")).to_be_visible()
